import { type Readable, getDefaultHighWaterMark, setDefaultHighWaterMark } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * How long a packet may wait to be read, ms. Meanwhile a writer that writes packet by packet wakes nobody, and a writer that fills
 * the pipe waits and then writes many packets at a time. At 100,000 packets/s both processes together cost a quarter of what
 * they cost when each packet is read as it comes.
 */
const PATIENCE_MS = 10;
/** Both times are of the system's clock, but ours is rounded to milliseconds. */
const CLOCK_TOLERANCE_MS = 2;
/** A turn that reads at most this much shows that the writer is not held up. */
const LITTLE_BYTES = 16_384;

/**
 * Reads a stream of packets at a pace. After each read it rests until the latest packet is 10 ms old; later packets are younger, so
 * none waits longer than that. A packet that comes after the rest is read at once. It does not rest while packets are older than
 * that, or from the future (somebody set the clock).
 */
export class PacedPackets {
  readonly #stream: Readable;
  readonly #nowMs: () => number;
  #timer: NodeJS.Timeout | undefined;
  #isDraining = false;
  #takenBytes = 0;

  /** `take` returns the capture time of the latest packet so far; all times are epoch milliseconds. */
  constructor(stream: Readable, take: (piece: Uint8Array) => number, nowMs: () => number) {
    this.#stream = stream;
    this.#nowMs = nowMs;
    stream.on('data', (piece: Uint8Array) => {
      this.#takenBytes += piece.length;
      this.#rest(take(piece));
    });
  }

  /** Resolves when little waits to be read and the writer is not held up. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    do {
      this.#takenBytes = 0;
      this.#stream.resume();
      await nextTurn();
    } while (this.#takenBytes > LITTLE_BYTES);
    this.#isDraining = false;
  }

  #rest(newestAtMs: number): void {
    const ageMs = this.#nowMs() - newestAtMs;
    if (this.#isDraining) return;
    this.#stream.pause();
    clearTimeout(this.#timer);
    // At once, and all the same one piece in a turn of the event loop: Node would read thirty, for which a hang-up would wait.
    if (ageMs >= PATIENCE_MS || ageMs < -CLOCK_TOLERANCE_MS) setImmediate(() => this.#stream.resume());
    else this.#timer = setTimeout(() => this.#stream.resume(), PATIENCE_MS - ageMs);
  }
}

/** Makes streams that stop reading when they are paused, and not only 64 KB later. */
export function withoutReadingAhead<Made>(make: () => Made): Made {
  const usual = getDefaultHighWaterMark(false);
  setDefaultHighWaterMark(false, 1);
  try {
    return make();
  } finally {
    setDefaultHighWaterMark(false, usual);
  }
}
