import type { DatagramReader } from '../../wire/packets/datagram.ts';

/** A copy comes at once. Feedback that says the same again, or a repeated message, comes later. */
const COPY_WITHIN_MS = 50;
const REMEMBERED = 64;
const FNV_PRIME = 0x0100_0193;
const FNV_OFFSET = 0x811c_9dc5;
/** Enough bytes to tell two packets apart: they contain NTP time and counters. */
const COMPARED_BYTES = 128;

/** Recognises RTCP and SIP that was captured twice, by ports and bytes. For RTP sequence numbers do that. */
export class CapturedCopies {
  readonly #hashes = new Int32Array(REMEMBERED);
  readonly #timesMs = new Float64Array(REMEMBERED).fill(Number.NEGATIVE_INFINITY);
  #next = 0;

  /** Whether the reader's datagram also came a moment ago. */
  isCopy(reader: DatagramReader, atMs: number): boolean {
    const hash = hashOf(reader);
    for (let index = 0; index < REMEMBERED; index += 1) {
      if (this.#hashes[index] !== hash) continue;
      if (Math.abs(atMs - (this.#timesMs[index] ?? 0)) <= COPY_WITHIN_MS) return true;
    }
    this.#hashes[this.#next] = hash;
    this.#timesMs[this.#next] = atMs;
    this.#next = (this.#next + 1) % REMEMBERED;
    return false;
  }
}

function hashOf({ view, payloadStart, payloadEnd, sourcePort, destinationPort }: DatagramReader): number {
  let hash = Math.imul(FNV_OFFSET ^ (sourcePort << 16) ^ destinationPort, FNV_PRIME);
  const end = Math.min(payloadEnd, payloadStart + COMPARED_BYTES);
  for (let at = payloadStart; at < end; at += 1) hash = Math.imul(hash ^ view.getUint8(at), FNV_PRIME);
  return hash;
}
