import { FORMAT_BYTES, readerFor } from '../wire/packets/capture-format.ts';
import type { CaptureReader, PacketCursor } from '../wire/packets/packet-cursor.ts';

const NOTHING = new Uint8Array(0);

/**
 * Reads a capture in pieces, each at the moment when it comes. A live capture has tens of thousands a second, and a promise or
 * two for each would cost more than its packets do.
 */
export class PushedCapture {
  readonly #take: (packet: PacketCursor) => void;
  #reader: CaptureReader | undefined;
  #isNone = false;
  /** Bytes that are not a whole packet yet. */
  #rest: Uint8Array = NOTHING;
  /** Capture time of the latest packet, epoch milliseconds; minus infinity before the first. */
  newestAtMs = Number.NEGATIVE_INFINITY;

  constructor(take: (packet: PacketCursor) => void) {
    this.#take = take;
  }

  /** Why nothing more can be read, as part of a sentence; undefined: all is well, or it is no capture at all. */
  get damage(): string | undefined {
    return this.#reader?.damage;
  }

  push(piece: Uint8Array): void {
    if (this.#isNone || this.damage !== undefined) return;
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    this.#rest = bytes;
    if (this.#reader === undefined && bytes.length < FORMAT_BYTES) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#reader ??= readerFor(view);
    const reader = this.#reader;
    this.#isNone = reader === undefined;
    if (reader === undefined) return;
    reader.feed(view, 0, bytes.length);
    while (reader.next()) {
      this.#take(reader);
      this.newestAtMs = reader.atMs;
    }
    this.#rest = reader.consumed === bytes.length ? NOTHING : bytes.subarray(reader.consumed);
  }
}
