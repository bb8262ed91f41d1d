import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import createManager from 'asterisk-manager';
import { AmiRefusedError, loginRefused } from './ami-login.ts';
import type { AmiLinkTiming } from './ami-link.ts';
import { AmiLinkError, describeSocketError, where, type AmiConnection } from './ami-socket.ts';
import { openTlsBridge } from './tls-bridge.ts';
import { corkForTurn } from './turn-cork.ts';

/** Beginning of the ActionIDs of this connection. */
export const ACTION_ID = 'mes-a-';

/** Without the end of a message; the longest that Asterisk sends has about 25,000. */
const MOST_CHARACTERS = 1_000_000;

/** One connection of the package `asterisk-manager`, logged in. */
export interface ManagerClient {
  readonly client: createManager.Client;
  /** Resolves with a sentence when the connection has ended. */
  readonly ended: Promise<string>;
  /** Ends it; `problem` is what `ended` resolves with. */
  close(problem: string): void;
}

/**
 * Connects and logs in, with no events.
 * A new client for each connection: the package keeps held actions and half lines over from one to the next, has no
 * time-outs and reconnects noisily. Throws AmiLinkError, or AmiRefusedError when Asterisk does not accept us.
 */
export async function openManager(
  to: AmiConnection,
  timing: AmiLinkTiming,
  stopping: AbortSignal,
): Promise<ManagerClient> {
  const ending = new AbortController();
  const signal = AbortSignal.any([stopping, ending.signal]);
  const target = to.tls
    ? { host: '127.0.0.1', port: await openTlsBridge(to, timing.connectMs, signal) }
    : { host: to.host, port: to.port };
  const client = createManager(undefined, to.host, to.username, to.secret, false);
  tame(client);

  let problem = `${where(to)} closed the connection`;
  const close = (why: string): void => {
    if (ending.signal.aborted) return;
    problem = why;
    ending.abort();
  };
  const { promise: ended, resolve: resolveEnded } = Promise.withResolvers<string>();
  client.on('error', (error: unknown) => {
    // Our own abort comes as an error too, and an AMI event of that name would come as a plain object.
    if (error instanceof Error && !signal.aborted) problem = describeSocketError(error, to);
  });
  client.on('close', () => resolveEnded(problem));

  const { promise: ready, resolve: resolveReady, reject: rejectReady } = Promise.withResolvers<undefined>();
  const timer = setTimeout(
    () => close(`${where(to)} did not accept a login within ${timing.connectMs} ms; check host and port in [ami]`),
    timing.connectMs,
  );
  const socket = socketMadeBy(() => {
    client.connect({ ...target, signal }, undefined, () => {
      client.login((error) => {
        if (error === undefined) resolveReady(undefined);
        else rejectReady(new AmiRefusedError(loginRefused(to, textOf(error['message']))));
      });
    });
  });
  if (socket !== undefined) watchLength(socket, () => close(`${where(to)} sent a message without an end`));
  try {
    await Promise.race([ready, ended.then((why) => Promise.reject(new AmiLinkError(why)))]);
    if (socket !== undefined) gatherWrites(client, socket);
    return { client, ended, close };
  } catch (error) {
    close('the login failed');
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** The package keeps its socket to itself; Node tells of each that is made. Undefined should it not (the channel is not promised for ever). */
function socketMadeBy(connect: () => void): Socket | undefined {
  const made: Socket[] = [];
  const note = (message: unknown): void => {
    if (typeof message !== 'object' || message === null || !('socket' in message)) return;
    if (message.socket instanceof Socket) made.push(message.socket);
  };
  subscribe('net.client.socket', note);
  try {
    connect();
  } finally {
    unsubscribe('net.client.socket', note);
  }
  return made[0];
}

/** The package would gather without bound what has no end. */
function watchLength(socket: Socket, onTooLong: () => void): void {
  let characters = 0;
  socket.on('data', (piece: Buffer | string) => {
    characters = piece.includes('\r\n\r\n') ? 0 : characters + piece.length;
    if (characters > MOST_CHARACTERS) onTooLong();
  });
}

/** The package writes each action by itself: those of one turn are to share one system call. */
function gatherWrites(client: createManager.Client, socket: Socket): void {
  const send = client.action.bind(client);
  client.action = (action, callback) => {
    corkForTurn(socket);
    return send(action, callback);
  };
}

/**
 * The package asks for `Event: off`, which Asterisk does not know (every event would come), and it emits an answer
 * under whatever ActionID the server sends: `rawevent` would make it go round for ever, `close` would look like one.
 * So we put the right header in, and hand answers on ourselves, to our own ActionIDs only.
 */
function tame(client: createManager.Client): void {
  const send = client.action.bind(client);
  client.action = (action, callback) =>
    send(action['action'] === 'login' ? { ...action, events: 'off', actionid: `${ACTION_ID}login` } : action, callback);
  client.removeAllListeners('rawevent');
  client.on('rawevent', (message: createManager.Answer) => {
    const { response, actionid } = message;
    if (typeof response !== 'string' || typeof actionid !== 'string' || !actionid.startsWith(ACTION_ID)) return;
    client.emit(actionid, response.toLowerCase() === 'error' ? message : undefined, message);
  });
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
