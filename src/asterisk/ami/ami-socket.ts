import { connect as connectPlain, isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { tlsProblem } from './tls-problem.ts';

/** The address of AMI, and our user. */
export interface AmiConnection {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly secret: string;
  /** TLS with the certificate checked against the system's authorities and `NODE_EXTRA_CA_CERTS`. */
  readonly tls: boolean;
}

/** Thrown when a connection cannot be opened or was lost. The message is one sentence for people. */
export class AmiLinkError extends Error {
  override readonly name: string = 'AmiLinkError';
}

/**
 * Opens a TCP or TLS connection. The caller owns the socket and its `error` event. With `onread`, bytes go there and no `data`
 * event comes.
 * Throws AmiLinkError when it is not open within `timeoutMs` or `signal` aborts.
 */
export async function openAmiSocket(
  to: AmiConnection,
  timeoutMs: number,
  signal: AbortSignal,
  onread?: OnReadOpts,
): Promise<Socket> {
  const { host, port } = to;
  const options = { host, port, ...(onread === undefined ? {} : { onread }) };
  const socket = to.tls
    ? connectTls({ ...options, ...(isIP(host) === 0 ? { servername: host } : {}) })
    : connectPlain(options);
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const onAbort = (): void => reject(new AmiLinkError('the connection was closed by the sidecar'));
  const timer = setTimeout(() => {
    reject(new AmiLinkError(`${where(to)} did not answer within ${timeoutMs} ms; check host and port in [ami]`));
  }, timeoutMs);
  const onError = (error: Error): void => reject(new AmiLinkError(describeSocketError(error, to)));
  socket.once(to.tls ? 'secureConnect' : 'connect', () => resolve(undefined));
  socket.once('error', onError);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    await promise;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 10_000);
    socket.off('error', onError);
    return socket;
  } catch (error) {
    // A socket may still report an error while it is destroyed; nobody needs it.
    socket.on('error', () => {});
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/** One sentence: what went wrong with the socket, and what to look at. */
export function describeSocketError(error: Error, to: AmiConnection): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  switch (code) {
    case 'ECONNREFUSED':
      return `Nothing listens on ${to.host}:${to.port}; start Asterisk, or check host and port in [ami] and enabled = yes in manager.conf`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The host name ${to.host} cannot be resolved; check host in [ami]`;
    case 'ECONNRESET':
    case 'EPIPE':
      return `${where(to)} closed the connection`;
    default:
      return (
        tlsProblem(code, where(to), 'host in [ami]') ??
        `The connection to ${where(to)} failed (${code === '' ? error.message : code}); check host, port and tls in [ami]`
      );
  }
}

/** `Asterisk's manager at 127.0.0.1:5038` */
export function where(to: AmiConnection): string {
  return `Asterisk's manager at ${to.host}:${to.port}`;
}
