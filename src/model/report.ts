/** One RTCP report as Asterisk published it, with its units fixed. */

/** Asterisk's view: `rx` they sent and we received, `tx` we sent and they received. */
export type Direction = 'rx' | 'tx';

/** Who measured: this server (`RTCPSent`) or the far end (`RTCPReceived`). */
export type Reporter = 'local' | 'remote';

/** The sender part of an SR (RFC 3550 §6.4.1): the reporter's own stream, so the direction opposite to its report block. */
export interface SenderInfo {
  /** Wall clock of the sender at the moment of sending, seconds; only differences are used. */
  readonly ntpS: number;
  /** RTP time at the same moment, ticks, 32 bits. */
  readonly rtpTicks: number;
  /** Packets sent since the stream began, 32 bits. */
  readonly sentPackets: number;
  readonly sentOctets: number;
}

/** The report block (RFC 3550 §6.4.1): what the reporter received. Asterisk only ever fills block 0. */
export interface ReportBlock {
  /** SSRC of the stream that the block is about. */
  readonly sourceSsrc: number;
  readonly fractionLostQ8: number;
  /** Signed: duplicates can take it below zero. */
  readonly cumulativeLostPackets: number;
  /** Cycles × 65536 + highest sequence number received. */
  readonly extendedHighestSequence: number;
  /** Interarrival jitter in ticks of the stream's RTP clock. */
  readonly jitterTicks: number;
  /** Middle 32 bits of the last SR's NTP time; 0 when the reporter has had none. */
  readonly lsrNtp32: number;
  readonly dlsrS: number;
}

export interface RtcpReport {
  readonly reporter: Reporter;
  /** Absent in a pure RR. */
  readonly sender?: SenderInfo | undefined;
  /** Absent when the reporter received nothing from any source (report count 0). */
  readonly block?: ReportBlock | undefined;
  /** It has further blocks about other streams, which Asterisk does not show. */
  readonly hasMoreBlocks?: boolean | undefined;
  /** As printed, in milliseconds; only a sample when the block's LSR is not 0 (see `stats/round-trip.ts`). */
  readonly rttMs?: number | undefined;
  /** The reporter's own SSRC, known only for our own reports (`wire/ami/ami-rtcp.ts`). */
  readonly senderSsrc?: number | undefined;
  /** Asterisk's own score for the direction of the report block, 0-100; absent before Asterisk 20. */
  readonly nativeMes100?: number | undefined;
}

/** The direction that a reporter's report block is about. */
export function directionMeasuredBy(reporter: Reporter): Direction {
  return reporter === 'local' ? 'rx' : 'tx';
}

/** The direction that a reporter's sender part is about. */
export function directionSentBy(reporter: Reporter): Direction {
  return reporter === 'local' ? 'tx' : 'rx';
}
