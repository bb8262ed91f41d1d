import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { AmiConnection } from '../../src/asterisk/ami/ami-socket.ts';
import { type Action, asterisk, block, FakeManager } from './fake-manager.ts';
import { FreshIds, isReport, type RecordedMessage, type Recording, render } from './recording.ts';

/** How often due messages are written. */
const ROUND_MS = 2;
/** A reader that is this far behind is disconnected, as Asterisk does after its `writetimeout`. */
const MOST_UNREAD_BYTES = 256 * 1024 * 1024;

interface RunningCall {
  readonly recording: Recording;
  readonly ids: readonly string[];
  readonly startedAtMs: number;
  next: number;
}

interface LiveChannel {
  /** `Channel:` to `Linkedid:`, as the last event about it had them. */
  snapshot: string;
  bridgeId: string | undefined;
  readonly startedAtMs: number;
  readonly variables: Map<string, string>;
  /** When the newest report about it was written, until a score of its own comes. */
  reportedAtMs: number | undefined;
  /** When a score of its own last came. */
  scoredAtMs: number | undefined;
}

export interface SimulatedCounters {
  readonly callsBegun: number;
  readonly callsEnded: number;
  readonly channelsUp: number;
  /** Events written, counted once however many connections have them. */
  readonly events: number;
  readonly reports: number;
  /** Setvar actions for channels that were up. */
  readonly setvars: number;
  /** Setvar actions for channels that were gone. */
  readonly setvarsTooLate: number;
}

/**
 * A simulator of Asterisk's AMI: a real TCP server on loopback that replays recordings of real Asterisks, each call with
 * fresh ids, to every connection that asked for events, and answers Login, Events, Ping, Getvar, Setvar and Status as
 * Asterisk 22.10 does. It knows the channels that its calls have up: `Status` lists them, Setvar on one that is gone
 * answers `No such channel`, Getvar gives back what was set, and all audio is ulaw.
 *
 * Not Asterisk: every user may do everything, variables have no dialplan functions, and Setvar makes no `VarSet` event.
 */
export class SimulatedAsterisk {
  readonly #manager: FakeManager;
  readonly #ids = new FreshIds();
  readonly #channels = new Map<string, LiveChannel>();
  readonly #listeners = new Set<Socket>();
  /** Calls by the round in which their next message is due. */
  readonly #due = new Map<number, RunningCall[]>();
  readonly #counters = { callsBegun: 0, callsEnded: 0, events: 0, reports: 0, setvars: 0, setvarsTooLate: 0 };
  #delaysMs: number[] = [];
  readonly #clockMs: () => number;
  #round: number;
  #timer: NodeJS.Timeout | undefined;
  #isFrozen = false;

  /** Listens on a free port of 127.0.0.1; user and secret are in `connection`. Calls go by `clockMs`, real time when not given. */
  static async start(clockMs: () => number = () => performance.now()): Promise<SimulatedAsterisk> {
    const manager = await FakeManager.start(() => undefined, { remember: false });
    return new SimulatedAsterisk(manager, clockMs);
  }

