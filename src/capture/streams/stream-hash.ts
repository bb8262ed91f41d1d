import { randomBytes } from 'node:crypto';

/**
 * Bits that are dropped, so that keys of a map are small integers, which need no allocation. The upper bits stay; they are mixed
 * best.
 */
const UNUSED_BITS = 2;
/** The words of a key: two IPv6 addresses, both ports, SSRC. */
const MOST_WORDS = 10;

/**
 * A hash whose collisions nobody can find without its seed: each word times its own random odd number, all added (multiply-shift
 * hashing, Dietzfelbinger 1997). With a fixed hash, chosen ports and SSRCs could all share one place.
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

  /** The hash of one direction between two addresses and ports. */
  ofStream(words: Int32Array, count: number, sourcePort: number, destinationPort: number, ssrcWord: number): number {
    let sum =
      (Math.imul(ssrcWord, this.#ssrcFactor) + Math.imul((sourcePort << 16) | destinationPort, this.#portsFactor)) | 0;
    for (let index = 0; index < count; index += 1) {
      sum = (sum + Math.imul(words[index] ?? 0, this.#factors[index] ?? 1)) | 0;
    }
    return sum >>> UNUSED_BITS;
  }

  /** The hash of both directions between two addresses, whatever the ports. */
  ofPair(words: Int32Array, count: number, ssrcWord: number): number {
    const half = count / 2;
    let sum = Math.imul(ssrcWord, this.#ssrcFactor);
    for (let index = 0; index < count; index += 1) {
      sum = (sum + Math.imul(words[index] ?? 0, this.#factors[index % half] ?? 1)) | 0;
    }
    return sum >>> UNUSED_BITS;
  }
}
