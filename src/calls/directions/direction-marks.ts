import type { StreamMarks } from '../../stats/stream-marks.ts';
import { numberRow } from '../../stats/number-row.ts';

/** What is known of a direction in numbers, beside its sums: where its reports stand, and when it lost packets. */
export class DirectionMarks
  extends numberRow({
    known: [
      'packetRateHz',
      // Reports without a single packet since the channel came up.
      'emptyReports',
      'lossyReports',
      // Expected packets that are an estimate: those before the first report of a stream, which does not tell their number.
      'estimatedPackets',
      // For tx: how often in a row our own SSRC went back to the one before.
      'sentSsrcFlips',
      // See `StreamMarks`.
      'baselineLostPackets',
      'countedLostPackets',
      'recentLostPackets',
    ],
    unknown: [
      'ssrc',
      'nativeMes100',
      // The values of the last report alone.
      'lastLossPercent',
      'lastPacketsReceived',
      'lastFractionLostQ8',
      'lastJitterTicks',
      // How often the reporter reports.
      'paceMs',
      // Jitter of the last report in ticks, if it gave no sample.
      'refusedJitterTicks',
      // For tx: our own SSRC in our latest report, and the one before it.
      'sentSsrc',
      'sentSsrcBefore',
      // The last block about another stream; null: the last block was about ours.
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
      // Where the receiver's reports and the sender's SRs stood at the first of a session, see `flow.ts`.
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
      // Octets in each packet of its audio; unknown: they are not the same.
      'srAudioOctets',
      // See `first-estimate.ts`: where the first report stood, and how many packets it seemed to expect.
      'firstHighestSequence',
      'firstExpectedPackets',
      // For tx: the SSRC that was reported on before `markSsrc`.
      'formerSsrc',
    ],
    times: [
      // When the direction last got another source (hold, bridge); null: never since media first flowed.
      'disturbedAtMs',
      // When a digit (DTMF) was last sent in this direction, or taken out of the audio that is passed on in it.
      'digitAtMs',
      // When the sender's count last told of digits that no event had told of.
      'digitsToldAtMs',
      // When packets were lost, for the sentence that explains a score: the begin of the first interval with more than a trace of
      // loss, the end of the last one, and since when nothing has arrived (null: something does).
      'firstMediaAtMs',
      'firstLossyAtMs',
      'lastLossyAtMs',
      'deadSinceMs',
      // When the first report came; null once its estimate is as good as it gets.
      'firstAtMs',
      // When the reporter last reported.
      'reportedAtMs',
      // For tx: when the report with `sentSsrc` came.
      'sentSsrcAtMs',
      // Since when blocks have been about another stream, and when the last of them came.
      'anotherSinceMs',
      'anotherAtMs',
      // For tx: when the captured report that last replaced AMI's was captured.
      'capturedReportAtMs',
      // Since when the far end's reports have been about a stream that this server no longer sends.
      'unknownSinceMs',
      // See `StreamMarks`.
      'markAtMs',
      'markMovedAtMs',
      'markMovedSenderAtMs',
      'markSenderAtMs',
      'senderAtMs',
      // Times of the first and last report of a session, and of the sender's SRs, see `flow.ts`.
      'flowSinceMs',
      'flowAtMs',
      'srFlowSinceMs',
      'srFlowAtMs',
      // When a party last put the call on hold, or took it back.
      'heldAtMs',
      // For tx: when the channel last entered another bridge than its first.
      'movedAtMs',
    ],
    sampled: [],
  })
  implements StreamMarks {}
