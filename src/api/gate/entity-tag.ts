import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Chunks } from './chunks.ts';

/** Whether If-None-Match has this tag, by weak comparison (RFC 9110 §13.1.2). */
function has(ifNoneMatch: string | undefined, tag: string): boolean {
  const opaque = (text: string): string => text.trim().replace(/^W\//, '');
  return ifNoneMatch?.split(',').some((given) => given.trim() === '*' || opaque(given) === opaque(tag)) === true;
}

/**
 * Gives an answer a weak ETag, since it may be compressed or not. True: the client has this answer already. Clients must ask
 * each time, because a call may be scored again.
 */
export function isKnown(request: FastifyRequest, reply: FastifyReply, { chunks }: Chunks): boolean {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  const tag = `W/"${hash.digest('base64url').slice(0, 27)}"`;
  reply.header('etag', tag);
  return has(request.headers['if-none-match'], tag);
}
