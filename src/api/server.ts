import type { RequestListener, Server } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { fastify, LogController, type FastifyBaseLogger, type FastifyInstance, type FastifyReply } from 'fastify';
import { CSV_TYPE, prefersCsv } from './answers/csv.ts';
import { attachment } from './answers/attachment.ts';
import { storedEndpoint } from './answers/call-list.ts';
import { AnswerBytes, type HeldAnswer } from './gate/answer-bytes.ts';
import { Chunks, chunksOf, JsonPieces, jsonPieces } from './gate/chunks.ts';
import { compressedFor, compressOthers } from './gate/compression.ts';
import { guard } from './gate/guard.ts';
import { Page } from './page.ts';
import { checkBody, checkQuery } from './gate/check.ts';
import { LIVE_STREAM_PATH, type LiveStream } from './live-stream.ts';
import { CHALLENGE, endThenDestroy, Problem, PROBLEM_TYPE, rawAnswer } from './problem.ts';
import { RequestGate } from './gate/request-gate.ts';
import type { Route, RouteRequest } from './route.ts';
import { routes, type ApiSources } from './routes.ts';
import { isKnown } from './gate/entity-tag.ts';
import { serveFiles, type StaticFile } from './static.ts';
import { withEncodedSlashes } from './gate/slashes.ts';
import { TokenCheck } from './gate/token.ts';
import { WorkLimit } from './gate/work-limit.ts';

// An `import` would load Node's HTTP client as well: 10 MB that nothing here needs.
const { createServer } = process.getBuiltinModule('node:http');

/** Header and address of a request together, bytes. */
const LARGEST_HEADER_BYTES = 8192;
/** Bound on a request's body: a comment, some answers. */
const LARGEST_BODY_BYTES = 16_384;
const MOST_CONNECTIONS = 512;
/** Time for a client to send its request, and the next one on the same connection. */
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 15_000;
/** How often Node looks for clients that were too slow. */
const TIMEOUT_CHECK_MS = 2000;
/** Time for sending answers when the sidecar stops. */
const LAST_ANSWERS_MS = 500;
/** Asterisk's ids have at most 150 characters; a link to rate a call has two of them. */
const LONGEST_ID = 400;

/** What a table takes while it is sent: some calls, their lines, and zlib's own memory. */
const CSV_BYTES = 1_048_576;

const HTML_TYPE = 'text/html; charset=utf-8';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

export interface ServerOptions {
  /** The token that clients send as `Authorization: Bearer …`; null or absent: everybody on this machine may read. */
  readonly token?: string | null | undefined;
  /** The check of a token that may change while the server runs; it replaces `token`. */
  readonly tokenCheck?: TokenCheck | undefined;
  readonly logger?: FastifyBaseLogger | undefined;
  /** The live feed; the caller notes changes in it. */
  readonly liveStream?: LiveStream | undefined;
  /** Files for browsers. They have nothing of any call, so they need no token. */
  readonly files?: readonly StaticFile[] | undefined;
  /** For tests: another span than the 10 s after which an answer that is not read is dropped. */
  readonly unreadMs?: number | undefined;
  readonly storedEndpoint?: ApiSources['storedEndpoint'];
  /** Counts the bytes of answers under way; absent: nobody else looks at them. */
  readonly answers?: AnswerBytes | undefined;
}

export interface ApiOptions extends ApiSources, ServerOptions {}

async function sendProblem(reply: FastifyReply, problem: Problem): Promise<void> {
  if (problem.status === 401) reply.header('www-authenticate', CHALLENGE);
  if (problem.status === 426) reply.header('upgrade', 'websocket');
  if (problem.code === 'MES_ERR_TOO_MANY_ANSWERS') reply.header('retry-after', 1);
  await reply.code(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem));
}

/** The problem that a client sees for an error. It says nothing internal when the fault is ours. */
function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (status >= 400 && status < 500)
    return new Problem(
      'MES_ERR_REQUEST_UNREADABLE',
      'the request cannot be read; check its address and headers',
      undefined,
      status,
    );
  return new Problem('MES_ERR_SERVER', 'the server failed on this request; its log says why');
}

/** Answers a connection whose bytes are not HTTP, or come too slowly. */
function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const statuses: Record<string, number> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };
  const problem = new Problem(
    'MES_ERR_REQUEST_UNREADABLE',
    'the request is not whole HTTP, too large or too slow',
    undefined,
    statuses[error.code ?? ''],
  );
  endThenDestroy(socket, rawAnswer(problem));
}

function gatedServer(gate: RequestGate, handler: RequestListener, hasStream: boolean): Server {
  const settings = {
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: LARGEST_HEADER_BYTES,
    headersTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    // Other requests for an upgrade (curl offers h2c) get a plain answer.
    shouldUpgradeCallback: ({ url }: { readonly url?: string | undefined }) =>
      hasStream && url?.startsWith(LIVE_STREAM_PATH) === true,
  };
  const server = createServer(settings, gate.guard(handler));
  server.maxConnections = MOST_CONNECTIONS;
  gate.stand(server);
  return server;
}

/** What a route gave, as bytes. */
async function wholeAnswer(made: unknown, held: HeldAnswer): Promise<Chunks> {
  if (made instanceof Chunks) return made;
  if (typeof made === 'string') return new Chunks([Buffer.from(made)]);
  if (Buffer.isBuffer(made)) return new Chunks([made]);
  return chunksOf(made instanceof JsonPieces ? made.pieces : jsonPieces(made), held);
}

/** Every address that takes endpoints finds those whose numbers are hidden. */
function withStoredEndpoints<Query>(query: Query, options: ServerOptions): Query {
  if (typeof query !== 'object' || query === null || !('endpoint' in query)) return query;
  const { endpoint } = query;
  const stored = (name: unknown): unknown =>
    typeof name === 'string' ? storedEndpoint('endpoint', name, options) : name;
  return { ...query, endpoint: Array.isArray(endpoint) ? endpoint.map(stored) : stored(endpoint) };
}

