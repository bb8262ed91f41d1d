import type { ReportBlock } from '../../model/report.ts';
import { signed24 } from '../../units/rtp.ts';
import { paddingBytes, PACKET_TYPE_EXTENDED_REPORT, RTCP_HEADER_BYTES, rtcpPacketEnd } from './rtcp-packets.ts';
import type { XrBlock } from './rtcp-xr-blocks.ts';
import { decodeXrBlocks } from './rtcp-xr.ts';

const PACKET_TYPE_SENDER_REPORT = 200;
const PACKET_TYPE_RECEIVER_REPORT = 201;
const PACKET_TYPE_BYE = 203;

const REPORT_BLOCK_BYTES = 24;
const SENDER_INFO_BYTES = 20;
const TWO_TO_16 = 65_536;
const TWO_TO_32 = 4_294_967_296;
/** SRTCP's index (RFC 3711 §3.4) and the usual lengths of what follows it: AES-CM's tags, and none with AEAD (RFC 7714). */
const SRTCP_INDEX_BYTES = 4;
const SRTCP_TAG_BYTES: readonly number[] = [10, 4, 0];
/** The E bit, and the upper bits of an index that no call ever gets to set. */
const ENCRYPTED_INDEX_TOP_BYTE = 0x80;

/** The sender's half of an SR (RFC 3550 §6.4.1). */
export interface RtcpSenderPart {
  readonly ssrc: number;
  /** Seconds since 1900 with a fraction. */
  readonly ntpS: number;
  /** Their middle 32 bits, which an answer repeats as LSR. */
  readonly ntp32: number;
  readonly rtpTicks: number;
  readonly sentPackets: number;
  readonly sentOctets: number;
}

/** The content of a compound RTCP packet. */
export interface RtcpCompound {
  readonly senders: RtcpSenderPart[];
  /** Each with the SSRC of who reports. */
  readonly reports: { readonly reporterSsrc: number; readonly block: ReportBlock }[];
  readonly extended: { readonly reporterSsrc: number; readonly blocks: readonly XrBlock[] }[];
  readonly goodbyes: number[];
}

/** `encrypted`: SRTCP, of which only the first header is readable. */
export type RtcpReading = RtcpCompound | 'encrypted' | 'malformed';

/**
 * Reads a compound RTCP packet (RFC 3550 §6.1) that fills the bytes from `start` to `end`.
 * Packets of other types are stepped over; a packet that does not fit makes the whole malformed, or ends the reading when
 * the capture was `cutShort`.
 */
export function readRtcp(view: DataView, start: number, end: number, cutShort = false): RtcpReading {
  const compound: RtcpCompound = { senders: [], reports: [], extended: [], goodbyes: [] };
  for (let at = start; at < end;) {
    const next = rtcpPacketEnd(view, at, end);
    if (next === undefined || !readPacket(view, at, next, compound)) {
      if (cutShort) break;
      return looksEncrypted(view, start, end) ? 'encrypted' : 'malformed';
    }
    at = next;
  }
  return compound;
}

function readPacket(view: DataView, at: number, end: number, into: RtcpCompound): boolean {
  const count = view.getUint8(at) & 0x1f;
  switch (view.getUint8(at + 1)) {
    case PACKET_TYPE_SENDER_REPORT:
      if (end - at < RTCP_HEADER_BYTES + 4 + SENDER_INFO_BYTES + count * REPORT_BLOCK_BYTES) return false;
      into.senders.push(readSender(view, at + RTCP_HEADER_BYTES));
      readReportBlocks(view, at + RTCP_HEADER_BYTES, at + RTCP_HEADER_BYTES + 4 + SENDER_INFO_BYTES, count, into);
      return true;
    case PACKET_TYPE_RECEIVER_REPORT:
      if (end - at < RTCP_HEADER_BYTES + 4 + count * REPORT_BLOCK_BYTES) return false;
      readReportBlocks(view, at + RTCP_HEADER_BYTES, at + RTCP_HEADER_BYTES + 4, count, into);
      return true;
    case PACKET_TYPE_EXTENDED_REPORT: {
      const padding = paddingBytes(view, at, end);
      if (padding === undefined || end - padding - at < RTCP_HEADER_BYTES + 4) return false;
      const blocks = decodeXrBlocks(view, at + RTCP_HEADER_BYTES + 4, end - padding);
      if (blocks === undefined) return false;
      into.extended.push({ reporterSsrc: view.getUint32(at + RTCP_HEADER_BYTES), blocks });
      return true;
    }
    case PACKET_TYPE_BYE:
      if (end - at < RTCP_HEADER_BYTES + count * 4) return false;
      for (let index = 0; index < count; index += 1) {
        into.goodbyes.push(view.getUint32(at + RTCP_HEADER_BYTES + index * 4));
      }
      return true;
    default:
      return true;
  }
}

/** `SSRC 4 | NTP seconds 4 | NTP fraction 4 | RTP time 4 | packets 4 | octets 4` */
function readSender(view: DataView, at: number): RtcpSenderPart {
  const seconds = view.getUint32(at + 4);
  const fraction = view.getUint32(at + 8);
  return {
    ssrc: view.getUint32(at),
    ntpS: seconds + fraction / TWO_TO_32,
    ntp32: (seconds % TWO_TO_16) * TWO_TO_16 + Math.floor(fraction / TWO_TO_16),
    rtpTicks: view.getUint32(at + 12),
    sentPackets: view.getUint32(at + 16),
    sentOctets: view.getUint32(at + 20),
  };
}

/** `source SSRC 4 | fraction lost 1 | cumulative lost 3 (signed) | cycles 2, sequence 2 | jitter 4 | LSR 4 | DLSR 4` */
function readReportBlocks(view: DataView, ssrcAt: number, first: number, count: number, into: RtcpCompound): void {
  const reporterSsrc = view.getUint32(ssrcAt);
  for (let index = 0; index < count; index += 1) {
    const at = first + index * REPORT_BLOCK_BYTES;
    into.reports.push({
      reporterSsrc,
      block: {
        sourceSsrc: view.getUint32(at),
        fractionLostQ8: view.getUint8(at + 4),
        cumulativeLostPackets: signed24(view.getUint32(at + 4)),
        extendedHighestSequence: view.getUint32(at + 8),
        jitterTicks: view.getUint32(at + 12),
        lsrNtp32: view.getUint32(at + 16),
        dlsrS: view.getUint32(at + 20) / TWO_TO_16,
      },
    });
  }
}

/** Whether, behind a readable first header, there is an SRTCP index with its E bit set (RFC 3711 §3.4). */
function looksEncrypted(view: DataView, start: number, end: number): boolean {
  if (rtcpPacketEnd(view, start, end) === undefined) return false;
  return SRTCP_TAG_BYTES.some((tagBytes) => {
    const indexAt = end - tagBytes - SRTCP_INDEX_BYTES;
    return indexAt >= start + 8 && view.getUint8(indexAt) === ENCRYPTED_INDEX_TOP_BYTE;
  });
}