  private constructor(manager: FakeManager, clockMs: () => number) {
    this.#manager = manager;
    this.#clockMs = clockMs;
    this.#round = roundOf(clockMs());
    const answer = asterisk(() => this.#rows());
    manager.answer = (action, socket) => (this.#isFrozen ? undefined : this.#answer(action, socket, answer));
    this.#timer = setInterval(() => this.#writeDue(), ROUND_MS);
  }

  get connection(): AmiConnection {
    return this.#manager.connection;
  }

  get counters(): SimulatedCounters {
    return { ...this.#counters, channelsUp: this.#channels.size };
  }

  /**
   * From the writing of a channel's newest report until a Setvar came that holds `MES_RX` or `MES_TX`, milliseconds, of
   * all since this was last asked. (What is written for the sake of a peer's scores holds neither.)
   */
  takeDelaysMs(): number[] {
    const delaysMs = this.#delaysMs;
    this.#delaysMs = [];
    return delaysMs;
  }

  /** What was set on a channel that is up, by name; undefined when it is not up. */
  variablesOf(uniqueid: string): ReadonlyMap<string, string> | undefined {
    return this.#channels.get(uniqueid)?.variables;
  }

  /** Uniqueids. */
  get channelsUp(): string[] {
    return [...this.#channels.keys()];
  }

  /** Channels that are up whose own scores last came between the two moments of `performance.now()`. */
  scoredBetween(fromMs: number, toMs: number): string[] {
    return [...this.#channels].flatMap(([uniqueid, { scoredAtMs = Number.NaN }]) =>
      scoredAtMs > fromMs && scoredAtMs <= toMs ? [uniqueid] : [],
    );
  }

  /** Replays the recording from now on, in its own time; reports before `skipToMs` of it are left out. */
  startCall(recording: Recording, skipToMs = 0): void {
    const messages = recording.messages.filter((message) => message.atMs >= skipToMs || !isReport(message));
    const ids = this.#ids.of(recording);
    const call = {
      recording: { ...recording, messages },
      ids,
      startedAtMs: this.#clockMs() - skipToMs,
      next: 0,
    };
    this.#counters.callsBegun++;
    this.#go(call);
  }

  /** Writes all that the recording says at once. */
  sayAtOnce(recording: Recording): void {
    const ids = this.#ids.of(recording);
    this.#counters.callsBegun++;
    for (const message of recording.messages) this.#say(message, ids);
    this.#counters.callsEnded++;
  }

  /** Writes any text to all connections that asked for events. */
  write(text: string): void {
    for (const socket of this.#listeners) {
      socket.write(text);
      if (socket.writableLength > MOST_UNREAD_BYTES) socket.destroy();
    }
  }

  /** Writes bytes as fast as every connection that asked for events reads them; those who leave are not waited for. */
  async pour(chunks: readonly Buffer[]): Promise<void> {
    await Promise.all(
      Array.from(this.#listeners, (socket) => pipeline(Readable.from(chunks), socket, { end: false }).catch(() => {})),
    );
  }

  /** Cuts all connections; new ones are welcome at once. */
  drop(): void {
    this.#manager.drop();
  }

  /** A half-open connection: nothing is answered and nothing written until `thaw`; calls go on meanwhile. */
  freeze(): void {
    this.#isFrozen = true;
  }

  thaw(): void {
    this.#isFrozen = false;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#manager.stop();
  }

  #writeDue(): void {
    const now = roundOf(this.#clockMs());
    for (; this.#round <= now; this.#round++) {
      const calls = this.#due.get(this.#round) ?? [];
      this.#due.delete(this.#round);
      for (const call of calls) this.#go(call);
    }
  }

  /** Writes the due messages of a call, and notes when the next is due. */
  #go(call: RunningCall): void {
    const { recording, ids, startedAtMs } = call;
    for (;;) {
      const message = recording.messages[call.next];
      if (message === undefined) break;
      const dueRound = roundOf(startedAtMs + message.atMs);
      if (dueRound > this.#round) {
        const others = this.#due.get(dueRound);
        if (others === undefined) this.#due.set(dueRound, [call]);
        else others.push(call);
        return;
      }
      this.#say(message, ids);
      call.next++;
    }
    this.#counters.callsEnded++;
  }

  #say(message: RecordedMessage, ids: readonly string[]): void {
    const text = render(message, ids);
    this.#counters.events++;
    if (isReport(message)) this.#noteReport(text);
    else this.#noteChannel(message.event, text);
    if (!this.#isFrozen) this.write(text);
  }

  #noteReport(text: string): void {
    this.#counters.reports++;
    const channel = this.#channels.get(/\r\nUniqueid: (.*)\r\n/.exec(text)?.[1] ?? '');
    if (channel !== undefined) channel.reportedAtMs = performance.now();
  }

  #noteChannel(event: string, text: string): void {
    const [, snapshot, uniqueid] = /\r\n(Channel: [^]*?\r\nUniqueid: (.*)\r\nLinkedid: .*)\r\n/.exec(text) ?? [];
    if (snapshot === undefined || uniqueid === undefined) return;
    if (event === 'Hangup') {
      this.#channels.delete(uniqueid);
      return;
    }
    const known = this.#channels.get(uniqueid);
    if (known === undefined && event !== 'Newchannel') return;
    const channel: LiveChannel = known ?? {
      snapshot,
      bridgeId: undefined,
      startedAtMs: performance.now(),
      variables: new Map(),
      reportedAtMs: undefined,
      scoredAtMs: undefined,
    };
    channel.snapshot = snapshot;
    if (event === 'BridgeEnter') channel.bridgeId = /\r\nBridgeUniqueid: (.*)\r\n/.exec(text)?.[1];
    if (event === 'BridgeLeave') channel.bridgeId = undefined;
    this.#channels.set(uniqueid, channel);
  }

  #rows(): string {
    return [...this.#channels.values()].map(rowOf).join('');
  }

  #answer(action: Action, socket: Socket, otherwise: FakeManager['answer']): string | undefined {
    const uniqueid = action.get('Channel');
    const channel = uniqueid === undefined ? undefined : this.#channels.get(uniqueid);
    switch (action.get('Action')?.toLowerCase()) {
      case 'events':
        this.#listeners.add(socket);
        socket.once('close', () => this.#listeners.delete(socket));
        break;
      case 'status':
        if (uniqueid === undefined) break;
        if (channel === undefined) return block(action, 'Response: Error', 'Message: No such channel');
        return asterisk(() => rowOf(channel))(action, socket);
      case 'setvar':
        if (uniqueid !== undefined) return this.#setVariables(action, channel);
        break;
      case 'getvar': {
        if (uniqueid === undefined) break;
        if (channel === undefined) return block(action, 'Response: Error', 'Message: No such channel');
        const name = action.get('Variable') ?? '';
        const value = channel.variables.get(name) ?? '';
        return block(action, 'Response: Success', `Variable: ${name}`, `Value: ${value}`);
      }
    }
    return otherwise(action, socket);
  }

  #setVariables(action: Action, channel: LiveChannel | undefined): string {
    if (channel === undefined) {
      this.#counters.setvarsTooLate++;
      return block(action, 'Response: Error', 'Message: No such channel');
    }
    this.#counters.setvars++;
    const names = (action.get('Variable') ?? '').replace(/^ARRAY\((.*)\)$/, '$1').split(',');
    const values = (action.get('Value') ?? '').split(',');
    for (const [index, name] of names.entries()) channel.variables.set(name, values[index] ?? '');
    if (names.includes('MES_RX') || names.includes('MES_TX')) {
      channel.scoredAtMs = performance.now();
      if (channel.reportedAtMs !== undefined) this.#delaysMs.push(channel.scoredAtMs - channel.reportedAtMs);
      channel.reportedAtMs = undefined;
    }
    return block(action, 'Response: Success', 'Message: Variable Set');
  }
}

function roundOf(atMs: number): number {
  return Math.ceil(atMs / ROUND_MS);
}

/** As a channel whose audio is ulaw and not translated has it (22.10.1). */
const FORMATS = ['Nativeformats: (ulaw)', 'Readformat: ulaw', 'Readtrans: ', 'Writeformat: ulaw', 'Writetrans: '];

/** A channel's row in the `Status` list. */
function rowOf({ snapshot, bridgeId = '', startedAtMs }: LiveChannel): string {
  const seconds = Math.floor((performance.now() - startedAtMs) / 1000);
  const lines = ['Event: Status', snapshot, `BridgeID: ${bridgeId}`, `Seconds: ${seconds}`, ...FORMATS];
  return `${lines.join('\r\n')}\r\n\r\n`;
}
