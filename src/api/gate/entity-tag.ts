import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Whether If-None-Match has this tag, by weak comparison (RFC 9110 §13.1.2). */
function has(ifNoneMatch: string | undefined, tag: string): boolean {
  const opaque = (text: string): string => text.trim().replace(/^W\//, '');
  return ifNoneMatch?.split(',').some((given) => given.trim() === '*' || opaque(given) === opaque(tag)) === true;
}

/**
 * Answers with a weak ETag (the answer may be compressed or not), or with 304 when the client has it. Clients must ask each
 * time, since a call may be scored again.
 */
export function sendFinal(request: FastifyRequest, reply: FastifyReply, body: string): string | FastifyReply {
  const tag = `W/"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
  reply.header('etag', tag);
  if (!has(request.headers['if-none-match'], tag)) return body;
  return reply.code(304).removeHeader('content-type').send();
}
