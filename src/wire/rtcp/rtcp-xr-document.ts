import { ByteWriter } from './byte-writer.ts';
import { PACKET_TYPE_EXTENDED_REPORT, looksLikeRtcp, paddingBytes, rtcpPackets } from './rtcp-packets.ts';
import { decodeXrBlocks, encodeXrBlocks } from './rtcp-xr.ts';
import type { XrBlock } from './rtcp-xr-blocks.ts';
import {
  type Json,
  type JsonObject,
  bytesFromHex,
  formatSsrc,
  xrBlockFromJson,
  xrBlockToJson,
} from './rtcp-xr-json.ts';

/** `V=2 P reserved 5 | 207 | length 2 | SSRC 4 | blocks | padding` (RFC 3611 §2). */
const XR_HEADER_BYTES = 8;
const VERSION_2 = 0x80;
const PADDED = 0x20;
const MAX_PADDING_BYTES = 252;

/**
 * Extended reports as one JSON document, which `xrDocumentToBytes` takes back byte for byte. `bytes` are report blocks, or
 * RTCP as it is on the wire: one extended report, or a compound packet with one. Throws a RangeError with one plain
 * sentence when they are neither.
 *
 * `{"blocks": […]}`; with `sender_ssrc` for one packet; with `packets` for a compound or a padded one, in their order: other
 * packets as `{"hex"}`, extended reports as `{"sender_ssrc", "block_count", "padding_hex"}` with their blocks in `blocks`.
 */
export function xrDocumentFromBytes(bytes: Uint8Array): JsonObject {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!looksLikeRtcp(view, 0, bytes.length)) {
    const blocks = decodeXrBlocks(view, 0, bytes.length);
    if (blocks !== undefined) return { blocks: blocks.map(xrBlockToJson) };
    throw new RangeError(
      `These ${bytes.length} bytes are no row of RFC 3611 report blocks: the lengths do not add up; give whole blocks.`,
    );
  }
  const packets = rtcpPackets(view, 0, bytes.length);
  if (packets === undefined) {
    throw new RangeError(
      `These ${bytes.length} bytes begin as RTCP, but the lengths of its packets do not add up; give whole packets.`,
    );
  }
  if (packets.every(({ type }) => type !== PACKET_TYPE_EXTENDED_REPORT)) {
    const types = packets.map(({ type }) => type).join(', ');
    throw new RangeError(
      `This is RTCP of type ${types} without an extended report (type 207); give a packet that has one.`,
    );
  }
  const blocks: XrBlock[] = [];
  const parts = packets.map(({ start, end, type }): JsonObject => {
    if (type !== PACKET_TYPE_EXTENDED_REPORT) return { hex: hexOf(bytes.subarray(start, end)) };
    const padding = paddingBytes(view, start, end);
    const own =
      padding === undefined || end - padding - start < XR_HEADER_BYTES
        ? undefined
        : decodeXrBlocks(view, start + XR_HEADER_BYTES, end - padding);
    if (padding === undefined || own === undefined) {
      throw new RangeError('The lengths in the extended report (type 207) do not add up; give the whole packet.');
    }
    blocks.push(...own);
    return {
      sender_ssrc: formatSsrc(view.getUint32(start + 4)),
      block_count: own.length,
      padding_hex: hexOf(bytes.subarray(end - padding, end)),
    };
  });
  const [only] = parts;
  const isPlain = parts.length === 1 && only?.['padding_hex'] === '';
  const envelope: JsonObject = isPlain ? { sender_ssrc: only['sender_ssrc'] ?? null } : { packets: parts };
  return { ...envelope, blocks: blocks.map(xrBlockToJson) };
}

/** The bytes of what `xrDocumentFromBytes` wrote, or of a document in its manner. Throws a RangeError with one plain sentence. */
export function xrDocumentToBytes(document: JsonObject): Uint8Array {
  const { blocks: list, packets, sender_ssrc: sender } = document;
  if (!Array.isArray(list))
    throw new RangeError('There is no list "blocks"; give what "asterisk-mes xr decode" printed.');
  const blocks = (list as readonly Json[]).map(xrBlockFromJson);
  if (packets === undefined) {
    return sender === undefined ? encodeXrBlocks(blocks) : extendedReport(sender, blocks, new Uint8Array());
  }
  if (!Array.isArray(packets)) throw new RangeError('packets must be a list.');
  const out = new ByteWriter();
  let used = 0;
  for (const packet of packets as readonly Json[]) {
    const { hex, sender_ssrc: ownSender, block_count: count, padding_hex: padding } = asObject(packet);
    if (typeof hex === 'string') {
      out.append(bytesFromHex(hex));
      continue;
    }
    if (typeof count !== 'number' || !Number.isInteger(count) || count < 0) {
      throw new RangeError('Each of the packets needs hex, or sender_ssrc and block_count.');
    }
    const own = blocks.slice(used, used + count);
    used += count;
    out.append(extendedReport(ownSender, own, typeof padding === 'string' ? bytesFromHex(padding) : new Uint8Array()));
  }
  if (used !== blocks.length) {
    throw new RangeError(`The packets hold ${used} blocks by their block_count, but there are ${blocks.length}.`);
  }
  return out.toBytes();
}

function extendedReport(sender: Json | undefined, blocks: readonly XrBlock[], padding: Uint8Array): Uint8Array {
  if (typeof sender !== 'string' || !/^0x[0-9a-f]{1,8}$/i.test(sender)) {
    throw new RangeError('sender_ssrc must be an SSRC such as 0x3c2c6734.');
  }
  const isPadded = padding.length > 0;
  if (
    isPadded &&
    (padding.length % 4 !== 0 || padding.length > MAX_PADDING_BYTES || padding.at(-1) !== padding.length)
  ) {
    throw new RangeError('padding_hex must be a multiple of 4 bytes, and its last byte their number.');
  }
  const body = encodeXrBlocks(blocks);
  return new ByteWriter()
    .unsigned(VERSION_2 + (isPadded ? PADDED : 0), 1, 'the first byte')
    .unsigned(PACKET_TYPE_EXTENDED_REPORT, 1, 'the packet type')
    .unsigned((XR_HEADER_BYTES + body.length + padding.length) / 4 - 1, 2, 'the packet length')
    .unsigned(Number(sender), 4, 'sender_ssrc')
    .append(body)
    .append(padding)
    .toBytes();
}

function asObject(json: Json): JsonObject {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new RangeError('Each of the packets must be a JSON object.');
  }
  return json as JsonObject;
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
