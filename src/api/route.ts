import type { z } from 'zod';
import type { Chunks, JsonPieces } from './gate/chunks.ts';
import type { Page } from './page.ts';

/** Another media type of the same answer. */
export interface OtherType {
  readonly type: string;
  /** Whether a client with this Accept header gets this type. */
  isPreferredBy(accept: string | undefined): boolean;
  handle(): Promise<string>;
}

/** What a client asks of a route. Query and body are checked and parsed by the route's schemas. */
export interface RouteRequest<Query = unknown, Body = unknown> {
  readonly query: Query;
  /** The parameter in the route's path; empty: the path has none. */
  readonly id: string;
  /** Undefined: the route takes none. */
  readonly body: Body;
  /** The name of the reader whose token came; null: it was the main token, or none is needed. */
  readonly reader: string | null;
  /** The client's Accept-Language; undefined: it sent none. */
  readonly languages: string | undefined;
}

/** One address of the API and one method. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** The path in fastify's form: `/v1/calls/:linkedid`. */
  readonly path: string;
  readonly summary: string;
  /** `open`: answered without the token. `token`: refused, also on loopback, while no token is set. `usual`: as [http] says. */
  readonly access: 'open' | 'usual' | 'token';
  /** True: links on other sites may lead here. */
  readonly isPage: boolean;
  readonly query: z.ZodObject;
  /** Schema of the request's JSON; null: there is no body. */
  readonly body: z.ZodType | null;
  readonly answer: z.ZodType;
  /** Status of a successful answer. */
  readonly status: number;
  /** The answer, by its schema. Bytes and JsonPieces are JSON already, a Page has its own type. Throws Problem. */
  handle(request: RouteRequest): unknown;
  /** True: the answer hardly changes any more, so it gets an ETag and clients can ask whether it has changed. */
  readonly isFinal?: ((answer: never) => boolean) | undefined;
  /** Media type of a text answer; absent: JSON. */
  readonly type?: string | undefined;
  readonly otherType?: OtherType | undefined;
  /** The answer as CSV, piece by piece. Rejects with Problem. */
  readonly csv?: ((request: RouteRequest) => Promise<AsyncIterable<string>>) | undefined;
}

/** Makes a route with the usual values for what is left out. The handler gets query and body as their schemas parse them. */
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
    request: RouteRequest<z.output<Query>, z.output<Body>>,
  ): z.output<Answer> | Promise<z.output<Answer> | Buffer | Chunks | JsonPieces | Page> | JsonPieces;
  isFinal?: (answer: z.output<Answer>) => boolean;
  type?: string;
  otherType?: OtherType;
  csv?: (request: RouteRequest<z.output<Query>, z.output<Body>>) => Promise<AsyncIterable<string>>;
}): Route {
  const { method = 'GET', access = 'usual', body = null, status = 200, isPage = false, csv } = definition;
  const parsed = (request: RouteRequest) => request as RouteRequest<z.output<Query>, z.output<Body>>;
  return {
    ...definition,
    method,
    access,
    isPage,
    body,
    status,
    handle: (request) => definition.handle(parsed(request)),
    csv: csv && ((request) => csv(parsed(request))),
  };
}
