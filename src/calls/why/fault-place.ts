import type { FaultRecord } from '../../model/record.ts';
import type { NetworkPlace } from '../../model/fault.ts';
import type { QualityWord } from '../../model/score.ts';
import { JITTER_LIMIT_MS } from '../../score/limits.ts';
import type { CallState } from '../call-state.ts';
import { causesOf, mainCauses } from './causes.ts';
import { type ChannelState, isLocalChannel } from '../channels/channel-state.ts';
import { endpointOf } from '../../model/channel.ts';
import { directionRules } from '../directions/direction-score.ts';
import { type DirectionState, isDead, knownCodec } from '../directions/direction-state.ts';
import { networkWord } from './judgement.ts';
import { passedOnLossPercent, sentOnTooLittle } from './passed-on.ts';
import type { ScoringRules } from '../scoring-rules.ts';
import { jitterFigures, lossPercentOf, roundTripMeanMs } from '../directions/tally.ts';

/** From here on the sentence names a round trip. With 10 ms for the codec it reaches the knee of the MES. */
const NOTICEABLE_ROUND_TRIP_MS = 150;
const NOTICEABLE_JITTER_MS = 20;
/** A smaller loss is not mentioned. */
const TRACE_PERCENT = 0.05;
/** Reports that each direction needs for a sure judgement, and for a likely one. With fewer it is a guess. */
const SURE_REPORTS = 10;
const LIKELY_REPORTS = 3;

const UNKNOWN: FaultRecord = { faultPlace: null, faultCertainty: null, faultReports: null, faultWhy: null };

/** The network between this server and a party, in one direction. */
interface Stretch {
  readonly channel: ChannelState;
  readonly peer: ChannelState;
  readonly state: DirectionState;
  /** The loss of this stretch alone, without what was lost before and passed on; null: not known. */
  readonly ownLossPercent: number | null;
  readonly passedOnPercent: number;
  /** The part of the audio that came in for this direction and was sent on; undefined: it was enough, or is not known. */
  readonly sentOnRatio: number | undefined;
  /** The direction's word, and its word for this stretch's network alone; null: not known yet. */
  readonly word: QualityWord | null;
  readonly networkWord: QualityWord | null;
  readonly isDead: boolean;
}

/** Whether its network alone is at fault. */
function isBad({ isDead: dead, word, networkWord: ofNetwork }: Stretch): boolean {
  return dead || (isBelowGood(word) && isBelowGood(ofNetwork));
}

function isBelowGood(word: QualityWord | null): boolean {
  return word !== null && word !== 'good';
}

function isKnown({ isDead: dead, word }: Stretch): boolean {
  return dead || word !== null;
}

/**
 * Finds where the fault of a two-party call lies, from its four directions. Loss that one direction passes on to another is
 * subtracted there.
 */
export function findFault(call: CallState, rules: ScoringRules): FaultRecord {
  const legs = [...call.channels]
    .filter((channel) => !isLocalChannel(channel) && channel.rtcpEvents > 0)
    .toSorted((a, b) => a.startedAtMs - b.startedAtMs);
  const parties = legs.length > 2 ? lastParties(call, legs) : legs;
  const [first, second] = parties;
  if (parties.length !== 2 || first === undefined || second === undefined) return UNKNOWN;
  const [caller, callee] = second.uniqueid === call.linkedid ? [second, first] : [first, second];

  const stretches = {
    callerRx: stretchOf(caller, callee, caller.rx, rules),
    callerTx: stretchOf(caller, callee, caller.tx, rules),
    calleeRx: stretchOf(callee, caller, callee.rx, rules),
    calleeTx: stretchOf(callee, caller, callee.tx, rules),
  };
  const all = Object.values(stretches);
  const judged = all.filter(isKnown);
  if (judged.length === 0) return UNKNOWN;
  const faultPlace = placeOf(stretches);
  const faultReports = judged.reduce((sum, { state }) => sum + reportsOf(state), 0);
  const fewest = Math.min(...judged.map(({ state }) => reportsOf(state)));
  // A direction that nobody reported about may be at fault as well.
  const isWhole = judged.length === all.length;
  const faultCertainty = isWhole && fewest >= SURE_REPORTS ? 'sure' : fewest >= LIKELY_REPORTS ? 'likely' : 'guess';
  // A guess is not enough to say that nothing is at fault.
  if (faultPlace === 'none' && faultCertainty === 'guess') return UNKNOWN;
  return { faultPlace, faultCertainty, faultReports, faultWhy: sentenceOf(faultPlace, caller, callee, all, rules) };
}

