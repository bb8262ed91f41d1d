import type { ChannelValues, VariableWriter } from '../model/ports.ts';
import { AmiActionError } from './ami/ami-actions.ts';
import { selectAssignments } from './variable-assignment.ts';

/** What write-back needs of the connection; `AmiActions` implements it. */
export interface VariableSetter {
  readonly connected: boolean;
  /** When the connection is lost, the newest is rejected first, so that values taken back do not hide newer ones. */
  setVariables(uniqueid: string, variables: ReadonlyMap<string, string>): Promise<unknown>;
  /** Answers are read as they come until the returned function is called. */
  hurry(): () => void;
}

export interface WriteBackOptions {
  readonly setter: VariableSetter;
  /** `[writeback] variables` */
  readonly variables: boolean;
  /** `[writeback] cdr` */
  readonly cdr: boolean;
  /** Called with each successful answer, and the time since the oldest value of that action came in. */
  readonly onWritten?: (afterMs: number) => void;
  /** Sentences for the log at debug level. */
  readonly onDebug?: (sentence: string) => void;
}

export interface WriteBackCounters {
  /** Actions that Asterisk carried out. */
  readonly written: number;
  /** Writes to channels that were gone, which is normal at the end of a call. */
  readonly gone: number;
  /** Actions that failed for any other reason. */
  readonly failed: number;
  /** Writes that found too many channels waiting. */
  readonly dropped: number;
  /** Channels with waiting values. */
  readonly waiting: number;
}

/** Waiting values, and since when the oldest waits (`performance.now()`). */
interface Assignments {
  readonly values: Map<string, string>;
  readonly sinceMs: number;
}

/** A channel that was written to and has not ended. */
interface Lane {
  readonly uniqueid: string;
  /** Actions under way. */
  underWay: number;
  /** Resolves when they are done. Asterisk carries them out in order. */
  newest: Promise<void>;
}

/** Channels with a write under way or waiting; more than any Asterisk has up. */
const MAX_CHANNELS = 20_000;

/** Actions under way at the same time, over all channels. */
const MAX_IN_FLIGHT = 512;

/** Bound for one channel. Answers are read some time later, and the next report need not wait for that. */
const MAX_UNDER_WAY = 2;

const DONE = Promise.resolve();

/** Channels remembered after their final scores. When one is forgotten, it is long gone. */
const MAX_SEALED = 10_000;

/**
 * Writes scores to Asterisk's channels and never makes the caller wait. A channel has at most two actions under way; later values
 * are merged, and the newest value of each variable wins. Without a connection, values wait in the same way.
 */
export class WriteBack implements VariableWriter {
  readonly #options: WriteBackOptions;
  readonly #waiting = new Map<string, Assignments>();
  readonly #lanes = new Map<string, Lane>();
  #inFlight = 0;
  readonly #sealed = new Set<string>();
  readonly #counters = { written: 0, gone: 0, failed: 0, dropped: 0 };

  constructor(options: WriteBackOptions) {
    this.#options = options;
  }

  get counters(): WriteBackCounters {
    return { ...this.#counters, waiting: this.#waiting.size };
  }

  write(uniqueid: string, of: ChannelValues): void {
    const values = selectAssignments(of, this.#options);
    if (values.size === 0 || this.#sealed.has(uniqueid)) return;
    const assignments = { values, sinceMs: performance.now() };
    const lane = this.#laneOf(uniqueid);
    if (this.#mayGo(lane) && !this.#waiting.has(uniqueid)) this.#start(lane, assignments);
    else if (!this.#queue(uniqueid, assignments)) this.#counters.dropped++;
  }

  /** The channel has ended: drop its values. */
  forget(uniqueid: string): void {
    this.#lanes.delete(uniqueid);
    this.#waiting.delete(uniqueid);
  }

  reopen(uniqueid: string): void {
    this.#sealed.delete(uniqueid);
  }

  /** Sends what waits. Call it when Asterisk is connected again. */
  flush(): void {
    for (const [uniqueid, assignments] of this.#waiting) {
      if (!this.#hasRoom) return;
      const lane = this.#laneOf(uniqueid);
      if (!this.#mayGo(lane)) continue;
      this.#waiting.delete(uniqueid);
      this.#start(lane, assignments);
    }
  }

  /**
   * Makes way for a channel's final scores over FastAGI: write-back writes no more to it, and the promise resolves when no
   * older value is on its way. Never rejects.
   */
  async seal(uniqueid: string): Promise<void> {
    this.#sealed.add(uniqueid);
    for (const oldest of this.#sealed) {
      if (this.#sealed.size <= MAX_SEALED) break;
      this.#sealed.delete(oldest);
    }
    this.#waiting.delete(uniqueid);
    const lane = this.#lanes.get(uniqueid);
    if (lane === undefined || lane.underWay === 0) return;
    const relax = this.#options.setter.hurry();
    await lane.newest;
    relax();
  }

  /** Merges new values over waiting ones. False when there is no room. */
  #queue(uniqueid: string, assignments: Assignments): boolean {
    const waiting = this.#waiting.get(uniqueid);
    if (waiting === undefined && this.#waiting.size >= MAX_CHANNELS) return false;
    if (waiting === undefined) this.#waiting.set(uniqueid, assignments);
    else for (const [name, value] of assignments.values) waiting.values.set(name, value);
    return true;
  }

  get #hasRoom(): boolean {
    return this.#options.setter.connected && this.#inFlight < MAX_IN_FLIGHT;
  }

  #laneOf(uniqueid: string): Lane {
    let lane = this.#lanes.get(uniqueid);
    if (lane === undefined) this.#lanes.set(uniqueid, (lane = { uniqueid, underWay: 0, newest: DONE }));
    return lane;
  }

  #mayGo({ underWay }: Lane): boolean {
    return this.#hasRoom && underWay < MAX_UNDER_WAY;
  }

  #start(lane: Lane, assignments: Assignments): void {
    this.#inFlight++;
    lane.underWay++;
    lane.newest = this.#options.setter.setVariables(lane.uniqueid, assignments.values).then(
      () => this.#finish(lane, assignments, null),
      (error: unknown) => this.#finish(lane, assignments, { error }),
    );
  }

  #finish(lane: Lane, assignments: Assignments, failure: { readonly error: unknown } | null): void {
    this.#inFlight--;
    // Do not keep a promise for every channel that is up.
    if (--lane.underWay === 0) lane.newest = DONE;
    if (failure === null) {
      this.#counters.written++;
      this.#options.onWritten?.(performance.now() - assignments.sinceMs);
    } else this.#handleFailure(lane, assignments, failure.error);
    if (this.#waiting.size > 0) this.flush();
  }

  #handleFailure(lane: Lane, assignments: Assignments, error: unknown): void {
    const { uniqueid } = lane;
    const problem = error instanceof AmiActionError ? error.problem : undefined;
    const isOver = this.#lanes.get(uniqueid) !== lane;
    if (problem === 'no-such-channel' || (problem === 'disconnected' && isOver)) {
      this.#counters.gone++;
      return;
    }
    if (problem === 'disconnected' && !this.#sealed.has(uniqueid)) {
      const newer = this.#waiting.get(uniqueid)?.values ?? [];
      this.#waiting.delete(uniqueid);
      const values = new Map([...assignments.values, ...newer]);
      if (this.#queue(uniqueid, { values, sinceMs: assignments.sinceMs })) return;
    }
    this.#counters.failed++;
    this.#options.onDebug?.(`The scores of ${uniqueid} were not written: ${String(error)}`);
  }
}
