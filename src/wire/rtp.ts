/**
 * RTP's fixed header (RFC 3550 §5.1), read in place.
 * ```
 * V=2 P X CC | M PT | sequence number 2 | timestamp 4 | SSRC 4 | CSRC 4 × CC
 * ```
 */
export const RTP_HEADER_BYTES = 12;
const VERSION_2 = 0b10;

/** RFC 5761 §4: with RTP and RTCP on one port, these values of the second byte are RTCP. */
const FIRST_RTCP_TYPE = 192;
const LAST_RTCP_TYPE = 223;

/** Comfort noise (RFC 3389), with an 8000 Hz clock. */
export const PAYLOAD_TYPE_COMFORT_NOISE = 13;

export type MediaKind = 'rtp' | 'rtcp' | 'other';

/** What a UDP payload is by its first two bytes (RFC 5761, RFC 7983); `end` is after the last captured byte. */
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
