import type { SenderInfo } from '../model/report.ts';
import type { ReceiverMark, SenderMark } from '../stats/interval.ts';
import { numberRow } from '../stats/number-row.ts';

/** What is known of a direction in numbers, beside its sums: where its reports stand, and when losses were seen. */
export class DirectionMarks extends numberRow({
  known: [
    'packetRateHz',
    // Reports without a single packet since the channel came up.
    'emptyReports',
    'gapMsSum',
    'gapCount',
    'lossyReports',
  ],
  unknown: [
    'ssrc',
    'nativeMes100',
    // When another source was last put on this direction (hold, bridge); null if never since media first flowed.
    'disturbedAtMs',
    // When loss was seen, for the sentence that explains a score: the begin of the first interval that lost more than a
    // trace, the end of the last one, and since when nothing has arrived any more (null while something does).
    'firstMediaAtMs',
    'firstLossyAtMs',
    'lastLossyAtMs',
    'deadSinceMs',
    // Of the last report alone.
    'lastLossPercent',
    'lastPacketsReceived',
    'lastFractionLostQ8',
    'lastJitterTicks',
    // The parts of `mark`, of `sender` and of `lastSr`.
    'markAtMs',
    'markSsrc',
    'markLostPackets',
    'markHighestSequence',
    'markSenderPackets',
    'markSenderAtMs',
    'markLostWhileStillPackets',
    'senderPackets',
    'senderAtMs',
    'srNtpS',
    'srRtpTicks',
    'srPackets',
    'srOctets',
  ],
  sampled: [],
}) {
  /** Where the receiver stood at its last report. */
  get mark(): ReceiverMark | null {
    const { markAtMs, markSsrc, markLostPackets, markHighestSequence, markSenderPackets, markSenderAtMs } = this;
    if (markAtMs === null) return null;
    const hasBlock = markSsrc !== null && markLostPackets !== null && markHighestSequence !== null;
    return {
      atMs: markAtMs,
      block: hasBlock
        ? {
            sourceSsrc: markSsrc,
            cumulativeLostPackets: markLostPackets,
            extendedHighestSequence: markHighestSequence,
          }
        : null,
      sender: senderMark(markSenderPackets, markSenderAtMs),
      lostWhileStillPackets: this.markLostWhileStillPackets,
    };
  }

  set mark(mark: ReceiverMark | null) {
    this.markAtMs = mark?.atMs ?? null;
    this.markSsrc = mark?.block?.sourceSsrc ?? null;
    this.markLostPackets = mark?.block?.cumulativeLostPackets ?? null;
    this.markHighestSequence = mark?.block?.extendedHighestSequence ?? null;
    this.markSenderPackets = mark?.sender?.sentPackets ?? null;
    this.markSenderAtMs = mark?.sender?.atMs ?? null;
    this.markLostWhileStillPackets = mark?.lostWhileStillPackets ?? null;
  }

  /** What the sender said last. */
  get sender(): SenderMark | null {
    return senderMark(this.senderPackets, this.senderAtMs);
  }

  set sender(sender: SenderMark | null) {
    this.senderPackets = sender?.sentPackets ?? null;
    this.senderAtMs = sender?.atMs ?? null;
  }

  get lastSr(): SenderInfo | null {
    const { srNtpS: ntpS, srRtpTicks: rtpTicks, srPackets: sentPackets, srOctets: sentOctets } = this;
    if (ntpS === null || rtpTicks === null || sentPackets === null || sentOctets === null) return null;
    return { ntpS, rtpTicks, sentPackets, sentOctets };
  }

  set lastSr(sr: SenderInfo | null) {
    this.srNtpS = sr?.ntpS ?? null;
    this.srRtpTicks = sr?.rtpTicks ?? null;
    this.srPackets = sr?.sentPackets ?? null;
    this.srOctets = sr?.sentOctets ?? null;
  }
}

function senderMark(sentPackets: number | null, atMs: number | null): SenderMark | null {
  return sentPackets === null || atMs === null ? null : { sentPackets, atMs };
}
