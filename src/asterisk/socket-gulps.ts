import type { OnReadOpts, Socket } from 'node:net';

const BUFFER_BYTES = 65_536;
/** A read that brings this much shows a flood: there the next one is not put off. */
const FLOOD_BYTES = 16_384;

/**
 * How long a socket rests after a read, and so the longest that a report waits for its Setvar. Each event that has a read
 * of its own costs more for that than for all we do with it: at 1,300 events a second 5 ms take a quarter more processor
 * time than 10, and 10 a twentieth more than 13.
 */
export const GULP_EVERY_MS = 15;

/** Wakes sockets that rest, all at the same moment: what they have to read then takes one turn of the event loop together. */
export class GulpBeat {
  readonly #resting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;

  /** `wake` is called after `GULP_EVERY_MS` or, where another socket rests already, with that one. */
  add(wake: () => void): void {
    this.#resting.add(wake);
    this.#timer ??= setTimeout(() => this.#wakeAll(), GULP_EVERY_MS);
  }

  /** `wake` is not to be called any more. */
  remove(wake: () => void): void {
    this.#resting.delete(wake);
    if (this.#resting.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wakeAll(): void {
    this.#timer = undefined;
    const resting = [...this.#resting];
    this.#resting.clear();
    for (const wake of resting) wake();
  }
}

/**
 * Reads a socket in gulps: what comes within some milliseconds of a read waits in the kernel for the next one. The first
 * bytes after a quiet time are read at once, and so is everything while somebody is in a hurry or much comes in.
 */
export class SocketGulps {
  /** To be given to the socket as its option `onread`. */
  readonly onread: OnReadOpts = {
    buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES),
    callback: (count, buffer) => this.#take(count, buffer),
  };
  readonly #beat: GulpBeat;
  #socket: Pick<Socket, 'resume'> | undefined;
  /** Until it begins: nothing has been asked yet, and what comes is a greeting at most. */
  #onBytes: (bytes: Uint8Array) => void = () => {};
  #hurried = 0;
  #isResting = false;
  readonly #wake = (): void => this.#readOn();

  /** Sockets with the same `beat` are read together. */
  constructor(beat = new GulpBeat()) {
    this.#beat = beat;
  }

  /** `onBytes` gets a view of a buffer that the next read overwrites. */
  begin(socket: Pick<Socket, 'resume'>, onBytes: (bytes: Uint8Array) => void): void {
    this.#socket = socket;
    this.#onBytes = onBytes;
  }

  /** Somebody waits for what the socket brings: no rests until as many `relax`. */
  hurry(): void {
    this.#hurried++;
    this.#readOn();
  }

  relax(): void {
    this.#hurried--;
  }

  /** The socket is being closed. */
  stop(): void {
    this.#beat.remove(this.#wake);
    this.#isResting = false;
    this.#socket = undefined;
  }

  /** False lets the socket rest. */
  #take(count: number, buffer: Uint8Array): boolean {
    this.#onBytes(buffer.subarray(0, count));
    if (this.#socket === undefined || this.#hurried > 0 || count >= FLOOD_BYTES) return true;
    this.#isResting = true;
    this.#beat.add(this.#wake);
    return false;
  }

  #readOn(): void {
    if (!this.#isResting) return;
    this.#isResting = false;
    this.#beat.remove(this.#wake);
    this.#socket?.resume();
  }
}
