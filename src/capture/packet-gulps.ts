import { type Readable, getDefaultHighWaterMark, setDefaultHighWaterMark } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * How long a packet may wait to be read, ms. In that time a writer that writes each packet by itself wakes nobody, and one that
 * writes more than fits has to wait itself and then takes its packets many at a time: at 100,000 packets/s both together
 * cost a quarter of what they do when each packet is read as it comes.
 */
const PATIENCE_MS = 10;
/** Both clocks are the system's, and ours is rounded to milliseconds. */
const CLOCK_TOLERANCE_MS = 2;
/** What one turn may bring of a writer that has room to write on. */
const LITTLE_BYTES = 16_384;

/**
 * Reads a stream of packets in gulps: after each, it rests until the latest packet of it is 10 ms old. The next one is younger,
 * so none waits for longer, at any rate; one that comes after a rest is read at once. When older packets than that come, or
 * ones from the future (a clock was set), it does not rest.
 */
export class PacketGulps {
  readonly #stream: Readable;
  readonly #nowMs: () => number;
  #timer: NodeJS.Timeout | undefined;
  #isDraining = false;
  #takenBytes = 0;

  /** `take` returns when the latest packet so far was captured; both times in epoch milliseconds. */
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
    if (this.#isDraining || ageMs >= PATIENCE_MS || ageMs < -CLOCK_TOLERANCE_MS) return;
    this.#stream.pause();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#stream.resume(), PATIENCE_MS - ageMs);
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
