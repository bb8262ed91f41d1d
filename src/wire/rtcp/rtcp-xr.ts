import { ByteWriter } from './byte-writer.ts';
import {
  XR_BLOCK_TYPES,
  type PacketRange,
  type RunLengthChunk,
  type Spread,
  type SummaryBlock,
  type XrBlock,
} from './rtcp-xr-blocks.ts';
import { VOIP_METRICS_BODY_BYTES, decodeVoipMetrics, encodeVoipMetrics } from './rtcp-xr-voip.ts';

const HEADER_BYTES = 4;
const MAX_RUN_LENGTH = 0x3fff;
const MAX_BITS = 0x7fff;
const MAX_THINNING = 0x0f;
const FLAG_LOST = 0x80;
const FLAG_DUPLICATE = 0x40;
const FLAG_JITTER = 0x20;
const HOPS_SHIFT = 3;

/**
 * Reads the blocks between two positions; undefined when they do not fill the space exactly.
 * ```
 * block type 1 | type-specific 1 | 32-bit words after this one 2 | …
 * ```
 */
export function decodeXrBlocks(view: DataView, start: number, end: number): XrBlock[] | undefined {
  const blocks: XrBlock[] = [];
  let at = start;
  while (at < end) {
    if (end - at < HEADER_BYTES) return undefined;
    const next = at + HEADER_BYTES + view.getUint16(at + 2) * 4;
    if (next > end) return undefined;
    blocks.push(decodeBlock(view, at, next));
    at = next;
  }
  return blocks;
}

/** Writes the blocks one after the other. Throws a RangeError with one plain sentence when a value does not fit. */
export function encodeXrBlocks(blocks: readonly XrBlock[]): Uint8Array {
  const out = new ByteWriter();
  for (const block of blocks) {
    const body = new ByteWriter();
    const typeSpecific = encodeBody(block, body);
    if (body.length % 4 !== 0) throw new RangeError('The bytes of a block must be a multiple of 4.');
    out
      .unsigned(block.kind === 'unknown' ? block.blockType : XR_BLOCK_TYPES[block.kind], 1, 'block_type')
      .unsigned(typeSpecific, 1, 'type_specific')
      .unsigned(body.length / 4, 2, 'the block length')
      .append(body.toBytes());
  }
  return out.toBytes();
}

function decodeBlock(view: DataView, at: number, end: number): XrBlock {
  const body = at + HEADER_BYTES;
  const bytes = end - body;
  const typeSpecific = view.getUint8(at + 1);
  const blockType = view.getUint8(at);
  switch (blockType) {
    case 1:
    case 2:
      if (bytes < 8) break;
      return {
        kind: blockType === 1 ? 'loss-rle' : 'duplicate-rle',
        thinning: typeSpecific & MAX_THINNING,
        ...decodeRange(view, body),
        chunks: mapWords(body + 8, end, 2, (position) => decodeChunk(view.getUint16(position))),
      };
    case 3:
      if (bytes < 8) break;
      return {
        kind: 'receipt-times',
        thinning: typeSpecific & MAX_THINNING,
        ...decodeRange(view, body),
        receiptTicks: mapWords(body + 8, end, 4, (position) => view.getUint32(position)),
      };
    case 4:
      if (bytes !== 8) break;
      return { kind: 'reference-time', ntpSeconds: view.getUint32(body), ntpFraction: view.getUint32(body + 4) };
    case 5:
      if (bytes % 12 !== 0) break;
      return {
        kind: 'delay',
        reports: mapWords(body, end, 12, (position) => ({
          ssrc: view.getUint32(position),
          lrrNtp32: view.getUint32(position + 4),
          dlrrNtp32: view.getUint32(position + 8),
        })),
      };
    case 6:
      if (bytes !== 36) break;
      return decodeSummary(view, body, typeSpecific);
    case 7:
      if (bytes !== VOIP_METRICS_BODY_BYTES) break;
      return decodeVoipMetrics(view, body);
    default:
      break;
  }
  const copy = new Uint8Array(view.buffer, view.byteOffset + body, bytes).slice();
  return { kind: 'unknown', blockType, typeSpecific, bytes: copy };
}

/** Writes what follows the first word; gives back the type-specific byte. */
function encodeBody(block: XrBlock, out: ByteWriter): number {
  switch (block.kind) {
    case 'loss-rle':
    case 'duplicate-rle':
      encodeRange(block, out);
      for (const chunk of block.chunks) out.unsigned(encodeChunk(chunk), 2, 'a chunk');
      // §4.1: a null chunk fills the last word.
      if (block.chunks.length % 2 === 1) out.unsigned(0, 2, 'a chunk');
      return checked(block.thinning, MAX_THINNING, 'thinning');
    case 'receipt-times':
      encodeRange(block, out);
      for (const ticks of block.receiptTicks) out.unsigned(ticks, 4, 'a receipt time');
      return checked(block.thinning, MAX_THINNING, 'thinning');
    case 'reference-time':
      out.unsigned(block.ntpSeconds, 4, 'ntp_seconds').unsigned(block.ntpFraction, 4, 'ntp_fraction');
      return 0;
    case 'delay':
      for (const { ssrc, lrrNtp32, dlrrNtp32 } of block.reports) {
        out.unsigned(ssrc, 4, 'ssrc').unsigned(lrrNtp32, 4, 'lrr_ntp32').unsigned(dlrrNtp32, 4, 'dlrr_ntp32');
      }
      return 0;
    case 'summary':
      return encodeSummary(block, out);
    case 'voip-metrics':
      encodeVoipMetrics(block, out);
      return 0;
    default:
      out.append(block.bytes);
      return block.typeSpecific;
  }
}

