import type { TrackedStream } from './tracked-stream.ts';

/** Bounds on streams of channels, about 5 KB each: more than any Asterisk has. A file may come from anybody, so it gets fewer. */
const MOST_KNOWN = { live: 40_000, file: 10_000 } as const;
/** Bound on streams without an owner: their channels have just begun, or they are forged. */
const MOST_STRANGERS = 1000;

/** `known`: it belongs to a channel. `stranger`: no channel is known for it yet. */
export type Standing = 'known' | 'stranger';

/** Bounds the number of streams. Strangers have a small share of their own, so they cannot crowd out streams of channels. */
export class StreamQuota {
  readonly #strangers = new Set<TrackedStream>();
  readonly #mostKnown: number;
  #known = 0;

  constructor(of: keyof typeof MOST_KNOWN) {
    this.#mostKnown = MOST_KNOWN[of];
  }

  /** False: there is no room for it. */
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

  /** A stranger has turned out to belong to a channel. */
  adopt(stream: TrackedStream): void {
    if (this.#strangers.delete(stream)) this.#known++;
  }

  remove(stream: TrackedStream): void {
    if (!this.#strangers.delete(stream)) this.#known--;
  }
}
