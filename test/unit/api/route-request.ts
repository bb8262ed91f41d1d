import type { RouteRequest } from '../../../src/api/route.ts';

/** A request without a token; `id` is the parameter in its path. */
export function routeRequest(query: unknown, id = ''): RouteRequest {
  return { query, id, body: undefined, reader: null, languages: undefined };
}
