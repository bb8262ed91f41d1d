import { createHmac, createPublicKey, randomBytes, sign } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import { fastify, type FastifyInstance } from 'fastify';
import { Counter, Registry } from 'prom-client';
import { MOST_FILE_BYTES, recipientsOf, splitSegments } from '../format/segments.ts';
import { DELETION_TOKEN } from '../installation.ts';
import type { PutContent, Store } from './store.ts';
import { errorText } from '../../units/error-text.ts';

const REQUEST_TIMEOUT_MS = 20_000;
const MOST_CONNECTIONS = 2000;
/** Retry-After when the store fails. */
const RETRY_AFTER_S = 300;
/** Groups of an IPv6 address that are counted as one sender: a customer has a whole /64. */
const IPV6_GROUPS = 4;
const SHA256 = /^[0-9a-f]{64}$/;

export interface CollectorOptions {
  readonly store: Store;
  /** Number of recipients that each file must have. */
  readonly recipients: number;
  readonly perMinute: number;
  /** True: senders put files straight into the store, by an address that is signed for each. */
  readonly isPresigning?: boolean;
  /** The JSON text of the questions, and the Ed25519 key (PEM) that signs it; null: none are published. */
  readonly questions: { readonly text: string; readonly signingKey: string } | null;
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** Called with one sentence when the store fails. */
  readonly onProblem: (sentence: string) => void;
}

/**
 * Builds the collection server. It takes encrypted files, checks size and form, and stores them under a date and a random name.
 * It keeps no address and no log of requests.
 */
export function buildCollector(options: CollectorOptions): FastifyInstance {
  const { store, recipients, perMinute, isPresigning = false, questions, tls, onProblem } = options;
  const registry = new Registry();
  const files = new Counter({
    name: 'asterisk_mes_collector_files_total',
    help: 'Files that came, by what became of them.',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const deletions = new Counter({
    name: 'asterisk_mes_collector_deletions_total',
    help: 'Deletion requests that came.',
    registers: [registry],
  });
  let problem: string | null = null;
  const served = {
    logger: false,
    bodyLimit: MOST_FILE_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: REQUEST_TIMEOUT_MS,
    exposeHeadRoutes: false,
  } as const;
  const app = (tls === null ? fastify(served) : fastify({ ...served, https: tls })) as unknown as FastifyInstance;
  app.server.maxConnections = MOST_CONNECTIONS;

  // Count addresses under a keyed hash. The key is random and lives as long as the process.
  const key = randomBytes(16);
  app.register(rateLimit, {
    max: perMinute,
    timeWindow: 60_000,
    cache: 20_000,
    keyGenerator: ({ ip }) => createHmac('sha256', key).update(networkOf(ip)).digest('base64'),
    onExceeded: () => files.inc({ outcome: 'too_often' }),
    allowList: ({ url }) => url === '/healthz' || url === '/metrics',
  });
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
  app.setErrorHandler(async (error: { readonly statusCode?: number }, _, reply) => {
    const status = error.statusCode ?? 500;
    if (status === 413) files.inc({ outcome: 'too_large' });
    return reply.code(status).send({ status });
  });

  async function keep(name: string, bytes: Uint8Array): Promise<boolean> {
    try {
      await store.put(name, bytes);
      problem = null;
      return true;
    } catch (error) {
      const sentence = `cannot store: ${errorText(error)}`;
      if (problem !== sentence) onProblem(sentence);
      problem = sentence;
      return false;
    }
  }

  // Add routes only after the rate limit.
  app.after(() => {
    app.post('/v1/measurements', async ({ body }, reply) => {
      if (!Buffer.isBuffer(body) || !isWellFormed(body, recipients)) {
        files.inc({ outcome: 'malformed' });
        return reply.code(400).send({ status: 400, detail: `not an age file for ${recipients} X25519 recipients` });
      }
      const isKept = await keep(nameOf('age'), body);
      files.inc({ outcome: isKept ? 'stored' : 'failed' });
      if (!isKept) return reply.code(503).header('retry-after', RETRY_AFTER_S).send({ status: 503 });
      return reply.code(204).send();
    });
    app.post('/v1/uploads', async ({ body }, reply) => {
      const content = contentOf(body);
      if (!isPresigning || store.presignedPut === undefined) return reply.code(404).send({ status: 404 });
      if (content === null) return reply.code(400).send({ status: 400, detail: 'give bytes and sha256' });
      files.inc({ outcome: 'presigned' });
      return store.presignedPut(nameOf('age'), content);
    });
    app.post('/v1/deletions', async ({ body }, reply) => {
      const token = (body as { readonly token?: unknown } | null)?.token;
      if (typeof token !== 'string' || !DELETION_TOKEN.test(token)) return reply.code(400).send({ status: 400 });
      if (!(await keep(nameOf('token'), Buffer.from(token)))) {
        return reply.code(503).header('retry-after', RETRY_AFTER_S).send({ status: 503 });
      }
      deletions.inc();
      return reply.code(204).send();
    });
    app.get('/v1/questions', async (_, reply) => {
      if (questions === null) return reply.code(404).send({ status: 404 });
      const signature = sign(null, Buffer.from(questions.text), questions.signingKey).toString('base64');
      const publicKey = createPublicKey(questions.signingKey).export({ type: 'spki', format: 'der' });
      return { signed: questions.text, signature, key: publicKey.toString('base64') };
    });
    app.get('/healthz', async (_, reply) => reply.code(problem === null ? 200 : 503).send({ status: problem ?? 'ok' }));
    app.get('/metrics', async (_, reply) => reply.type(registry.contentType).send(await registry.metrics()));
  });
  return app;
}

/** The key of a new file: a date and a random name. */
function nameOf(extension: 'age' | 'token'): string {
  return `${new Date().toISOString().slice(0, 10)}/${randomBytes(16).toString('hex')}.${extension}`;
}

/** Size and hash that a sender asks to put; null: they are not allowed. */
function contentOf(body: unknown): PutContent | null {
  const { bytes, sha256 } = (body ?? {}) as { readonly bytes?: unknown; readonly sha256?: unknown };
  const isSize = typeof bytes === 'number' && Number.isInteger(bytes) && bytes > 0 && bytes <= MOST_FILE_BYTES;
  return isSize && typeof sha256 === 'string' && SHA256.test(sha256) ? { bytes, sha256 } : null;
}

/** Whether a body is whole age files only, each for exactly `recipients` recipients. */
export function isWellFormed(body: Uint8Array, recipients: number): boolean {
  const { segments, tornBytes } = splitSegments(body);
  return segments.length > 0 && tornBytes === 0 && segments.every((segment) => recipientsOf(segment) === recipients);
}

function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address.replace(/^::ffff:/i, '');
  const [head = ''] = address.split('::', 1);
  return head.split(':').slice(0, IPV6_GROUPS).join(':');
}
