/** TURN (RFC 8656): media on its way to or from a relay. */

const CHANNEL_NUMBERS = 0x40;
const CHANNEL_NUMBERS_MASK = 0xf0;
const CHANNEL_HEADER_BYTES = 4;
/** Over UDP a message may be padded to four bytes. */
const MAX_PADDING_BYTES = 3;

const SEND_INDICATION = 0x0016;
const DATA_INDICATION = 0x0017;
const MAGIC_COOKIE = 0x2112_a442;
const STUN_HEADER_BYTES = 20;
const ATTRIBUTE_DATA = 0x0013;
const MAX_ATTRIBUTES = 16;

/** A part of a UDP payload, by its place and its size on the wire. */
export interface InnerPayload {
  start: number;
  bytes: number;
}

/**
 * Finds the payload inside a ChannelData message, or inside the DATA attribute of a Send or Data indication. False when the UDP
 * payload of `bytes` on the wire, captured up to `end`, is neither.
 */
export function readTurnPayload(
  view: DataView,
  start: number,
  end: number,
  bytes: number,
  into: InnerPayload,
): boolean {
  if (end - start < CHANNEL_HEADER_BYTES) return false;
  if ((view.getUint8(start) & CHANNEL_NUMBERS_MASK) === CHANNEL_NUMBERS) {
    const innerBytes = view.getUint16(start + 2);
    const padding = bytes - CHANNEL_HEADER_BYTES - innerBytes;
    if (padding < 0 || padding > MAX_PADDING_BYTES) return false;
    into.start = start + CHANNEL_HEADER_BYTES;
    into.bytes = innerBytes;
    return true;
  }
  const type = view.getUint16(start);
  if (type !== SEND_INDICATION && type !== DATA_INDICATION) return false;
  if (end - start < STUN_HEADER_BYTES || view.getUint32(start + 4) !== MAGIC_COOKIE) return false;
  return readDataAttribute(view, start + STUN_HEADER_BYTES, end, into);
}

function readDataAttribute(view: DataView, first: number, end: number, into: InnerPayload): boolean {
  let at = first;
  for (let count = 0; count < MAX_ATTRIBUTES && at + 4 <= end; count += 1) {
    const bytes = view.getUint16(at + 2);
    if (view.getUint16(at) === ATTRIBUTE_DATA) {
      into.start = at + 4;
      into.bytes = bytes;
      return true;
    }
    at += 4 + bytes + ((4 - (bytes % 4)) % 4);
  }
  return false;
}