/**
 * After transfers: the caller and who spoke with it last. Empty where it is not one of those who spoke last, and where a leg of
 * before has a fault of its own: then the place of the last two is not that of the call.
 */
function lastParties(call: CallState, legs: readonly ChannelState[]): readonly ChannelState[] {
  const caller = legs.find(({ uniqueid }) => uniqueid === call.linkedid);
  const peer = legs.find(
    ({ uniqueid, peerUniqueid }) => uniqueid === caller?.peerUniqueid && peerUniqueid === caller.uniqueid,
  );
  if (caller === undefined || peer === undefined) return [];
  const hasFault = ({ rx, tx, scores }: ChannelState): boolean =>
    isDead(rx) || isDead(tx) || isBelowGood(scores.wordRx) || isBelowGood(scores.wordTx);
  return legs.some((leg) => leg !== caller && leg !== peer && hasFault(leg)) ? [] : [caller, peer];
}

type Stretches = Readonly<Record<'callerRx' | 'callerTx' | 'calleeRx' | 'calleeTx', Stretch>>;

function placeOf(stretches: Stretches): NetworkPlace {
  const { callerRx, callerTx, calleeRx, calleeTx } = stretches;
  const isCallerBad = isBad(callerRx) || isBad(callerTx);
  const isCalleeBad = isBad(calleeRx) || isBad(calleeTx);
  if (!isCallerBad && !isCalleeBad) return placeOfTheRest(Object.values(stretches));
  if (isCallerBad && !isCalleeBad) return 'caller-network';
  if (!isCallerBad) return 'callee-network';
  // Both parties suffer in the same direction only. What they share is this server and its own line.
  const onlyTx = !isBad(callerRx) && !isBad(calleeRx);
  const onlyRx = !isBad(callerTx) && !isBad(calleeTx);
  return onlyTx || onlyRx ? 'this-server' : 'both-networks';
}

/**
 * The place where no stretch is bad by itself: this server may have left audio out, or two small losses add up to a large one.
 */
function placeOfTheRest(stretches: readonly Stretch[]): NetworkPlace {
  if (stretches.some(({ sentOnRatio }) => sentOnRatio !== undefined)) return 'this-server';
  return stretches.some(isSumBad) ? 'both-networks' : 'none';
}

function isSumBad(stretch: Stretch): boolean {
  return isBelowGood(stretch.word) && !isBad(stretch) && stretch.passedOnPercent >= TRACE_PERCENT;
}

function stretchOf(channel: ChannelState, peer: ChannelState, state: DirectionState, rules: ScoringRules): Stretch {
  const { total } = state;
  const isTx = state.direction === 'tx';
  const stretch = {
    channel,
    peer,
    state,
    passedOnPercent: 0,
    sentOnRatio: isTx ? sentOnTooLittle(peer, channel) : undefined,
    word: null,
    networkWord: null,
    isDead: isDead(state),
  };
  if (stretch.isDead) return { ...stretch, ownLossPercent: 100 };
  const word = isTx ? channel.scores.wordTx : channel.scores.wordRx;
  if (word === null) return { ...stretch, ownLossPercent: null };
  const own = directionRules(channel, state, rules);
  const lossPercent = lossPercentOf(total);
  const passedOnPercent = isTx ? Math.min(lossPercent ?? 0, passedOnLossPercent(peer.rx, state)) : 0;
  const ownLossPercent = lossPercent === null ? null : lossPercent - passedOnPercent;
  const share = lossPercent === null || lossPercent === 0 ? 1 : (ownLossPercent ?? 0) / lossPercent;
  return { ...stretch, ownLossPercent, passedOnPercent, word, networkWord: networkWord(state, share, own, rules) };
}

function reportsOf({ total }: DirectionState): number {
  return total.mediaReports + total.deadReports;
}

