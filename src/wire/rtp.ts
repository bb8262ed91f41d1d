/**
 * RTP's fixed header (RFC 3550 §5.1), read in place.
 * ```
 * V=2 P X CC | M PT | sequence number 2 | timestamp 4 | SSRC 4 | CSRC 4 × CC
 * ```
 */
export const RTP_HEADER_BYTES = 12;
const VERSION_2 = 0b10;
const PADDING_BIT = 0x20;
const EXTENSION_BIT = 0x10;
const CSRC_COUNT = 0x0f;

/** RFC 5761 §4: with RTP and RTCP on one port, these values of the second byte are RTCP. */
const FIRST_RTCP_TYPE = 192;
const LAST_RTCP_TYPE = 223;

/** Comfort noise (RFC 3389), with an 8000 Hz clock. */
export const PAYLOAD_TYPE_COMFORT_NOISE = 13;

export type MediaKind = 'rtp' | 'rtcp' | 'other';

/** The kind of a UDP payload, by its first two bytes (RFC 5761, RFC 7983); `end` is after the last captured byte. */
export function mediaKind(view: DataView, start: number, end: number): MediaKind {
  if (end - start < 8 || view.getUint8(start) >> 6 !== VERSION_2) return 'other';
  const second = view.getUint8(start + 1);
  if (second >= FIRST_RTCP_TYPE && second <= LAST_RTCP_TYPE) return 'rtcp';
  return end - start >= RTP_HEADER_BYTES ? 'rtp' : 'other';
}

/** Whether a payload of `payloadBytes` can hold the CSRC list and the extension that its header announces. */
export function isWholeRtpHeader(view: DataView, start: number, payloadBytes: number): boolean {
  return payloadBytes >= RTP_HEADER_BYTES + (view.getUint8(start) & 0x0f) * 4;
}

/**
 * Bytes of media: what is left after the CSRC list, the header extension (§5.3.1) and the padding (§5.1). `end` is after
 * the last captured byte; an extension's length or a padding's that was not captured counts as media.
 */
export function rtpMediaBytes(view: DataView, start: number, end: number, payloadBytes: number): number {
  const first = view.getUint8(start);
  const mediaBytes = payloadBytes - rtpHeaderBytes(view, start, end);
  if ((first & PADDING_BIT) === 0 || end - start < payloadBytes || mediaBytes <= 0) return Math.max(0, mediaBytes);
  const paddingBytes = view.getUint8(end - 1);
  return paddingBytes <= mediaBytes ? mediaBytes - paddingBytes : mediaBytes;
}

/** Bytes before the media: the fixed header, the CSRC list, and the header extension, as far as its length was captured. */
export function rtpHeaderBytes(view: DataView, start: number, end: number): number {
  const first = view.getUint8(start);
  const headerBytes = RTP_HEADER_BYTES + (first & CSRC_COUNT) * 4;
  const hasExtension = (first & EXTENSION_BIT) !== 0 && start + headerBytes + 4 <= end;
  return hasExtension ? headerBytes + 4 + view.getUint16(start + headerBytes + 2) * 4 : headerBytes;
}

export function rtpPayloadType(view: DataView, start: number): number {
  return view.getUint8(start + 1) & 0x7f;
}

export function rtpMarker(view: DataView, start: number): boolean {
  return view.getUint8(start + 1) > 0x7f;
}

export function rtpSequence(view: DataView, start: number): number {
  return view.getUint16(start + 2);
}

/** RTP timestamp, ticks, as a signed 32-bit number: only differences mean anything. */
export function rtpTimestamp(view: DataView, start: number): number {
  return view.getInt32(start + 4);
}

export function rtpSsrc(view: DataView, start: number): number {
  return view.getInt32(start + 8);
}
