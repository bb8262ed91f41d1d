import { createServer } from 'node:net';
import type { HostAndPort } from '../../config/value-types.ts';

/**
 * Whether the sidecar could listen there. An address that this machine does not have counts as free, because another machine may
 * be meant.
 */
export async function isPortFree({ host, port }: HostAndPort): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE'));
  server.listen({ host, port, exclusive: true }, () => resolve(true));
  const isFree = await promise;
  server.close();
  return isFree;
}