function sentenceOf(
  place: NetworkPlace,
  caller: ChannelState,
  callee: ChannelState,
  all: readonly Stretch[],
  rules: ScoringRules,
): string {
  if (place === 'none') return `No stretch of the call was bad by itself${codecWords(all, rules)}.`;
  const atFault = all.filter((stretch) => isBad(stretch) || stretch.sentOnRatio !== undefined);
  const facts = [...atFault.flatMap(describeStretch), ...longWays(atFault)];
  if (atFault.length === 0) {
    const parts = all.filter(isSumBad).map((stretch) => describeSum(stretch));
    return `Neither network is bad by itself, but both lose some of the same audio: ${parts.join(', ')}.`;
  }
  const isOwnDoing = place === 'this-server' && !all.some(isBad);
  const beginnings: Readonly<Record<typeof place, string>> = {
    'caller-network': `The fault lies between ${endpointOf(caller.name)} (the caller) and this server`,
    'callee-network': `The fault lies between ${endpointOf(callee.name)} (the callee) and this server`,
    'both-networks': "Both parties' networks are at fault",
    'this-server': isOwnDoing
      ? 'Audio is lost in this server'
      : 'Both parties suffer in the same direction only, so the fault lies at this server or its own line',
  };
  return facts.length === 0 ? `${beginnings[place]}.` : `${beginnings[place]}: ${facts.join(', ')}.`;
}

/** Names the codec if it alone costs that much, so that no network is at fault. */
function codecWords(all: readonly Stretch[], rules: ScoringRules): string {
  const codecs = all.flatMap(({ channel, state, word }) => {
    if (!isBelowGood(word)) return [];
    const [main] = mainCauses(causesOf(state, directionRules(channel, state, rules)));
    return main?.name === 'codec' ? [knownCodec(state) ?? ''] : [];
  });
  if (codecs.length === 0) return '';
  return `: what keeps the score down is the codec ${[...new Set(codecs)].join(', ')} itself`;
}

/** What is wrong with a stretch, except its round trip; empty: nothing to mention. */
function describeStretch({ channel, peer, state, ownLossPercent, sentOnRatio, isDead: dead }: Stretch): string[] {
  const endpoint = endpointOf(channel.name);
  const other = endpointOf(peer.name);
  const isRx = state.direction === 'rx';
  if (dead) {
    const isUncounted = isRx && state.total.packetsLost === 0;
    const [listener, talker] = isRx ? [other, endpoint] : [endpoint, other];
    const where = isRx ? `from ${endpoint}` : `at ${endpoint}`;
    return [
      `nothing arrived ${where}${isUncounted ? ', which does not say that it sent anything' : ''}, so ${listener} did not hear ${talker}`,
    ];
  }
  const way = isRx ? `from ${endpoint}` : `to ${endpoint}`;
  const loss = ownLossPercent === null ? 'some loss' : `${ownLossPercent.toFixed(1)} % lost`;
  const hasLoss = ownLossPercent === null ? state.total.packetsLost > 0 : ownLossPercent >= TRACE_PERCENT;
  const jitterMs = jitterFigures(state.total, state.clockRateHz).meanMs;
  const limit = jitterMs > JITTER_LIMIT_MS ? `, more than a jitter buffer of ${JITTER_LIMIT_MS} ms takes,` : '';
  const facts = [
    ...(hasLoss ? [loss] : []),
    ...(jitterMs >= NOTICEABLE_JITTER_MS ? [`a jitter of ${jitterMs.toFixed(0)} ms${limit}`] : []),
  ];
  const sentOn =
    sentOnRatio === undefined
      ? []
      : [`this server sent on to ${endpoint} only ${(100 * sentOnRatio).toFixed(0)} % of the audio from ${other}`];
  if (facts.length === 0) return sentOn;
  return [`${facts.join(' and ')} ${way}`, ...sentOn];
}

/** The loss that one party heard, split between the two networks. */
function describeSum({ channel, peer, ownLossPercent, passedOnPercent }: Stretch): string {
  const own = (ownLossPercent ?? 0).toFixed(1);
  return `${passedOnPercent.toFixed(1)} % lost from ${endpointOf(peer.name)} and ${own} % to ${endpointOf(channel.name)}`;
}

/** Long round trips. They belong to a party, not to a direction. */
function longWays(bad: readonly Stretch[]): string[] {
  return [...new Set(bad.map(({ channel }) => channel))].flatMap((channel) => {
    const rttMs = roundTripMeanMs(channel.rx.total);
    if (rttMs === undefined || rttMs < NOTICEABLE_ROUND_TRIP_MS) return [];
    return [`a round trip of ${rttMs.toFixed(0)} ms to ${endpointOf(channel.name)}`];
  });
}
