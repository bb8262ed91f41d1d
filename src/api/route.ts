import type { z } from 'zod';
import type { Page } from './page.ts';

/** The same answer as another media type. */
export interface OtherType {
  readonly type: string;
  /** Whether a client with this Accept header gets it. */
  isPreferredBy(accept: string | undefined): boolean;
  handle(): Promise<string>;
}

/** One address of the API and one method. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As fastify writes it: `/v1/calls/:linkedid`. */
  readonly path: string;
  readonly summary: string;
  /** `open`: answered without the token. `token`: refused, also on loopback, while no token is set. `usual`: as [http] says. */
  readonly access: 'open' | 'usual' | 'token';
  /** A browser may come here by a link of another site. */
  readonly isPage: boolean;
  readonly query: z.ZodObject;
  /** Of the request's JSON; null: it has no body. */
  readonly body: z.ZodType | null;
  readonly answer: z.ZodType;
  /** Of an answer that is no problem. */
  readonly status: number;
  /**
   * `query` and `body` are checked; `id` is the path's parameter, or empty; `reader` whose token it was, null: the main one, or none is needed; `languages` the
   * client's Accept-Language. A Buffer is the answer's JSON already, a Page has its own type. Throws
   * Problem.
   */
  handle(query: unknown, id: string, body: unknown, reader?: string | null, languages?: string): unknown;
  /** Whether the answer seldom changes any more: then it has an ETag, by which a client can ask whether it has. */
  readonly isFinal?: ((answer: never) => boolean) | undefined;
  /** Media type of the answer when it is a text; JSON otherwise. */
  readonly type?: string | undefined;
  readonly otherType?: OtherType | undefined;
  /** The same as CSV, piece by piece; rejects with Problem. */
  readonly csv?: ((query: unknown, id: string, reader?: string | null) => Promise<AsyncIterable<string>>) | undefined;
}

/** Makes a route; what is left out is as usual. The handler gets what the schemas make of query and body. */
export function route<Query extends z.ZodObject, Answer extends z.ZodType, Body extends z.ZodType>(definition: {
  method?: Route['method'];
  path: string;
  summary: string;
  access?: Route['access'];
  isPage?: boolean;
  query: Query;
  body?: Body;
  answer: Answer;
  status?: number;
  handle(
    query: z.output<Query>,
    id: string,
    body: z.output<Body>,
    reader?: string | null,
    languages?: string,
  ): z.output<Answer> | Promise<z.output<Answer> | Buffer | Page>;
  isFinal?: (answer: z.output<Answer>) => boolean;
  type?: string;
  otherType?: OtherType;
  csv?: (query: z.output<Query>, id: string) => Promise<AsyncIterable<string>>;
}): Route {
  const { method = 'GET', access = 'usual', body = null, status = 200, isPage = false, csv } = definition;
  return {
    ...definition,
    method,
    access,
    isPage,
    body,
    status,
    handle: (query, id, given, reader, languages) =>
      definition.handle(query as z.output<Query>, id, given as z.output<Body>, reader, languages),
    csv: csv && ((query, id) => csv(query as z.output<Query>, id)),
  };
}
