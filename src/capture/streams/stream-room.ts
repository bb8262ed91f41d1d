import type { TrackedStream } from './tracked-stream.ts';

/** Streams of channels: about 50 MB for every 10,000. No Asterisk has more; and of a file, which anybody may have made. */
const MOST_KNOWN = { live: 40_000, file: 10_000 } as const;
/** Streams without an owner: those of a channel that has just begun, and whatever strangers make up. */
const MOST_STRANGERS = 1000;

/** Whether a stream is a channel's, as far as is known by now. */
export type Standing = 'known' | 'stranger';

/** How many streams are held: those of channels are always taken, and strangers share a small table of their own. */
export class StreamRoom {
  readonly #strangers = new Set<TrackedStream>();
  readonly #mostKnown: number;
  #known = 0;

  constructor(of: keyof typeof MOST_KNOWN) {
    this.#mostKnown = MOST_KNOWN[of];
  }

  /** False when there is no room for it. */
  admit(stream: TrackedStream, standing: Standing): boolean {
    if (standing === 'known') {
      if (this.#known >= this.#mostKnown) return false;
      this.#known++;
      return true;
    }
    if (this.#strangers.size >= MOST_STRANGERS) return false;
    this.#strangers.add(stream);
    return true;
  }

  /** It has turned out to be a channel's. */
  adopt(stream: TrackedStream): void {
    if (this.#strangers.delete(stream)) this.#known++;
  }

  remove(stream: TrackedStream): void {
    if (!this.#strangers.delete(stream)) this.#known--;
  }
}
