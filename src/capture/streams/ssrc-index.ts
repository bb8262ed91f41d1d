import type { StreamHash } from './stream-hash.ts';
import type { TrackedStream } from './tracked-stream.ts';

/**
 * Bound on the streams of one SSRC between two addresses among which RTCP looks: successive sessions, or a bridge to the same
 * machine. More of them are forged.
 */
const MOST_ALIKE = 16;

/** Finds the streams that RTCP may be about, by SSRC and addresses. A forged SSRC may have thousands. */
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

  /**
   * In the order in which they came, in both directions between the addresses. Now and then others with the same hash are among
   * them.
   */
  find(ssrc: number, words: Int32Array, wordCount: number): readonly TrackedStream[] {
    const alike = this.#byPair.get(this.#hash.ofPair(words, wordCount, ssrc | 0)) ?? [];
    return alike.filter((stream) => stream.ssrc === ssrc);
  }

  #keyOf(stream: TrackedStream): number {
    const { addressWords } = stream;
    return this.#hash.ofPair(addressWords, addressWords.length, stream.ssrcWord);
  }
}
