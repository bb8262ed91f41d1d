import { type CaptureReader, MAX_RECORD_BYTES, NO_BYTES } from './packet-cursor.ts';

const BLOCK_SECTION_HEADER = 0x0a0d0d0a;
const BLOCK_INTERFACE = 1;
const BLOCK_PACKET_OBSOLETE = 2;
const BLOCK_SIMPLE_PACKET = 3;
const BLOCK_INTERFACE_STATISTICS = 5;
const BLOCK_ENHANCED_PACKET = 6;

const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Type, length, and the length again at the end. */
const BLOCK_FRAME_BYTES = 12;
const SECTION_HEADER_MIN_BYTES = 28;

const OPTION_END = 0;
const OPTION_TIME_RESOLUTION = 9;
const OPTION_TIME_OFFSET = 14;
const OPTION_STATISTICS_DROPPED = 5;

const TWO_TO_32 = 4_294_967_296;
const MICROSECONDS_PER_MS = 1000;
/** More interfaces than this in one section is not a capture. */
const MAX_INTERFACES = 4096;

interface CapturedInterface {
  readonly linkType: number;
  /** Largest number of bytes kept of a packet; 0 for no limit. */
  readonly snapBytes: number;
  readonly unitsPerMs: number;
  readonly offsetMs: number;
  droppedPackets: number;
}

/** Whether these first four bytes begin a pcapng file. */
export function isPcapng(view: DataView): boolean {
  return view.getUint32(0, false) === BLOCK_SECTION_HEADER;
}

/**
 * Reads pcapng (draft-ietf-opsawg-pcapng): several sections, interfaces of different kinds and clock resolutions,
 * enhanced, simple and obsolete packet blocks; other blocks are stepped over.
 * ```
 * block:    type 4 | total length 4 | body … | total length 4
 * enhanced: interface 4 | time high 4 | time low 4 | captured bytes 4 | bytes on the wire 4 | packet … | options
 * ```
 * A simple packet block has no time: it takes that of the packet before.
 */
export class PcapngReader implements CaptureReader {
  view: DataView = NO_BYTES;
  start = 0;
  end = 0;
  wireBytes = 0;
  atMs = 0.5;
  linkType = -1;
  consumed = 0;
  damage: string | undefined;
  #limit = 0;
  #littleEndian = true;
  #interfaces: CapturedInterface[] = [];
  #droppedInEarlierSections = 0;

  /** From the interface statistics blocks. */
  get droppedPackets(): number {
    return this.#interfaces.reduce((sum, one) => sum + one.droppedPackets, this.#droppedInEarlierSections);
  }

  feed(view: DataView, start: number, end: number): void {
    this.view = view;
    this.#limit = end;
    this.consumed = start;
  }

