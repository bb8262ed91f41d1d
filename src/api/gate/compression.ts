import { pipeline, Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createGzip, gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Chunks } from './chunks.ts';

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

const compressed = new WeakMap<Chunks, Promise<Chunks>>();

async function compressChunks({ chunks }: Chunks): Promise<Chunks> {
  const [first = Buffer.alloc(0)] = chunks;
  if (chunks.length < 2) return new Chunks([await compress(first, { level: LEVEL })]);
  const made: Buffer[] = [];
  const small = pipeline(Readable.from(chunks), createGzip({ level: LEVEL }), () => {});
  for await (const piece of small) made.push(piece as Buffer);
  return new Chunks(made);
}

/** The answer as this client takes it, with the headers that say so. What many get is compressed once, in Node's thread pool. */
export async function compressedFor(request: FastifyRequest, reply: FastifyReply, answer: Chunks): Promise<Chunks> {
  if (answer.bytes < SHORTEST_BYTES || !isCompressed(request, reply)) return answer;
  let made = compressed.get(answer);
  if (made === undefined) compressed.set(answer, (made = compressChunks(answer)));
  return made;
}

/** Says in the headers that an answer depends on the client, and whether it is compressed. */
function isCompressed(request: FastifyRequest, reply: FastifyReply): boolean {
  const vary = reply.getHeader('vary');
  if (!String(vary).includes('accept-encoding'))
    reply.header('vary', typeof vary === 'string' ? `${vary}, accept-encoding` : 'accept-encoding');
  if (!acceptsGzip(request.headers['accept-encoding'])) return false;
  reply.header('content-encoding', 'gzip');
  return true;
}

/** Compresses what has no length yet: pages and streams. */
export function compressOthers(app: FastifyInstance): void {
  app.addHook('onSend', async (request, reply, payload: unknown) => {
    if (reply.hasHeader('content-encoding') || reply.hasHeader('content-length') || reply.statusCode === 304)
      return payload;
    const isLong = typeof payload === 'string' && payload.length >= SHORTEST_BYTES;
    if (!isLong && !(payload instanceof Readable)) return payload;
    if (!isCompressed(request, reply)) return payload;
    if (payload instanceof Readable) return pipeline(payload, createGzip({ level: LEVEL }), () => {});
    return compress(payload, { level: LEVEL });
  });
}
