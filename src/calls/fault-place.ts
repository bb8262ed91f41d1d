import type { FaultPlace, FaultRecord } from '../model/record.ts';
import { computeMes } from '../score/mes.ts';
import type { CallState } from './call-book.ts';
import { type ChannelState, endpointOf, isLocalChannel } from './channel-state.ts';
import { directionRules, scoreInputs } from './direction-score.ts';
import { type DirectionState, isDead } from './direction-state.ts';
import { passedOnLossPercent } from './passed-on.ts';
import type { ScoringRules } from './scoring-rules.ts';
import { isLossKnown, jitterFigures, lossPercentOf, roundTripMeanMs } from './tally.ts';

/**
 * Loss, percent, that is a fault wherever the score puts it: with 2 % even G.711's MOS-LQ falls below 4 (G.107), while the
 * MES counts packets per report and so depends on how often there is one.
 */
const NOTICEABLE_LOSS_PERCENT = 2;
/** From here on the sentence names them; with 10 ms for the codec this round trip reaches the knee of the MES. */
const NOTICEABLE_ROUND_TRIP_MS = 150;
const NOTICEABLE_JITTER_MS = 20;
/** Less is not worth a word. */
const TRACE_PERCENT = 0.05;
/** Reports a direction that make a judgement sure, and likely; fewer make it a guess. */
const SURE_REPORTS = 10;
const LIKELY_REPORTS = 3;

const UNKNOWN: FaultRecord = { faultPlace: null, faultCertainty: null, faultReports: null, faultWhy: null };

/** One way between this server and a party. */
interface Stretch {
  readonly channel: ChannelState;
  readonly state: DirectionState;
  /** Of this stretch alone: what a native bridge passed through is taken off. Null: not known. */
  readonly ownLossPercent: number | null;
  readonly isBad: boolean;
  readonly isKnown: boolean;
}

/**
 * Where the fault of a two-party call lies, from its four directions. What a native bridge passes on is subtracted.
 */
export function findFault(call: CallState, rules: ScoringRules): FaultRecord {
  const parties = [...call.channels]
    .filter((channel) => !isLocalChannel(channel) && channel.rtcpEvents > 0)
    .toSorted((a, b) => a.startedAtMs - b.startedAtMs);
  const [first, second] = parties;
  if (parties.length !== 2 || first === undefined || second === undefined) return UNKNOWN;
  const [caller, callee] = second.uniqueid === call.linkedid ? [second, first] : [first, second];

  const stretches = {
    callerRx: stretchOf(caller, caller.rx, undefined, rules),
    callerTx: stretchOf(caller, caller.tx, callee.rx, rules),
    calleeRx: stretchOf(callee, callee.rx, undefined, rules),
    calleeTx: stretchOf(callee, callee.tx, caller.rx, rules),
  };
  const all = Object.values(stretches);
  const judged = all.filter(({ isKnown }) => isKnown);
  if (judged.length === 0) return UNKNOWN;
  const faultPlace = placeOf(stretches);
  const faultReports = judged.reduce((sum, { state }) => sum + reportsOf(state), 0);
  const fewest = Math.min(...judged.map(({ state }) => reportsOf(state)));
  // What nobody reported about may be at fault as well.
  const isWhole = judged.length === all.length;
  return {
    faultPlace,
    faultCertainty: isWhole && fewest >= SURE_REPORTS ? 'sure' : fewest >= LIKELY_REPORTS ? 'likely' : 'guess',
    faultReports,
    faultWhy: sentenceOf(
      faultPlace,
      caller,
      callee,
      all.filter(({ isBad }) => isBad),
    ),
  };
}

type Stretches = Readonly<Record<'callerRx' | 'callerTx' | 'calleeRx' | 'calleeTx', Stretch>>;

function placeOf({ callerRx, callerTx, calleeRx, calleeTx }: Stretches): FaultPlace {
  const isCallerBad = callerRx.isBad || callerTx.isBad;
  const isCalleeBad = calleeRx.isBad || calleeTx.isBad;
  if (!isCallerBad && !isCalleeBad) return 'none';
  if (isCallerBad && !isCalleeBad) return 'caller-network';
  if (!isCallerBad) return 'callee-network';
  // Both suffer in the same direction only: what they share is this server and its own line.
  const onlyTx = !callerRx.isBad && !calleeRx.isBad;
  const onlyRx = !callerTx.isBad && !calleeTx.isBad;
  return onlyTx || onlyRx ? 'this-server' : 'both-networks';
}