  next(): boolean {
    while (this.damage === undefined) {
      const at = this.consumed;
      if (this.#limit - at < BLOCK_FRAME_BYTES) return false;
      const isSection = this.view.getUint32(at, false) === BLOCK_SECTION_HEADER;
      if (isSection && !this.#readByteOrder(at)) return false;
      const type = this.view.getUint32(at, this.#littleEndian);
      const length = this.view.getUint32(at + 4, this.#littleEndian);
      const least = isSection ? SECTION_HEADER_MIN_BYTES : BLOCK_FRAME_BYTES;
      if (length < least || length % 4 !== 0 || length > MAX_RECORD_BYTES) {
        this.damage = `a block claims to be ${length} bytes long`;
        return false;
      }
      if (at + length > this.#limit) return false;
      this.consumed = at + length;
      if (this.#readBlock(type, at + 8, at + length - 4)) return true;
    }
    return false;
  }

  #readByteOrder(at: number): boolean {
    if (this.view.getUint32(at + 8, true) === BYTE_ORDER_MAGIC) this.#littleEndian = true;
    else if (this.view.getUint32(at + 8, false) === BYTE_ORDER_MAGIC) this.#littleEndian = false;
    else this.damage = 'a section has no byte order';
    return this.damage === undefined;
  }

  /** Takes one block's body in; true when it is a packet. */
  #readBlock(type: number, start: number, end: number): boolean {
    switch (type) {
      case BLOCK_ENHANCED_PACKET:
        return this.#readPacket(start, end, false);
      case BLOCK_PACKET_OBSOLETE:
        return this.#readPacket(start, end, true);
      case BLOCK_SIMPLE_PACKET:
        return this.#readSimplePacket(start, end);
      case BLOCK_INTERFACE:
        this.#readInterface(start, end);
        return false;
      case BLOCK_INTERFACE_STATISTICS:
        this.#readStatistics(start, end);
        return false;
      case BLOCK_SECTION_HEADER:
        this.#droppedInEarlierSections = this.droppedPackets;
        this.#interfaces = [];
        return false;
      default:
        return false;
    }
  }

  #readPacket(start: number, end: number, obsolete: boolean): boolean {
    if (end - start < 20) return false;
    const { view } = this;
    const littleEndian = this.#littleEndian;
    const index = obsolete ? view.getUint16(start, littleEndian) : view.getUint32(start, littleEndian);
    const from = this.#interfaces[index];
    const capturedBytes = view.getUint32(start + 12, littleEndian);
    if (from === undefined || capturedBytes > end - start - 20) return false;
    const time = view.getUint32(start + 4, littleEndian) * TWO_TO_32 + view.getUint32(start + 8, littleEndian);
    this.atMs = time / from.unitsPerMs + from.offsetMs;
    this.wireBytes = view.getUint32(start + 16, littleEndian);
    this.linkType = from.linkType;
    this.start = start + 20;
    this.end = start + 20 + capturedBytes;
    return true;
  }

  #readSimplePacket(start: number, end: number): boolean {
    const [from] = this.#interfaces;
    if (from === undefined || end - start < 4) return false;
    const wireBytes = this.view.getUint32(start, this.#littleEndian);
    const snapBytes = from.snapBytes === 0 ? wireBytes : from.snapBytes;
    this.wireBytes = wireBytes;
    this.linkType = from.linkType;
    this.start = start + 4;
    this.end = this.start + Math.min(wireBytes, snapBytes, end - start - 4);
    return true;
  }

  #readInterface(start: number, end: number): void {
    if (end - start < 8 || this.#interfaces.length >= MAX_INTERFACES) return;
    const resolutionAt = this.#findOption(start + 8, end, OPTION_TIME_RESOLUTION, 1);
    const offsetAt = this.#findOption(start + 8, end, OPTION_TIME_OFFSET, 8);
    this.#interfaces.push({
      linkType: this.view.getUint16(start, this.#littleEndian),
      snapBytes: this.view.getUint32(start + 4, this.#littleEndian),
      unitsPerMs: resolutionAt === undefined ? MICROSECONDS_PER_MS : unitsPerMs(this.view.getUint8(resolutionAt)),
      offsetMs: offsetAt === undefined ? 0 : Number(this.view.getBigInt64(offsetAt, this.#littleEndian)) * 1000,
      droppedPackets: 0,
    });
  }

  #readStatistics(start: number, end: number): void {
    if (end - start < 12) return;
    const from = this.#interfaces[this.view.getUint32(start, this.#littleEndian)];
    const droppedAt = this.#findOption(start + 12, end, OPTION_STATISTICS_DROPPED, 8);
    if (from === undefined || droppedAt === undefined) return;
    from.droppedPackets = Number(this.view.getBigUint64(droppedAt, this.#littleEndian));
  }

  /** Where the value of an option begins; undefined when it is not there or too short. */
  #findOption(start: number, end: number, wanted: number, bytes: number): number | undefined {
    for (let at = start; at + 4 <= end;) {
      const code = this.view.getUint16(at, this.#littleEndian);
      const length = this.view.getUint16(at + 2, this.#littleEndian);
      if (code === OPTION_END || at + 4 + length > end) return undefined;
      if (code === wanted) return length >= bytes ? at + 4 : undefined;
      at += 4 + length + ((4 - (length % 4)) % 4);
    }
    return undefined;
  }
}

/** if_tsresol: a power of ten, or of two when the highest bit is set. */
function unitsPerMs(resolution: number): number {
  const exponent = resolution & 0x7f;
  return (resolution & 0x80 ? 2 ** exponent : 10 ** exponent) / 1000;
}
