import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Whether a client has this already, by its If-None-Match; compared weakly (RFC 9110 §13.1.2). */
function has(ifNoneMatch: string | undefined, tag: string): boolean {
  const opaque = (text: string): string => text.trim().replace(/^W\//, '');
  return ifNoneMatch?.split(',').some((given) => given.trim() === '*' || opaque(given) === opaque(tag)) === true;
}

/**
 * Answers with an ETag, or 304 where the client has the same. It is weak: the same answer may be compressed or not. A program is
 * to ask each time, since a call is sometimes scored anew.
 */
export function sendFinal(request: FastifyRequest, reply: FastifyReply, body: string): string | FastifyReply {
  const tag = `W/"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
  reply.header('etag', tag);
  if (!has(request.headers['if-none-match'], tag)) return body;
  return reply.code(304).removeHeader('content-type').send();
}
