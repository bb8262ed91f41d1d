/** How RTCP packets lie one after another in a compound packet (RFC 3550 §6.1). */
export const PACKET_TYPE_EXTENDED_REPORT = 207;

const VERSION_2 = 0b10;
const FIRST_PACKET_TYPE = 192;
const LAST_PACKET_TYPE = 223;
export const RTCP_HEADER_BYTES = 4;
const PADDING_BIT = 0x20;

export interface RtcpPacketPlace {
  readonly type: number;
  readonly start: number;
  readonly end: number;
}

/** Whether the first two bytes are those of RTCP (RFC 5761 §4): no report block of RFC 3611 begins so. */
export function looksLikeRtcp(view: DataView, at: number, end: number): boolean {
  if (end - at < RTCP_HEADER_BYTES || view.getUint8(at) >> 6 !== VERSION_2) return false;
  const type = view.getUint8(at + 1);
  return type >= FIRST_PACKET_TYPE && type <= LAST_PACKET_TYPE;
}

/**
 * Where the packet at `at` ends; undefined when it is none, or is longer than what there is.
 * ```
 * V=2 P RC/subtype 5 | packet type 1 | 32-bit words after this one 2 | …
 * ```
 */
export function rtcpPacketEnd(view: DataView, at: number, end: number): number | undefined {
  if (!looksLikeRtcp(view, at, end)) return undefined;
  const next = at + RTCP_HEADER_BYTES + view.getUint16(at + 2) * 4;
  return next > end ? undefined : next;
}

/** The packets that fill the bytes from `start` to `end`; undefined when they do not. */
export function rtcpPackets(view: DataView, start: number, end: number): RtcpPacketPlace[] | undefined {
  const packets: RtcpPacketPlace[] = [];
  for (let at = start; at < end;) {
    const next = rtcpPacketEnd(view, at, end);
    if (next === undefined) return undefined;
    packets.push({ type: view.getUint8(at + 1), start: at, end: next });
    at = next;
  }
  return packets;
}

/** Bytes at the end of a packet that are padding (RFC 3550 §6.4.1): 0 without the P bit, undefined when they cannot be. */
export function paddingBytes(view: DataView, at: number, end: number): number | undefined {
  if ((view.getUint8(at) & PADDING_BIT) === 0) return 0;
  const bytes = view.getUint8(end - 1);
  return bytes > 0 && bytes % 4 === 0 && bytes <= end - at - RTCP_HEADER_BYTES ? bytes : undefined;
}
