import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AdmitSocket } from '../live-stream.ts';
import { assertMeantForThisMachine, assertNotForeign } from './own-host.ts';
import { Problem } from '../problem.ts';
import type { TokenCheck } from './token.ts';

/** Requests a minute from one address (of IPv6 one /64). On this machine scripts may ask 500 times a second. */
const MOST_REQUESTS = { thisMachine: 30_000, elsewhere: 600 } as const;
/** The names under which loopback counts; all of ::1/64 is one. */
const THIS_MACHINE = /^(?:127\.|::1?$)/;

/** A page may run and load what comes from here and nothing else, and no other page may frame it (CSP level 3). */
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
  /** Where none is set everyone who can connect may read, but only by this machine's own names. */
  readonly token: TokenCheck;
  /** Whether the address (as fastify writes it) is answered without the token. */
  readonly isOpen: (path: string | undefined) => boolean;
  /** Whether it is part of the page, to which links may lead. */
  readonly isPage: (path: string | undefined) => boolean;
}

/**
 * Before anything else looks at a request: security headers, a limit to how often one may ask, and who may ask.
 * Returns the same for web sockets.
 */
export function guard(app: FastifyInstance, { token, isOpen, isPage }: GuardOptions): AdmitSocket {
  const assertHost = (host: string | undefined): void => {
    if (!token.isSet) assertMeantForThisMachine(host);
  };
  let limiter: ReturnType<FastifyInstance['createRateLimit']> | undefined;

  /** Before the token is looked at, so that it cannot be guessed at speed. */
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
    // RFC 6797 §7.2: not over plain HTTP. Whoever puts TLS in front decides about it.
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
      assertHost(request.headers.host);
      const { url } = request.routeOptions;
      // Who has the token is no stranger's page; whether it is right is looked at below.
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
    // All that the limiter looks at.
    const asked = { ip: request.socket.remoteAddress ?? '', routeOptions: {} } as FastifyRequest;
    const waitS = await assertNotTooOften(asked);
    if (waitS !== null) throw tooOften(waitS);
    token.admitSocket(request.headers);
  };
}
