import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AdmitSocket } from '../live-stream.ts';
import { assertMeantForThisMachine, assertNotForeign } from './own-host.ts';
import { Problem } from '../problem.ts';
import type { TokenCheck } from './token.ts';

/** Requests a minute from one address, or one /64 of IPv6. Scripts on this machine may ask 500 times a second. */
const MOST_REQUESTS = { thisMachine: 30_000, elsewhere: 600 } as const;
/** Rate limit keys of loopback; ::1/64 is one key. */
const THIS_MACHINE = /^(?:127\.|::1?$)/;

/** The page runs and loads only what comes from here, and nobody may frame it (CSP level 3). */
const CONTENT_SECURITY_POLICY = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'connect-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'base-uri': ["'none'"],
  'frame-ancestors': ["'none'"],
  'form-action': ["'none'"],
};

export interface GuardOptions {
  /** Without a token, everybody who can connect may read, but only under this machine's own names. */
  readonly token: TokenCheck;
  /** Whether a path (in fastify's form) needs no token. */
  readonly isOpen: (path: string | undefined) => boolean;
  /** Whether a path is part of the page, so that links from elsewhere may lead to it. */
  readonly isPage: (path: string | undefined) => boolean;
}

/** Runs before everything else: security headers, rate limit, and authorisation. Returns the same check for web sockets. */
export function guard(app: FastifyInstance, { token, isOpen, isPage }: GuardOptions): AdmitSocket {
  const assertHost = (host: string | undefined): void => {
    if (!token.isSet) assertMeantForThisMachine(host);
  };
  let limiter: ReturnType<FastifyInstance['createRateLimit']> | undefined;

  /** Checked before the token, so that tokens cannot be guessed at speed. */
  async function assertNotTooOften(request: FastifyRequest): Promise<number | null> {
    limiter ??= app.createRateLimit();
    const state = await limiter(request);
    return !state.isAllowed && state.isExceeded ? state.ttlInSeconds : null;
  }
  const tooOften = (waitS: number): Problem =>
    new Problem(
      'MES_ERR_TOO_MANY_REQUESTS',
      `too many requests from your address; ask again in ${waitS} s, and then more slowly`,
    );

  app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: CONTENT_SECURITY_POLICY },
    xFrameOptions: { action: 'deny' },
    // Not allowed over plain HTTP (RFC 6797 §7.2). A TLS proxy in front may set it.
    strictTransportSecurity: false,
  });
  app.register(rateLimit, {
    global: false,
    timeWindow: 60_000,
    max: (_request, key) => (THIS_MACHINE.test(key) ? MOST_REQUESTS.thisMachine : MOST_REQUESTS.elsewhere),
  });
  app.after(() => {
    app.addHook('onRequest', async (request, reply) => {
      reply.header('cache-control', 'no-store');
      // It left while its request waited: nobody reads an answer, and there is no address to count the request for.
      if (request.raw.socket.remoteAddress === undefined)
        throw new Problem('MES_ERR_REQUEST_UNREADABLE', 'the client has gone');
      assertHost(request.headers.host);
      const { url } = request.routeOptions;
      // A page of another site cannot send a token. Whether this one is right is checked below.
      if (!token.isSet || request.headers.authorization === undefined || isOpen(url))
        assertNotForeign(request.headers, isPage(url));
      const waitS = await assertNotTooOften(request);
      if (waitS !== null) {
        reply.header('retry-after', waitS);
        throw tooOften(waitS);
      }
      if (!isOpen(url)) token.admit(request.headers);
    });
  });

  return async (request) => {
    assertHost(request.headers.host);
    // The parts of a request that the rate limiter reads.
    const asked = { ip: request.socket.remoteAddress ?? '', routeOptions: {} } as FastifyRequest;
    const waitS = await assertNotTooOften(asked);
    if (waitS !== null) throw tooOften(waitS);
    token.admitSocket(request.headers);
  };
}