/** The REST API as a fastify instance that does not listen yet. Errors are RFC 9457 problem documents. */
export function buildApi(options: ApiOptions): FastifyInstance {
  return serveRoutes(routes(options), options);
}

/** The same for any table of routes. */
export function serveRoutes(table: readonly Route[], options: ServerOptions): FastifyInstance {
  const answers = options.answers ?? new AnswerBytes();
  const gate = new RequestGate(answers, options.unreadMs);
  const app: FastifyInstance = fastify({
    ...(options.logger === undefined ? { logger: false } : { loggerInstance: options.logger }),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: LARGEST_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    serverFactory: (handler) => gatedServer(gate, handler, options.liveStream !== undefined),
    rewriteUrl: ({ url = '' }) => withEncodedSlashes(url),
    routerOptions: { maxParamLength: LONGEST_ID },
    frameworkErrors: (error, _request, reply) => void sendProblem(reply as unknown as FastifyReply, problemOf(error)),
    clientErrorHandler: refuseConnection,
  });
  const files = options.files ?? [];
  const open = new Set([...table.filter(({ access }) => access === 'open'), ...files].map(({ path }) => path));
  const pages = new Set([...table.filter(({ isPage }) => isPage), ...files].map(({ path }) => path));
  const token = options.tokenCheck ?? new TokenCheck(options.token);
  const admitSocket = guard(app, {
    token,
    isOpen: (path) => open.has(path ?? ''),
    isPage: (path) => pages.has(path ?? ''),
  });
  const work = new WorkLimit();

  app.setErrorHandler(async (error, request, reply) => {
    const problem = problemOf(error);
    if (problem.status === 500) request.log.error({ code: problem.code, err: error }, 'a request failed');
    await sendProblem(reply, problem);
  });
  app.setNotFoundHandler(async (_request, reply) => {
    await sendProblem(
      reply,
      new Problem('MES_ERR_NO_SUCH_ADDRESS', 'there is nothing at this address; the calls are at /v1/calls'),
    );
  });

  // Answers under way may still be sent. Slow clients and unfinished requests are cut off.
  app.addHook('preClose', async () => {
    gate.close();
    setTimeout(() => app.server.closeAllConnections(), LAST_ANSWERS_MS).unref();
  });
  const { liveStream } = options;
  if (liveStream !== undefined) {
    liveStream.attach(app.server, admitSocket);
    app.addHook('preClose', async () => liveStream.close());
  }
  serveFiles(app, files);
  // What a page's form sends without JavaScript; a name that comes twice counts as it comes first.
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    async (_: unknown, body: string) => Object.fromEntries([...new URLSearchParams(body)].toReversed()),
  );
  // Many clients name JSON as the type of a DELETE that has no body.
  const readJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body: string, done) => {
    if (body === '') done(null, undefined);
    else void readJson(request, body, done);
  });
  compressOthers(app);
  for (const route of table) {
    app.route({
      method: route.method,
      url: route.path,
      handler: async (request, reply) => {
        if (route.access === 'token') token.assertIsSet();
        const query = withStoredEndpoints(checkQuery(route.query, request.query), options);
        const body = route.body === null ? undefined : checkBody(route.body, request.body);
        const [id] = Object.values(request.params as Record<string, string>);
        const asked: RouteRequest = {
          query,
          id: id ?? '',
          body,
          reader: token.readerOf(request.headers),
          languages: request.headers['accept-language'],
        };
        reply.code(route.status).type(route.type ?? 'application/json; charset=utf-8');
        const { csv, otherType } = route;
        if (csv !== undefined || otherType !== undefined) reply.header('vary', 'accept');
        const held = gate.heldFor(request.raw);
        const answer = async (): Promise<unknown> => {
          const isOther = otherType?.isPreferredBy(request.headers.accept) === true;
          if (isOther) reply.type(otherType.type);
          if (csv !== undefined && prefersCsv(request.headers.accept)) {
            held.reserve(CSV_BYTES);
            const pieces = Readable.from(work.each(request.raw.socket, await csv(asked)));
            return reply.type(CSV_TYPE).header('content-disposition', attachment(route.path, id)).send(pieces);
          }
          const made: unknown = isOther ? await otherType.handle() : await route.handle(asked);
          if (made instanceof Page) {
            return reply
              .code(made.status)
              .type(HTML_TYPE)
              .headers({ ...made.headers })
              .send(made.html);
          }
          const whole = await wholeAnswer(made, held);
          if (route.isFinal?.(made as never) === true && isKnown(request, reply, whole))
            return reply.code(304).removeHeader('content-type').send();
          const sent = await compressedFor(request, reply, whole);
          held.release();
          for (const chunk of sent.chunks) held.add(chunk);
          return reply.header('content-length', sent.bytes).send(sent.payload);
        };
        // Routes that need no history must not wait behind those that do.
        return route.access === 'open' && id === undefined ? answer() : work.run(request.raw.socket, held, answer);
      },
    });
  }
  for (const [path, routesOfPath] of Map.groupBy(table, (route) => route.path)) {
    const allowed: readonly string[] = routesOfPath.map(({ method }) => method);
    const named = allowed.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    app.route({
      method: METHODS.filter((method) => !allowed.includes(method)),
      url: path,
      onRequest: async (_request, reply) => {
        reply.header('allow', named.join(', '));
        throw new Problem('MES_ERR_METHOD', `this address does not take this method; use ${allowed.join(' or ')}`);
      },
      handler: async () => undefined,
    });
  }
  return app;
}
