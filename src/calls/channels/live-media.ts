import { endpointOf } from '../../model/channel.ts';
import type { LiveMedia, MediaSums, SampleSums } from '../../model/ports.ts';
import { type Moments, standardDeviation } from '../../stats/moments.ts';
import type { DirectionState } from '../directions/direction-state.ts';
import { isLossKnown, jitterOf } from '../directions/tally.ts';
import { judgeChannel } from '../why/judgement.ts';
import { countsOf } from './channel-record.ts';
import type { ChannelState } from './channel-state.ts';

/** What the alert rules ask of each of thousands of channels: a part of `channelRecord`, for a tenth of the work. */
export function liveMedia(channel: ChannelState, peer: ChannelState | undefined): LiveMedia {
  return {
    uniqueid: channel.uniqueid,
    linkedid: channel.linkedid,
    endpoint: endpointOf(channel.name),
    site: channel.site,
    startedAtMs: channel.startedAtMs,
    endedAtMs: channel.endedAtMs,
    answeredAtMs: channel.answeredAtMs,
    onHold: channel.onHold,
    verdict: judgeChannel(channel, peer, channel.endedAtMs ?? undefined),
    streams: [sumsOf(channel, channel.rx), sumsOf(channel, channel.tx)],
  };
}

function sumsOf(channel: ChannelState, state: DirectionState): MediaSums {
  const { total } = state;
  const counts = countsOf(channel, state);
  return {
    direction: state.direction,
    reporter: state.direction === 'rx' ? 'local' : 'remote',
    reports: total.reports,
    deadReports: total.deadReports,
    packetsExpected: counts?.packetsExpected ?? (total.packetsExpected > 0 ? total.packetsExpected : null),
    packetsLost: counts?.packetsLost ?? (isLossKnown(total) ? total.packetsLost : null),
    jitterMs: sampleSums(jitterOf(total, state.clockRateHz)),
    rttMs: sampleSums(total.rttMs),
  };
}

const NONE: SampleSums = { last: null, mean: null, stdev: null, count: 0 };

function sampleSums(moments: Moments): SampleSums {
  const { count, last, mean } = moments;
  return count === 0 ? NONE : { last, mean, stdev: standardDeviation(moments), count };
}
