import { pipeline, Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createGzip, gzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';

/** Shorter answers fit into a packet or two uncompressed. */
const SHORTEST_BYTES = 1024;
/** JSON shrinks to a twentieth. Higher levels take several times as long and gain little. */
const LEVEL = 3;

const compress = promisify(gzip);

/** RFC 9110 §12.5.3, as far as browsers use it: `gzip` without `q=0`. */
export function acceptsGzip(header: string | string[] | undefined): boolean {
  return String(header ?? '')
    .split(',')
    .some((coding) => /^\s*(x-)?gzip\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/i.test(coding));
}

/** Compresses answers for clients that accept it, in Node's thread pool. An answer that many get is compressed once. */
export function compressAnswers(app: FastifyInstance): void {
  const compressed = new WeakMap<Buffer, Promise<Buffer>>();

  function compressOnce(payload: Buffer): Promise<Buffer> {
    let made = compressed.get(payload);
    if (made === undefined) compressed.set(payload, (made = compress(payload, { level: LEVEL })));
    return made;
  }

  app.addHook('onSend', async (request, reply, payload: unknown) => {
    if (reply.hasHeader('content-encoding') || reply.statusCode === 304) return payload;
    const isLong = (typeof payload === 'string' || Buffer.isBuffer(payload)) && payload.length >= SHORTEST_BYTES;
    if (!isLong && !(payload instanceof Readable)) return payload;
    const vary = reply.getHeader('vary');
    if (!String(vary).includes('accept-encoding'))
      reply.header('vary', typeof vary === 'string' ? `${vary}, accept-encoding` : 'accept-encoding');
    if (!acceptsGzip(request.headers['accept-encoding'])) return payload;
    reply.header('content-encoding', 'gzip').removeHeader('content-length');
    if (payload instanceof Readable) return pipeline(payload, createGzip({ level: LEVEL }), () => {});
    return Buffer.isBuffer(payload) ? compressOnce(payload) : compress(payload, { level: LEVEL });
  });
}
