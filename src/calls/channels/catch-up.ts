import type { IntervalRecord, SegmentRecord } from '../../model/record.ts';
import { directionMeasuredBy } from '../../model/report.ts';
import { channelScores } from './channel-record.ts';
import { takeInputs, takeSilence } from './channel-report.ts';
import type { ChannelState } from './channel-state.ts';
import type { ReportInputs } from '../directions/direction-report.ts';
import { noteCodec } from '../directions/direction-state.ts';
import type { ScoringRules } from '../scoring-rules.ts';

/**
 * Brings a channel from an older state to that after its last stored report, as `takeRtcp` would have. `intervals` are in the
 * order in which they came. Those that the state has counted already are skipped. Returns the segments that were closed.
 */
export function catchUp(
  channel: ChannelState,
  intervals: readonly IntervalRecord[],
  rules: ScoringRules,
): SegmentRecord[] {
  const closed: SegmentRecord[] = [];
  for (const interval of intervals) {
    const direction = channel[interval.direction];
    if (interval.reportNumber <= direction.total.reports) continue;
    if (interval.reportNumber > direction.total.reports + 1) {
      // The reports between these numbers came and were never stored.
      direction.total.reports = interval.reportNumber - 1;
      direction.reportsMissed = true;
    }
    channel.lastSeenAtMs = interval.atMs;
    if (direction.codec === null) noteCodec(direction, interval.codec, interval.atMs);
    if (interval.direction === directionMeasuredBy(interval.reporter)) {
      takeInputs(channel, inputsOf(interval), rules, closed);
    } else {
      takeSilence(channel, interval.atMs, rules, closed);
    }
  }
  channel.scores = channelScores(channel, rules);
  return closed;
}

function inputsOf(interval: IntervalRecord): ReportInputs {
  const { sentNtpS: ntpS, sentRtpTicks: rtpTicks, sentPackets, sentOctets } = interval;
  const { ssrc, fractionLostQ8, cumulativeLostPackets, extendedHighestSequence, jitterTicks, lsrNtp32, dlsrS } =
    interval;
  const hasSender = ntpS !== null && rtpTicks !== null && sentPackets !== null && sentOctets !== null;
  return {
    reporter: interval.reporter,
    sender: hasSender ? { ntpS, rtpTicks, sentPackets, sentOctets } : null,
    senderSsrc: interval.sentSsrc,
    // A block has all of these values or none.
    block:
      ssrc === null
        ? null
        : {
            sourceSsrc: ssrc,
            fractionLostQ8: fractionLostQ8 ?? 0,
            cumulativeLostPackets: cumulativeLostPackets ?? 0,
            extendedHighestSequence: extendedHighestSequence ?? 0,
            jitterTicks: jitterTicks ?? 0,
            lsrNtp32: lsrNtp32 ?? 0,
            dlsrS: dlsrS ?? 0,
          },
    // For a report that was used, the stream is known already.
    hasMoreBlocks: interval.kind === 'unused',
    rttSampleMs: interval.rttMs,
    nativeMes100: interval.nativeMes100,
    atMs: interval.atMs,
  };
}
