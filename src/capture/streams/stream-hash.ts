import { randomBytes } from 'node:crypto';

/** Keys of a map are small integers, which cost no allocation: the upper bits, which are the well mixed ones. */
const UNUSED_BITS = 2;
/** Two IPv6 addresses, both ports, SSRC. */
const MOST_WORDS = 10;

/**
 * A hash that nobody can find collisions of without its seed: each word times a random odd number of its own, all added
 * (multiply-shift hashing, Dietzfelbinger 1997). With a fixed one, chosen ports and SSRCs all share one place.
 */
export class StreamHash {
  readonly #factors: Int32Array;
  readonly #portsFactor: number;
  readonly #ssrcFactor: number;

  constructor(seed: Uint8Array = randomBytes(MOST_WORDS * 4)) {
    const { buffer, byteOffset } = new Uint8Array(seed);
    this.#factors = new Int32Array(buffer, byteOffset, MOST_WORDS).map((factor) => factor | 1);
    this.#portsFactor = this.#factors[MOST_WORDS - 2] ?? 1;
    this.#ssrcFactor = this.#factors[MOST_WORDS - 1] ?? 1;
  }

  /** Of one way between two addresses and ports. */
  ofStream(words: Int32Array, count: number, sourcePort: number, destinationPort: number, ssrcWord: number): number {
    let sum =
      (Math.imul(ssrcWord, this.#ssrcFactor) + Math.imul((sourcePort << 16) | destinationPort, this.#portsFactor)) | 0;
    for (let index = 0; index < count; index += 1) {
      sum = (sum + Math.imul(words[index] ?? 0, this.#factors[index] ?? 1)) | 0;
    }
    return sum >>> UNUSED_BITS;
  }

  /** Of both ways between two addresses, whatever the ports. */
  ofPair(words: Int32Array, count: number, ssrcWord: number): number {
    const half = count / 2;
    let sum = Math.imul(ssrcWord, this.#ssrcFactor);
    for (let index = 0; index < count; index += 1) {
      sum = (sum + Math.imul(words[index] ?? 0, this.#factors[index % half] ?? 1)) | 0;
    }
    return sum >>> UNUSED_BITS;
  }
}