function stretchOf(
  channel: ChannelState,
  state: DirectionState,
  upstream: DirectionState | undefined,
  rules: ScoringRules,
): Stretch {
  const { total } = state;
  if (isDead(state)) return { channel, state, ownLossPercent: 100, isBad: true, isKnown: true };
  const lossPercent = lossPercentOf(total);
  if (!isLossKnown(total)) return { channel, state, ownLossPercent: null, isBad: false, isKnown: false };
  const ownLossPercent = lossPercent === null ? null : Math.max(0, lossPercent - passedOnLossPercent(upstream, state));
  const ownShare =
    lossPercent === null || lossPercent === 0 || ownLossPercent === null ? 1 : ownLossPercent / lossPercent;
  const own = directionRules(channel, state, rules);
  const inputs = scoreInputs(state, total, own);
  const { mes } = computeMes(own.profile, {
    ...inputs,
    lostPacketsMean: inputs.lostPacketsMean * ownShare,
    lossPercent: ownLossPercent ?? inputs.lossPercent,
  });
  return {
    channel,
    state,
    ownLossPercent,
    isBad: mes < rules.thresholds.good || (ownLossPercent ?? 0) >= NOTICEABLE_LOSS_PERCENT,
    isKnown: true,
  };
}

function reportsOf({ total }: DirectionState): number {
  return total.mediaReports + total.deadReports;
}

function sentenceOf(place: FaultPlace, caller: ChannelState, callee: ChannelState, bad: readonly Stretch[]): string {
  if (place === 'none') return 'No stretch of the call was bad by itself.';
  const beginnings: Readonly<Record<typeof place, string>> = {
    'caller-network': `The fault lies between ${endpointOf(caller.name)} (the caller) and this server`,
    'callee-network': `The fault lies between ${endpointOf(callee.name)} (the callee) and this server`,
    'both-networks': "Both parties' networks are at fault",
    'this-server': 'Both parties suffer in the same direction only, so the fault lies at this server or its own line',
  };
  const facts = [...bad.flatMap(describeStretch), ...longWays(bad)];
  return facts.length === 0 ? `${beginnings[place]}.` : `${beginnings[place]}: ${facts.join(', ')}.`;
}

/** What is wrong with a stretch beside its round trip; empty when nothing is worth a word. */
function describeStretch({ channel, state, ownLossPercent }: Stretch): string[] {
  const endpoint = endpointOf(channel.name);
  const way = state.direction === 'rx' ? `from ${endpoint}` : `to ${endpoint}`;
  if (ownLossPercent === 100) {
    const isUncounted = state.direction === 'rx' && state.total.packetsLost === 0;
    return [`nothing arrived ${way}${isUncounted ? ', which does not say that it sent anything' : ''}`];
  }
  const loss = ownLossPercent === null ? 'some loss' : `${ownLossPercent.toFixed(1)} % lost`;
  const hasLoss = ownLossPercent === null ? state.total.packetsLost > 0 : ownLossPercent >= TRACE_PERCENT;
  const jitterMs = jitterFigures(state.total, state.clockRateHz).meanMs;
  const facts = [
    ...(hasLoss ? [loss] : []),
    ...(jitterMs >= NOTICEABLE_JITTER_MS ? [`a jitter of ${jitterMs.toFixed(0)} ms`] : []),
  ];
  return facts.length === 0 ? [] : [`${facts.join(' and ')} ${way}`];
}

/** The round trip belongs to a party, not to a direction. */
function longWays(bad: readonly Stretch[]): string[] {
  return [...new Set(bad.map(({ channel }) => channel))].flatMap((channel) => {
    const rttMs = roundTripMeanMs(channel.rx.total);
    if (rttMs === undefined || rttMs < NOTICEABLE_ROUND_TRIP_MS) return [];
    return [`a round trip of ${rttMs.toFixed(0)} ms to ${endpointOf(channel.name)}`];
  });
}
