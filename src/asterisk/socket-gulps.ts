import type { OnReadOpts, Socket } from 'node:net';

const BUFFER_BYTES = 65_536;
/** A read that brings this much shows a flood: there the next one is not put off. */
const FLOOD_BYTES = 16_384;

/**
 * How long a socket rests after a read, and so the longest that a report waits for its Setvar. Each event that has a read
 * of its own costs more for that than for all we do with it: at 1,300 events a second 5 ms take a quarter more processor
 * time than 10, and 10 a twentieth more than 13.
 */
export const GULP_EVERY_MS = 16;

/** Wakes sockets that rest, all at the same moment: what they have to read then takes one turn of the event loop together. */
export class GulpBeat {
  #resting: { readonly wake: () => void; readonly beats: number }[] = [];
  readonly #onBeat: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** `onBeat` is called first at each beat, while the sockets still rest. */
  constructor(onBeat = (): void => {}) {
    this.#onBeat = onBeat;
  }

  /** `wake` is called after so many beats; the first is after `GULP_EVERY_MS` or, where another socket rests already, when that is next. */
  add(wake: () => void, beats: number): void {
    this.#resting.push({ wake, beats });
    this.#timer ??= setTimeout(() => this.#beat(), GULP_EVERY_MS);
  }

  /** `wake` is not to be called any more. */
  remove(wake: () => void): void {
    this.#resting = this.#resting.filter((other) => other.wake !== wake);
    if (this.#resting.length > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #beat(): void {
    this.#timer = undefined;
    this.#onBeat();
    const resting = this.#resting;
    this.#resting = [];
    for (const { wake, beats } of resting) {
      if (beats > 1) this.add(wake, beats - 1);
      else wake();
    }
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
  readonly #restBeats: number;
  #socket: Pick<Socket, 'resume'> | undefined;
  /** Until it begins: nothing has been asked yet, and what comes is a greeting at most. */
  #onBytes: (bytes: Uint8Array) => void = () => {};
  #hurried = 0;
  #isResting = false;
  readonly #wake = (): void => this.#readOn();

  /** Sockets with the same `beat` are read together, those in no hurry only at each so-manieth beat. */
  constructor(beat = new GulpBeat(), restBeats = 1) {
    this.#beat = beat;
    this.#restBeats = restBeats;
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
    this.#beat.add(this.#wake, this.#restBeats);
    return false;
  }

  #readOn(): void {
    if (!this.#isResting) return;
    this.#isResting = false;
    this.#beat.remove(this.#wake);
    this.#socket?.resume();
  }
}
