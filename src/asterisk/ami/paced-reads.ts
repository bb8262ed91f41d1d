import type { OnReadOpts, Socket } from 'node:net';

const BUFFER_BYTES = 65_536;
/** A read of this many bytes shows a flood; the next read then follows at once. */
const FLOOD_BYTES = 16_384;

/**
 * How long a socket rests after a read, and so the longest that a report waits for its Setvar. A read for each event costs more
 * than all that we do with the event: at 1,300 events a second, 5 ms take a quarter more processor time than 10, and 10 a
 * twentieth more than 13.
 */
export const READ_EVERY_MS = 16;

/** Wakes resting sockets all at the same moment, so that one turn of the event loop reads them together. */
export class ReadPace {
  #resting: { readonly wake: () => void; readonly turns: number }[] = [];
  readonly #onTurn: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** `onTurn` is called first in each turn, while the sockets still rest. */
  constructor(onTurn = (): void => {}) {
    this.#onTurn = onTurn;
  }

  /** Calls `wake` after so many turns. The first turn is after `READ_EVERY_MS`, or earlier when another socket already rests. */
  add(wake: () => void, turns: number): void {
    this.#resting.push({ wake, turns });
    this.#timer ??= setTimeout(() => this.#wakeAll(), READ_EVERY_MS);
  }

  /** `wake` is no longer called. */
  remove(wake: () => void): void {
    this.#resting = this.#resting.filter((other) => other.wake !== wake);
    if (this.#resting.length > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wakeAll(): void {
    this.#timer = undefined;
    this.#onTurn();
    const resting = this.#resting;
    this.#resting = [];
    for (const { wake, turns } of resting) {
      if (turns > 1) this.add(wake, turns - 1);
      else wake();
    }
  }
}

/**
 * Reads a socket at a pace: bytes that come within some milliseconds of a read wait in the kernel for the next one. It reads the
 * first bytes after a quiet time at once, and everything while somebody is in a hurry or much comes in.
 */
export class PacedReads {
  /** The socket's option `onread`. */
  readonly onread: OnReadOpts = {
    buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES),
    callback: (count, buffer) => this.#take(count, buffer),
  };
  readonly #pace: ReadPace;
  readonly #restTurns: number;
  #socket: Pick<Socket, 'resume'> | undefined;
  /** Before `begin` nothing has been asked, and at most a greeting comes. */
  #onBytes: (bytes: Uint8Array) => void = () => {};
  #hurried = 0;
  #isResting = false;
  readonly #wake = (): void => this.#readOn();

  /** Sockets with the same `pace` are read together. `restTurns`: this socket is read every so many turns. */
  constructor(pace = new ReadPace(), restTurns = 1) {
    this.#pace = pace;
    this.#restTurns = restTurns;
  }

  /** `onBytes` gets a view of a buffer that the next read overwrites. */
  begin(socket: Pick<Socket, 'resume'>, onBytes: (bytes: Uint8Array) => void): void {
    this.#socket = socket;
    this.#onBytes = onBytes;
  }

  /** Somebody waits for an answer: the socket does not rest until `relax` was called as often. */
  hurry(): void {
    this.#hurried++;
    this.#readOn();
  }

  relax(): void {
    this.#hurried--;
  }

  /** The socket is being closed. */
  stop(): void {
    this.#pace.remove(this.#wake);
    this.#isResting = false;
    this.#socket = undefined;
  }

  /** False lets the socket rest. */
  #take(count: number, buffer: Uint8Array): boolean {
    this.#onBytes(buffer.subarray(0, count));
    if (this.#socket === undefined || this.#hurried > 0 || count >= FLOOD_BYTES) return true;
    this.#isResting = true;
    this.#pace.add(this.#wake, this.#restTurns);
    return false;
  }

  #readOn(): void {
    if (!this.#isResting) return;
    this.#isResting = false;
    this.#pace.remove(this.#wake);
    this.#socket?.resume();
  }
}
