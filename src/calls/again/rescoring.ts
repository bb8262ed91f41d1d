import type { CallRecord, ChannelRecord, StreamRecord } from '../../model/record.ts';
import type { RescoredCall, StoredCall } from '../../model/rescoring.ts';
import { meanOfKnown } from '../../score/verdict.ts';
import { callRecord } from '../linked-calls.ts';
import { channelRecord } from '../channels/channel-record.ts';
import type { ChannelState, ScoresAround } from '../channels/channel-state.ts';
import { isWhole, replayChannel, type ReplayedChannel } from './replay.ts';
import { scoresOf } from './rescored-fields.ts';
import type { ScoringRules } from '../scoring-rules.ts';

/**
 * An ended call as `rules` would have scored it from the start. Null: some of its reports are not stored any more, and a call is
 * never scored from a part of them. What does not depend on the rules stays, such as the reason for a missing score.
 */
export function rescoreCall(stored: StoredCall, rules: ScoringRules): RescoredCall | null {
  if (![...stored.channels, ...stored.peers].every(isWhole)) return null;
  const own = stored.channels.map((channel) => replayChannel(channel, rules));
  const peers = stored.peers.map((peer) => replayChannel(peer, rules));
  const known = new Map([...own, ...peers].map((replayed) => [replayed.state.uniqueid, replayed]));
  const channels = own.map((replayed) => rescoredChannel(replayed, stored.call, own, known, rules));
  return {
    call: rescoredCall(stored.call, own, rules),
    channels,
    segments: own.flatMap(({ segments }) => segments),
    intervals: own.flatMap(({ intervals }) => intervals),
  };
}

function rescoredChannel(
  replayed: ReplayedChannel,
  call: CallRecord,
  own: readonly ReplayedChannel[],
  known: ReadonlyMap<string, ReplayedChannel>,
  rules: ScoringRules,
): ChannelRecord {
  const { state, stored } = replayed;
  const { channel } = stored;
  restoreCounters(state, channel);
  const peer = channel.peerUniqueid === null ? undefined : known.get(channel.peerUniqueid)?.state;
  const again = channelRecord(state, rules, scoresAround(channel, call, own, known), peer);
  const { mes, mesRx, mesTx, mesPeerRx, mesPeerTx, mesCall, mesMin, profile, version } = again;
  return {
    ...channel,
    mes,
    mesRx,
    mesTx,
    mesPeerRx,
    mesPeerTx,
    mesCall,
    mesMin,
    profile,
    version,
    verdict: mes === null ? channel.verdict : again.verdict,
    streams: channel.streams.map((stream) => {
      const scored = again.streams.find(({ direction }) => direction === stream.direction);
      return scored === undefined ? stream : rescoredStream(stream, scored);
    }),
  };
}

function rescoredStream(stored: StreamRecord, again: StreamRecord): StreamRecord {
  const { mosLqInterval, mosCqInterval, verdict, why, nativeWhy, capture } = again;
  return {
    ...stored,
    ...scoresOf(again),
    mosLqInterval,
    mosCqInterval,
    nativeWhy,
    capture,
    ...(again.mes === null ? {} : { verdict, why }),
  };
}

/**
 * The scores of peer and call when the channel's final scores were written, or else at the end of the call. What was unknown then
 * stays unknown.
 */
function scoresAround(
  channel: ChannelRecord,
  call: CallRecord,
  own: readonly ReplayedChannel[],
  known: ReadonlyMap<string, ReplayedChannel>,
): ScoresAround {
  const atMs = channel.finalAtMs ?? call.endedAtMs ?? Number.POSITIVE_INFINITY;
  const peer = channel.peerUniqueid === null ? undefined : known.get(channel.peerUniqueid)?.scoresAt(atMs);
  const scores = own.map((replayed) => replayed.scoresAt(atMs));
  return {
    mesPeerRx: channel.mesPeerRx === null ? null : (peer?.mesRx ?? null),
    mesPeerTx: channel.mesPeerTx === null ? null : (peer?.mesTx ?? null),
    mesCall: channel.mesCall === null ? null : meanOfKnown(scores.flatMap(({ mesRx, mesTx }) => [mesRx, mesTx])),
  };
}

/**
 * Restores Asterisk's own counters, which are not stored. If a stream's packets are more than its reports add up to, they came
 * from there. A channel without a score gets counters that lead to its stored reason.
 */
function restoreCounters(state: ChannelState, { streams, verdict }: ChannelRecord): void {
  const rx = streams.find(({ direction }) => direction === 'rx');
  const { total } = state.rx;
  const isOfReports =
    rx?.packetsReceived === (total.packetsExpected > 0 ? total.packetsExpected - total.packetsLostOfExpected : null) &&
    rx.packetsLost === (total.lostPackets.count === 0 ? null : total.packetsLost);
  if (!isOfReports && rx !== undefined && rx.packetsReceived !== null && rx.packetsLost !== null) {
    state.counters = { rxPackets: rx.packetsReceived, rxLostPackets: rx.packetsLost };
  }
  if (state.scores.mesRx !== null || state.scores.mesTx !== null) return;
  if (verdict === 'no-rtcp') state.wentPastUs = true;
  if (verdict === 'no-media') state.counters = { rxPackets: 0, ...state.counters };
}

function rescoredCall(stored: CallRecord, own: readonly ReplayedChannel[], rules: ScoringRules): CallRecord {
  const { linkedid, startedAtMs, endedAtMs } = stored;
  const channels = new Set(own.map(({ state }) => state));
  const again = callRecord({ linkedid, startedAtMs, endedAtMs, channels, joinedInto: null }, rules);
  const { endedBy, endedByUniqueid } = stored;
  return { ...again, endedBy, endedByUniqueid, verdict: again.mes === null ? stored.verdict : again.verdict };
}
