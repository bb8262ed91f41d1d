import type { StreamHash } from './stream-hash.ts';
import type { TrackedStream } from './tracked-stream.ts';

/**
 * Streams of one SSRC between two addresses that RTCP is looked up among: sessions one after another, a bridge to the same
 * machine. More of them are made up.
 */
const MOST_ALIKE = 16;

/** Finds the streams that RTCP may speak of by SSRC and addresses: of a made-up SSRC there may be thousands. */
export class SsrcIndex {
  readonly #hash: StreamHash;
  readonly #byPair = new Map<number, TrackedStream[]>();

  constructor(hash: StreamHash) {
    this.#hash = hash;
  }

  add(stream: TrackedStream): void {
    const key = this.#keyOf(stream);
    const alike = this.#byPair.get(key);
    if (alike === undefined) this.#byPair.set(key, [stream]);
    else {
      alike.push(stream);
      if (alike.length > MOST_ALIKE) alike.shift();
    }
  }

  remove(stream: TrackedStream): void {
    const key = this.#keyOf(stream);
    const others = (this.#byPair.get(key) ?? []).filter((other) => other !== stream);
    if (others.length === 0) this.#byPair.delete(key);
    else this.#byPair.set(key, others);
  }

  /** In the order in which they came; both ways between the addresses, and now and then others of the same hash. */
  find(ssrc: number, words: Int32Array, wordCount: number): readonly TrackedStream[] {
    const alike = this.#byPair.get(this.#hash.ofPair(words, wordCount, ssrc | 0)) ?? [];
    return alike.filter((stream) => stream.ssrc === ssrc);
  }

  #keyOf(stream: TrackedStream): number {
    const { addressWords } = stream;
    return this.#hash.ofPair(addressWords, addressWords.length, stream.ssrcWord);
  }
}
