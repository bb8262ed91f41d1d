import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import createManager from 'asterisk-manager';
import { AmiRefusedError, loginRefused } from './ami-login.ts';
import type { AmiLinkTiming } from './ami-link.ts';
import { AnswerLines } from './answer-lines.ts';
import { AmiLinkError, describeSocketError, where, type AmiConnection } from './ami-socket.ts';
import { type ReadPace, PacedReads } from './paced-reads.ts';
import { openTlsBridge } from './tls-bridge.ts';
import { TurnWriter } from './turn-writer.ts';

/** The prefix of this connection's ActionIDs. */
export const ACTION_ID = 'mes-a-';
const LOGIN_ID = `${ACTION_ID}login`;

const SUCCESS: createManager.Answer = { response: 'Success' };

/** Nobody waits for most answers: they are read together, every fourth turn. */
const ANSWER_TURNS = 4;

/** Bound on the characters of a message; Asterisk's longest has about 25,000. */
const MOST_CHARACTERS = 1_000_000;

/** One connection of the package `asterisk-manager`, logged in. */
export interface ManagerClient {
  /** Sends whole actions as text, with our ActionIDs. Actions of one turn of the event loop go out together. */
  send(text: string): void;
  /** Answers are read as they come until the returned function is called. */
  hurry(): () => void;
  /** Resolves with a sentence when the connection has ended. */
  readonly ended: Promise<string>;
  /** Ends it; `problem` is what `ended` resolves with. */
  close(problem: string): void;
}

export interface ManagerClientOptions {
  readonly timing: AmiLinkTiming;
  /** Answers are read at this pace, together with other sockets of it. */
  readonly pace: ReadPace;
  /** An answer with an ActionID of ours. */
  readonly onAnswer: (actionId: string, answer: createManager.Answer) => void;
  readonly stopping: AbortSignal;
}

/**
 * Connects and logs in, with no events.
 * Each connection has a new client: the package would carry held actions and half lines over to the next one, has no time-outs
 * and reconnects noisily. Throws AmiLinkError, or AmiRefusedError when Asterisk refuses.
 */
export async function openManager(to: AmiConnection, options: ManagerClientOptions): Promise<ManagerClient> {
  const { timing, pace, onAnswer, stopping } = options;
  const ending = new AbortController();
  const signal = AbortSignal.any([stopping, ending.signal]);
  const target = to.tls
    ? { host: '127.0.0.1', port: await openTlsBridge(to, timing.connectMs, signal) }
    : { host: to.host, port: to.port };
  const client = createManager(undefined, to.host, to.username, to.secret, false);
  tame(client, onAnswer);

  let problem = `${where(to)} closed the connection`;
  const close = (why: string): void => {
    if (ending.signal.aborted) return;
    problem = why;
    ending.abort();
  };
  const reads = new PacedReads(pace, ANSWER_TURNS);
  reads.hurry();
  const { promise: ended, resolve: resolveEnded } = Promise.withResolvers<string>();
  client.on('error', (error: unknown) => {
    // Our own abort is an error, too; an AMI event of that name would be a plain object.
    if (error instanceof Error && !signal.aborted) problem = describeSocketError(error, to);
  });
  client.on('close', () => {
    reads.stop();
    resolveEnded(problem);
  });

  const { promise: ready, resolve: resolveReady, reject: rejectReady } = Promise.withResolvers<undefined>();
  const timer = setTimeout(
    () => close(`${where(to)} did not accept a login within ${timing.connectMs} ms; check host and port in [ami]`),
    timing.connectMs,
  );
  try {
    const socket = socketMadeBy(() => {
      client.connect({ ...target, signal, onread: reads.onread }, undefined, () => {
        client.login((error) => {
          if (error === undefined) resolveReady(undefined);
          else rejectReady(new AmiRefusedError(loginRefused(to, textOf(error['message']))));
        });
      });
    });
    const onSet = (actionId: string): void => {
      if (actionId.startsWith(ACTION_ID)) onAnswer(actionId, SUCCESS);
    };
    readAnswers(socket, reads, onSet, () => close(`${where(to)} sent a message without an end`));
    await Promise.race([ready, ended.then((why) => Promise.reject(new AmiLinkError(why)))]);
    reads.relax();
    const writer = new TurnWriter(socket);
    const hurry = (): (() => void) => {
      reads.hurry();
      return () => reads.relax();
    };
    return { send: (text) => writer.write(text), hurry, ended, close };
  } catch (error) {
    close('the login failed');
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Finds the package's private socket: Node publishes each new socket. Throws AmiLinkError when it does not. */
function socketMadeBy(connect: () => void): Socket {
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
  const [socket] = made;
  if (socket === undefined)
    throw new AmiLinkError(`Node.js ${process.version} does not tell of sockets; use version 24`);
  return socket;
}

/**
 * Passes what is read to the package, as its socket would: only lines that it can take, and in bounded memory, since the
 * package keeps a message without an end for ever.
 */
function readAnswers(
  socket: Socket,
  reads: PacedReads,
  onSet: (actionId: string) => void,
  onTooLong: () => void,
): void {
  const decoder = new StringDecoder('utf8');
  const lines = new AnswerLines(onSet);
  let characters = 0;
  reads.begin(socket, (bytes) => {
    const text = decoder.write(bytes);
    characters = text.includes('\r\n\r\n') ? 0 : characters + text.length;
    if (characters > MOST_CHARACTERS) onTooLong();
    else {
      const harmless = lines.take(text);
      if (harmless !== '') socket.emit('data', harmless);
    }
  });
}

/**
 * The package sends `Event: off`, which Asterisk does not know, so that every event would come. It also emits each answer under
 * the ActionID that the server sends: `rawevent` would loop for ever, `close` would look like a close. So we send the right header
 * and pass on answers ourselves, only those with our ActionIDs.
 */
function tame(client: createManager.Client, onAnswer: ManagerClientOptions['onAnswer']): void {
  const send = client.action.bind(client);
  client.action = (action, callback) => send({ ...action, events: 'off', actionid: LOGIN_ID }, callback);
  client.removeAllListeners('rawevent');
  client.on('rawevent', (message: createManager.Answer) => {
    const { response, actionid } = message;
    if (typeof response !== 'string' || typeof actionid !== 'string' || !actionid.startsWith(ACTION_ID)) return;
    if (actionid !== LOGIN_ID) onAnswer(actionid, message);
    else client.emit(LOGIN_ID, response.toLowerCase() === 'error' ? message : undefined);
  });
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
