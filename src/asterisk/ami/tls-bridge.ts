import { createServer, type AddressInfo, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { AmiLinkError, openAmiSocket, type AmiConnection } from './ami-socket.ts';

/**
 * Opens a TLS connection to Asterisk and offers it as a plain port on loopback, to one client, once:
 * the package `asterisk-manager` speaks plain TCP only.
 * Another local program that connects first gets a connection on which nobody has logged in.
 * Throws AmiLinkError when TLS cannot be set up. `signal` closes both sides.
 */
export async function openTlsBridge(to: AmiConnection, timeoutMs: number, signal: AbortSignal): Promise<number> {
  const outer = await openAmiSocket(to, timeoutMs, signal);
  const server = createServer({ allowHalfOpen: false }, (inner: Socket) => {
    server.close();
    // An error at either end closes both: a closed connection is all that the client needs to know.
    pipeline(outer, inner, outer, () => {
      outer.destroy();
      inner.destroy();
    });
  });
  const close = (): void => {
    server.close();
    outer.destroy();
  };
  outer.on('error', close);
  outer.on('close', () => server.close());
  signal.addEventListener('abort', close, { once: true });
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  server.once('error', reject);
  server.listen(0, '127.0.0.1', () => resolve(undefined));
  try {
    await promise;
  } catch (error) {
    close();
    throw new AmiLinkError(`No local port for the TLS connection could be opened (${String(error)})`);
  }
  if (signal.aborted) close();
  return (server.address() as AddressInfo | null)?.port ?? 0;
}
