import type { StreamMarks } from '../../stats/interval.ts';
import { numberRow } from '../../stats/number-row.ts';

/** What is known of a direction in numbers, beside its sums: where its reports stand, and when losses were seen. */
export class DirectionMarks
  extends numberRow({
    known: [
      'packetRateHz',
      // Reports without a single packet since the channel came up.
      'emptyReports',
      'lossyReports',
      // Of the expected packets, those before the first report of a stream: that does not say how many they were.
      'estimatedPackets',
      // Of tx: how often in a row our own SSRC was the one before the last again.
      'sentSsrcFlips',
      // See `StreamMarks`.
      'baselineLostPackets',
      'countedLostPackets',
      'recentLostPackets',
    ],
    unknown: [
      'ssrc',
      'nativeMes100',
      // Of the last report alone.
      'lastLossPercent',
      'lastPacketsReceived',
      'lastFractionLostQ8',
      'lastJitterTicks',
      // How often the reporter reports.
      'paceMs',
      // Jitter of the last report, ticks, when it was no sample.
      'refusedJitterTicks',
      // Of tx: our own SSRC by our latest report, and the one before it.
      'sentSsrc',
      'sentSsrcBefore',
      // The last block about another stream, while there is one.
      'anotherSsrc',
      'anotherHighestSequence',
      'anotherLostPackets',
      // See `StreamMarks`.
      'markSsrc',
      'markLostPackets',
      'markHighestSequence',
      'markMovedSenderPackets',
      'markSenderPackets',
      'markLostWhileStillPackets',
      'senderPackets',
      // See `flow.ts`: where the receiver's reports and the sender's SRs stood at the first of a session.
      'flowFromExpected',
      'flowFromLost',
      'srFlowFromPackets',
      'srFlowFromOctets',
      'srFlowPackets',
      'srFlowOctets',
      // The sender's last SR.
      'srNtpS',
      'srRtpTicks',
      'srPackets',
      'srOctets',
      // Of tx: the stream that was reported on before the one of `markSsrc`.
      'formerSsrc',
    ],
    times: [
      // When another source was last put on this direction (hold, bridge); null if never since media first flowed.
      'disturbedAtMs',
      // When a digit (DTMF) was last sent in this direction, or taken out of what is passed on in it.
      'digitAtMs',
      // When loss was seen, for the sentence that explains a score: the begin of the first interval that lost more than a
      // trace, the end of the last one, and since when nothing has arrived any more (null while something does).
      'firstMediaAtMs',
      'firstLossyAtMs',
      'lastLossyAtMs',
      'deadSinceMs',
      // When the reporter last reported.
      'reportedAtMs',
      // Of tx: when the report came that had `sentSsrc`.
      'sentSsrcAtMs',
      // Since when there have been blocks about another stream, and when the last one came.
      'anotherSinceMs',
      'anotherAtMs',
      // Of tx: when the captured report was captured that was last taken in the place of AMI's.
      'capturedReportAtMs',
      // Since when the far end's reports are about a stream that this server does not send any more.
      'unknownSinceMs',
      // See `StreamMarks`.
      'markAtMs',
      'markMovedAtMs',
      'markMovedSenderAtMs',
      'markSenderAtMs',
      'senderAtMs',
      // See `flow.ts`: the first and the last report of a session, and the same of the sender's SRs.
      'flowSinceMs',
      'flowAtMs',
      'srFlowSinceMs',
      'srFlowAtMs',
      // When one of the parties last held the call, or took it back.
      'heldAtMs',
      // Of tx: when the channel last came into another bridge than its first.
      'movedAtMs',
    ],
    sampled: [],
  })
  implements StreamMarks {}
