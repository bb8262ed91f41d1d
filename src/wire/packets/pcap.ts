import { type CaptureReader, MAX_RECORD_BYTES, NO_BYTES } from './packet-cursor.ts';

const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const MAGIC_NANOSECONDS = 0xa1b23c4d;
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
/** The upper bits of the link type's word say whether frames end in a checksum. */
const LINK_TYPE_MASK = 0xffff;

interface PcapVariant {
  readonly littleEndian: boolean;
  readonly fractionsPerMs: number;
}

/** Which classic pcap these first four bytes begin; undefined when none. */
export function pcapVariant(view: DataView): PcapVariant | undefined {
  for (const littleEndian of [true, false]) {
    const magic = view.getUint32(0, littleEndian);
    if (magic === MAGIC_MICROSECONDS) return { littleEndian, fractionsPerMs: 1000 };
    if (magic === MAGIC_NANOSECONDS) return { littleEndian, fractionsPerMs: 1_000_000 };
  }
  return undefined;
}

/**
 * Reads classic pcap, either byte order, microseconds or nanoseconds (draft-ietf-opsawg-pcap).
 * ```
 * record: seconds 4 | fraction 4 | captured bytes 4 | bytes on the wire 4 | packet
 * ```
 */
export class PcapReader implements CaptureReader {
  view: DataView = NO_BYTES;
  start = 0;
  end = 0;
  wireBytes = 0;
  atMs = 0.5;
  linkType = -1;
  consumed = 0;
  damage: string | undefined;
  readonly droppedPackets = 0;
  readonly #littleEndian: boolean;
  readonly #fractionsPerMs: number;
  #limit = 0;

  constructor(variant: PcapVariant) {
    this.#littleEndian = variant.littleEndian;
    this.#fractionsPerMs = variant.fractionsPerMs;
  }

  feed(view: DataView, start: number, end: number): void {
    this.view = view;
    this.#limit = end;
    this.consumed = start;
  }

  next(): boolean {
    const { view } = this;
    const littleEndian = this.#littleEndian;
    let at = this.consumed;
    if (this.linkType < 0) {
      if (this.#limit - at < FILE_HEADER_BYTES) return false;
      this.linkType = view.getUint32(at + 20, littleEndian) & LINK_TYPE_MASK;
      at += FILE_HEADER_BYTES;
      this.consumed = at;
    }
    if (this.damage !== undefined || this.#limit - at < RECORD_HEADER_BYTES) return false;
    const capturedBytes = view.getUint32(at + 8, littleEndian);
    if (capturedBytes > MAX_RECORD_BYTES) {
      this.damage = `a record claims to hold ${capturedBytes} bytes`;
      return false;
    }
    const start = at + RECORD_HEADER_BYTES;
    const end = start + capturedBytes;
    if (end > this.#limit) return false;
    this.atMs = view.getUint32(at, littleEndian) * 1000 + view.getUint32(at + 4, littleEndian) / this.#fractionsPerMs;
    this.wireBytes = view.getUint32(at + 12, littleEndian);
    this.start = start;
    this.end = end;
    this.consumed = end;
    return true;
  }
}
