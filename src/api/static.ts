import type { FastifyInstance } from 'fastify';
import { acceptsGzip } from './gate/compression.ts';

/** A file that browsers get; made by whoever starts the API. */
export interface StaticFile {
  readonly path: string;
  readonly type: string;
  readonly body: Buffer;
  readonly gzip: Buffer;
  /** With its quotes. */
  readonly etag: string;
  readonly isImmutable: boolean;
}

const FOR_EVER = 'public, max-age=31536000, immutable';
/** Kept, but asked for again each time. */
const REVALIDATE = 'no-cache';

/** Serves files with GET, compressed where the client takes it, and answers 304 when it has the file already. */
export function serveFiles(app: FastifyInstance, files: readonly StaticFile[]): void {
  for (const file of files) {
    app.get(file.path, async (request, reply) => {
      reply
        .header('cache-control', file.isImmutable ? FOR_EVER : REVALIDATE)
        .header('etag', file.etag)
        .header('vary', 'accept-encoding')
        .type(file.type);
      if (request.headers['if-none-match'] === file.etag) return reply.code(304).send();
      if (!acceptsGzip(request.headers['accept-encoding'])) return reply.send(file.body);
      return reply.header('content-encoding', 'gzip').send(file.gzip);
    });
  }
}
