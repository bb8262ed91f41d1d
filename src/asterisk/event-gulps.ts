import type { OnReadOpts, Socket } from 'node:net';

const BUFFER_BYTES = 65_536;
/** A read that brings this much shows a flood: there the next one is not put off. */
const FLOOD_BYTES = 16_384;

/**
 * How long a socket rests after a read, and so the longest that a report waits for its Setvar. Each event that has a read
 * of its own costs more for that than for all we do with it: at 1,300 events a second 5 ms take a quarter more processor time than 10.
 */
export const GULP_EVERY_MS = 10;

/**
 * Reads a socket in gulps: what comes within some milliseconds of a read waits in the kernel for the next one. The first
 * bytes after a quiet time are read at once, and so is everything while somebody is in a hurry or much comes in.
 */
export class EventGulps {
  /** To be given to the socket as its option `onread`. */
  readonly onread: OnReadOpts = {
    buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES),
    callback: (count, buffer) => this.#take(count, buffer),
  };
  #socket: Pick<Socket, 'resume'> | undefined;
  /** Until it begins: nothing has been asked yet, and what comes is a greeting at most. */
  #onBytes: (bytes: Uint8Array) => void = () => {};
  #hurried = 0;
  #resting: NodeJS.Timeout | undefined;

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
    clearTimeout(this.#resting);
    this.#resting = undefined;
    this.#socket = undefined;
  }

  /** False lets the socket rest. */
  #take(count: number, buffer: Uint8Array): boolean {
    this.#onBytes(buffer.subarray(0, count));
    if (this.#socket === undefined || this.#hurried > 0 || count >= FLOOD_BYTES) return true;
    this.#resting = setTimeout(() => this.#readOn(), GULP_EVERY_MS);
    return false;
  }

  #readOn(): void {
    if (this.#resting === undefined) return;
    clearTimeout(this.#resting);
    this.#resting = undefined;
    this.#socket?.resume();
  }
}