function decodeRange(view: DataView, at: number): PacketRange {
  return { ssrc: view.getUint32(at), beginSequence: view.getUint16(at + 4), endSequence: view.getUint16(at + 6) };
}

function encodeRange(range: PacketRange, out: ByteWriter): void {
  out
    .unsigned(range.ssrc, 4, 'ssrc')
    .unsigned(range.beginSequence, 2, 'begin_sequence')
    .unsigned(range.endSequence, 2, 'end_sequence');
}

/** `0 value 1 | length 14`, or `1 | bits 15`; all zero is the padding. */
function decodeChunk(word: number): RunLengthChunk {
  if (word === 0) return { kind: 'null' };
  if (word > MAX_BITS) return { kind: 'bits', bits: word & MAX_BITS };
  return { kind: 'run', value: word > MAX_RUN_LENGTH ? 1 : 0, length: word & MAX_RUN_LENGTH };
}

function encodeChunk(chunk: RunLengthChunk): number {
  if (chunk.kind === 'null') return 0;
  if (chunk.kind === 'bits') return MAX_BITS + 1 + checked(chunk.bits, MAX_BITS, 'the bits of a chunk');
  return chunk.value * (MAX_RUN_LENGTH + 1) + checked(chunk.length, MAX_RUN_LENGTH, 'the length of a run');
}

/** `L D J | ToH 2 | reserved 3` in the type-specific byte say which of the values mean anything. */
function decodeSummary(view: DataView, at: number, flags: number): SummaryBlock {
  const ipVersion = HOP_KINDS[(flags >> HOPS_SHIFT) & 0b11];
  return {
    kind: 'summary',
    ...decodeRange(view, at),
    lostPackets: flags & FLAG_LOST ? view.getUint32(at + 8) : null,
    duplicatePackets: flags & FLAG_DUPLICATE ? view.getUint32(at + 12) : null,
    jitterTicks:
      flags & FLAG_JITTER
        ? {
            min: view.getUint32(at + 16),
            max: view.getUint32(at + 20),
            mean: view.getUint32(at + 24),
            deviation: view.getUint32(at + 28),
          }
        : null,
    hops:
      ipVersion === undefined
        ? null
        : {
            ipVersion,
            min: view.getUint8(at + 32),
            max: view.getUint8(at + 33),
            mean: view.getUint8(at + 34),
            deviation: view.getUint8(at + 35),
          },
  };
}

/** By ToH: 0 is none, 3 must not be sent. */
const HOP_KINDS: readonly (4 | 6 | undefined)[] = [undefined, 4, 6, undefined];
const NO_SPREAD: Spread = { min: 0, max: 0, mean: 0, deviation: 0 };

function encodeSummary(block: SummaryBlock, out: ByteWriter): number {
  const { lostPackets, duplicatePackets, jitterTicks, hops } = block;
  encodeRange(block, out);
  out.unsigned(lostPackets ?? 0, 4, 'lost_packets').unsigned(duplicatePackets ?? 0, 4, 'duplicate_packets');
  encodeSpread(jitterTicks ?? NO_SPREAD, 4, 'jitter_ticks', out);
  encodeSpread(hops ?? NO_SPREAD, 1, 'hops', out);
  return (
    (lostPackets === null ? 0 : FLAG_LOST) +
    (duplicatePackets === null ? 0 : FLAG_DUPLICATE) +
    (jitterTicks === null ? 0 : FLAG_JITTER) +
    ((hops === null ? 0 : HOP_KINDS.indexOf(hops.ipVersion)) << HOPS_SHIFT)
  );
}

function encodeSpread(spread: Spread, bytes: 1 | 4, name: string, out: ByteWriter): void {
  out
    .unsigned(spread.min, bytes, `${name}.min`)
    .unsigned(spread.max, bytes, `${name}.max`)
    .unsigned(spread.mean, bytes, `${name}.mean`)
    .unsigned(spread.deviation, bytes, `${name}.deviation`);
}

function mapWords<T>(start: number, end: number, step: number, read: (at: number) => T): T[] {
  const values: T[] = [];
  for (let at = start; at < end; at += step) values.push(read(at));
  return values;
}

function checked(value: number, most: number, name: string): number {
  if (Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw new RangeError(`${name} is ${value}; it must be a whole number from 0 to ${most}.`);
}
