import type { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { AmiParser, encodeAmiAction, type AmiMessage, type AmiParserCounters } from '../../wire/ami/ami.ts';
import { RTCP_EVENT } from '../../wire/ami/ami-rtcp.ts';
import { AmiLinkError, describeSocketError, openAmiSocket, where, type AmiConnection } from './ami-socket.ts';
import { type ReadPace, PacedReads } from './paced-reads.ts';
import { TurnWriter } from './turn-writer.ts';

export interface AmiLinkTiming {
  readonly connectMs: number;
  /** Time for the answer to an action. */
  readonly actionMs: number;
  readonly pingEveryMs: number;
  /** The connection counts as dead after this time without a byte, noticed up to `pingEveryMs` later. */
  readonly silenceMs: number;
}

export const DEFAULT_AMI_TIMING: AmiLinkTiming = {
  connectMs: 5000,
  actionMs: 5000,
  pingEveryMs: 5000,
  silenceMs: 10_000,
};

interface Pending {
  readonly complete: (message: AmiMessage | AmiLinkError) => void;
}

export interface AmiLinkReader {
  /** Called for each read, before its events. */
  readonly onRead?: () => void;
  readonly onEvent: (message: AmiMessage) => void;
}

/** One open AMI connection. Answers go to their actions, events to the reader in order. */
export class AmiLink {
  /** Resolves with a sentence when the connection has ended. */
  readonly ended: Promise<string>;
  readonly #to: AmiConnection;
  readonly #timing: AmiLinkTiming;
  readonly #socket: Socket;
  readonly #writer: TurnWriter;
  readonly #reads: PacedReads;
  /** Malformed UTF-8 becomes U+FFFD and never stops the stream. ASCII text takes one byte per character. */
  readonly #decoder = new StringDecoder('utf8');
  readonly #parser = new AmiParser(RTCP_EVENT);
  readonly #pending = new Map<string, Pending>();
  readonly #reader: AmiLinkReader;
  readonly #resolveEnded: (problem: string) => void;
  readonly #pulse: NodeJS.Timeout;
  #open = true;
  #nextId = 1;
  #heardSomething = false;
  #silentMs = 0;

  /** Opens a connection. Sockets of the same `pace` are read together. Throws AmiLinkError with a sentence for people. */
  static async open(
    to: AmiConnection,
    timing: AmiLinkTiming,
    signal: AbortSignal,
    reader: AmiLinkReader,
    pace?: ReadPace,
  ): Promise<AmiLink> {
    const reads = new PacedReads(pace);
    const socket = await openAmiSocket(to, timing.connectMs, signal, reads.onread);
    return new AmiLink(to, timing, socket, reads, reader);
  }

  private constructor(
    to: AmiConnection,
    timing: AmiLinkTiming,
    socket: Socket,
    reads: PacedReads,
    reader: AmiLinkReader,
  ) {
    this.#to = to;
    this.#timing = timing;
    this.#socket = socket;
    this.#writer = new TurnWriter(socket);
    this.#reads = reads;
    this.#reader = reader;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.ended = promise;
    this.#resolveEnded = resolve;
    this.#pulse = setInterval(() => this.#ping(), timing.pingEveryMs);
    reads.begin(socket, (bytes) => this.#take(bytes));
    socket.on('error', (error) => this.close(describeSocketError(error, to)));
    socket.on('close', () => this.close(`${where(to)} closed the connection`));
  }

  get parserCounters(): Readonly<AmiParserCounters> {
    return this.#parser.counters;
  }

  /**
   * Sends an action and resolves with its answer, Success or Error.
   * Rejects with AmiLinkError when the connection ends first or `timeoutMs` pass, with AmiValueError on a line break in a value.
   */
  async request(
    action: string,
    fields: Iterable<readonly [string, string]> = [],
    timeoutMs = this.#timing.actionMs,
  ): Promise<AmiMessage> {
    const id = `mes-e-${this.#nextId++}`;
    const text = encodeAmiAction([['Action', action], ['ActionID', id], ...fields]);
    if (!this.#open) throw new AmiLinkError(`${where(this.#to)} is not connected`);
    const { promise, resolve, reject } = Promise.withResolvers<AmiMessage>();
    const timer = setTimeout(() => {
      this.#pending.delete(id);
      this.#reads.relax();
      reject(new AmiLinkError(`${where(this.#to)} did not answer ${action} within ${timeoutMs} ms`));
    }, timeoutMs);
    this.#reads.hurry();
    this.#pending.set(id, {
      complete: (message) => {
        this.#reads.relax();
        clearTimeout(timer);
        if (message instanceof AmiLinkError) reject(message);
        else resolve(message);
      },
    });
    this.#writer.write(text);
    return promise;
  }

  /**
   * Sends an action without waiting for its answer. Its events come like all others.
   * Throws AmiValueError on a line break in a value.
   */
  tell(action: string, fields: Iterable<readonly [string, string]> = []): void {
    const text = encodeAmiAction([['Action', action], ...fields]);
    if (this.#open) this.#writer.write(text);
  }

  /** Ends the connection; `ended` resolves with `problem`. A second call does nothing. */
  close(problem: string): void {
    if (!this.#open) return;
    this.#open = false;
    clearInterval(this.#pulse);
    this.#reads.stop();
    this.#socket.destroy();
    for (const { complete } of this.#pending.values()) complete(new AmiLinkError(problem));
    this.#pending.clear();
    this.#resolveEnded(problem);
  }

  #take(bytes: Uint8Array): void {
    this.#heardSomething = true;
    this.#reader.onRead?.();
    this.#parser.push(this.#decoder.write(bytes), (message) => this.#handOn(message));
  }

  #handOn(message: AmiMessage): void {
    // A handler may have closed the connection: drop what follows.
    if (!this.#open) return;
    // `Response` does not tell an answer: the event OriginateResponse has that header, too.
    if (message.event === undefined) this.#answer(message);
    else this.#reader.onEvent(message);
  }

  #answer(message: AmiMessage): void {
    const id = message.get('ActionID');
    const pending = id === undefined ? undefined : this.#pending.get(id);
    if (id === undefined || pending === undefined) return;
    this.#pending.delete(id);
    pending.complete(message);
  }

  #ping(): void {
    this.#silentMs = this.#heardSomething ? 0 : this.#silentMs + this.#timing.pingEveryMs;
    this.#heardSomething = false;
    if (this.#silentMs >= this.#timing.silenceMs) {
      this.close(`${where(this.#to)} has been silent for ${Math.round(this.#silentMs / 1000)} s`);
      return;
    }
    // The arrival of the answer is enough.
    this.tell('Ping');
  }
}
