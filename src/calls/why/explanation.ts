import type { CaptureRecord } from '../../model/capture.ts';
import type { StreamMeasures } from '../../model/record.ts';
import type { Verdict } from '../../model/score.ts';
import { JITTER_LIMIT_MS } from '../../score/limits.ts';
import { findingWords } from '../../stats/audio/audio-findings.ts';
import { howPacketsWereLost } from '../media/capture-record.ts';
import { type Cause, causesOf, mainCauses } from './causes.ts';
import { type ChannelState, isLocalChannel } from '../channels/channel-state.ts';
import { endpointOf } from '../../model/channel.ts';
import type { DirectionRules } from '../directions/direction-score.ts';
import { isDead, type DirectionState, knownCodec } from '../directions/direction-state.ts';
import { hasNothingToPassOn } from './judgement.ts';
import { passedOnLossPercent, sentOnTooLittle } from './passed-on.ts';
import { phoneSentence } from '../phone-sentence.ts';
import { jitterOf, reportedBurstRatio, roundTripMeanMs } from '../directions/tally.ts';

/** From this BurstR on, uneven reports are called bursts. A loss that begins in the middle of a call makes it 2. */
const BURSTY_BURST_R = 2.5;
/** A smaller part of the loss is not mentioned: the reports of the two parties are not about the same packets. */
const NOTICEABLE_PART = 0.2;
/** So many reports about one direction, and none about the other, are no accident. */
const TELLING_REPORTS = 3;
/** Loss that was there from the beginning gets no time of day. */
const CLEAN_BEGINNING_REPORTS = 2;

/** The direction of a channel that the sentence is about. */
export interface DirectionToExplain {
  readonly channel: ChannelState;
  readonly state: DirectionState;
  readonly measures: StreamMeasures;
  readonly verdict: Verdict | null;
  readonly capture: CaptureRecord | null;
  readonly own: DirectionRules;
  /** The bridged peer, whose audio goes out on this channel; undefined: there is none. */
  readonly peer: ChannelState | undefined;
}

/** One plain sentence on why the direction's score is what it is, or why there is none. Null: it is too early to say. */
export function explainDirection(direction: DirectionToExplain): string | null {
  const { channel, state, measures, verdict, own } = direction;
  const endpoint = endpointOf(channel.name);
  const audio = state.direction === 'rx' ? `the audio from ${endpoint}` : `the audio to ${endpoint}`;
  if (state.unknownSinceMs !== null) {
    return `From ${timeOfDay(state.unknownSinceMs)} on ${endpoint} reported about a stream that this server does not send any more, so how ${audio} arrived is not known.`;
  }
  if (verdict === 'no-media' && isDead(state)) {
    const isUncounted = state.direction === 'rx' && state.total.packetsLost === 0;
    const why = isUncounted ? `, and ${endpoint} does not say that it sent any` : '';
    return `Nothing of ${audio} arrived${why}${whoHeardNothing(direction)}.`;
  }
  if (measures.mes === null) return explainMissing(direction, audio);

  const causes = causesOf(state, own);
  const tooLittle = state.direction === 'tx' && peerSentOnTooLittle(direction);
  const unknown = measures.rttKnown ? '' : '; the round trip is not known';
  // Further sentences, on what happened to the audio that the network delivered, and how that audio was.
  const beside = state.direction === 'tx' ? phoneSentence(channel.phone) : audioSentence(direction.capture);
  // Where audio was discarded or has an echo, the sentence calls only the network fine, not the audio.
  const network = `the network ${state.direction === 'rx' ? 'from' : 'to'} ${endpoint}`;
  const fineWay = beside === '' ? audio : network;
  const main = mainCauses(causes).filter(({ name, isFine }) => verdict !== 'good' || (name !== 'codec' && !isFine));
  if (main.length === 0 && typeof tooLittle !== 'string') {
    if (verdict === 'good') return `${capital(fineWay)} was fine: ${factsOf(direction, causes)}${unknown}.${beside}`;
    return `${capital(audio)} was only ${verdict}, and nothing that is measured says why${unknown}.${beside}`;
  }
  const complaints = [
    ...(typeof tooLittle === 'string' ? [tooLittle] : []),
    ...main.map(({ name }, index) => complaintOf(name, direction, audio, main.slice(0, index))),
  ].join(', and ');
  const beginning = verdict === 'good' ? `Good, although ${complaints}` : capital(complaints);
  return `${beginning}${whatWasFine(causes, main)}${unknown}.${beside}`;
}

/** What was found in the audio itself; empty: nothing, or nobody looked. */
function audioSentence(capture: CaptureRecord | null): string {
  const words = findingWords(capture?.media.audio ?? null);
  return words.length === 0 ? '' : ` In the audio itself there is something wrong: ${words.join(', ')}.`;
}

/** The causes that are not complained of and cost next to nothing. */
function whatWasFine(causes: readonly Cause[], main: readonly Cause[]): string {
  const fine = causes
    .filter((cause) => cause.isFine && cause.name !== 'codec' && !main.includes(cause))
    .map(({ name }) => name);
  return fine.length === 0 ? '' : `; ${fine.join(' and ')} ${fine.length === 1 ? 'was' : 'were'} fine`;
}

function explainMissing(direction: DirectionToExplain, audio: string): string | null {
  const { channel, measures, verdict } = direction;
  if (isLocalChannel(channel)) return 'A Local channel carries no audio of its own.';
  if (channel.wentPastUs) return 'The audio went past this server (direct media), so nothing of it was seen here.';
  const endpoint = endpointOf(channel.name);
  if (measures.reports > 0 && measures.reports === measures.idleReports) {
    if (channel.onHold) return 'The channel is on hold.';
    if (measures.direction === 'rx') return `${endpoint} sent no audio.`;
    const whoElse = hasNothingToPassOn(channel) ? whoHeardNothing(direction) : '';
    return `This server had no audio to send to ${endpoint}${whoElse}.`;
  }
  if (channel.answeredAtMs === null) return channel.endedAtMs === null ? null : 'The channel was never answered.';
  if (measures.reports > 0 && measures.reports === measures.unusedReports) {
    return `${endpoint} reported about nothing that this server sent, so how ${audio} arrived is not known.`;
  }
  if (measures.reports > 0) {
    return channel.endedAtMs === null ? null : `The reports do not tell how much of ${audio} was lost.`;
  }
  if (channel.endedAtMs === null) {
    const { total: other } = measures.direction === 'rx' ? channel.tx : channel.rx;
    if (other.reports < TELLING_REPORTS) return null;
    return measures.direction === 'rx'
      ? `This server has not reported about ${audio} so far.`
      : 'The far end has sent no RTCP report so far.';
  }
  if (verdict === 'too-short') return 'The call was shorter than one report.';
  return measures.direction === 'rx'
    ? `This server never reported about ${audio}: none of it arrived, or RTCP is off.`
    : 'The far end sent no RTCP report.';
}

/** Such as `, so PJSIP/alice did not hear PJSIP/bob`; empty without a peer. */
function whoHeardNothing({ channel, state, peer }: DirectionToExplain): string {
  if (peer === undefined) return '';
  const [listener, talker] = state.direction === 'rx' ? [peer, channel] : [channel, peer];
  return `, so ${endpointOf(listener.name)} did not hear ${endpointOf(talker.name)}`;
}

function factsOf({ measures, state }: DirectionToExplain, causes: readonly Cause[]): string {
  const facts: Readonly<Record<Cause['name'], string>> = {
    loss: state.total.packetsLost === 0 ? 'no loss' : `${lossWords(measures, state)} lost`,
    delay: `round trip ${(roundTripMeanMs(state.total) ?? 0).toFixed(0)} ms`,
    jitter: `jitter ${jitterOf(state.total, state.clockRateHz).mean.toFixed(1)} ms`,
    codec: '',
  };
  return causes
    .filter(({ name }) => name !== 'codec')
    .map(({ name }) => facts[name])
    .join(', ');
}

function lossWords({ lossPercent }: StreamMeasures, { total }: DirectionState): string {
  return lossPercent === null ? `${total.packetsLost} packets` : `${lossPercent.toFixed(1)} %`;
}

/** `before`: the complaints that the sentence already has. */
function complaintOf(
  name: Cause['name'],
  direction: DirectionToExplain,
  audio: string,
  before: readonly Cause[],
): string {
  const { channel, state, own } = direction;
  if (name === 'loss') return complaintOfLoss(direction, audio);
  if (name === 'delay') {
    const rttMs = roundTripMeanMs(state.total) ?? 0;
    return `the round trip to ${endpointOf(channel.name)} and back took ${rttMs.toFixed(0)} ms`;
  }
  if (name === 'codec') {
    return `the codec ${knownCodec(state) ?? 'in use'} takes ${(own.codec?.ie ?? 0).toFixed(0)} of R even without loss`;
  }
  const jitterMs = jitterOf(state.total, state.clockRateHz);
  const whose = before.some((cause) => cause.name === 'loss') ? 'its jitter' : `the jitter of ${audio}`;
  const limit = jitterMs.mean > JITTER_LIMIT_MS ? `, more than a jitter buffer of ${JITTER_LIMIT_MS} ms takes` : '';
  return `${whose} was ${jitterMs.mean.toFixed(0)} ms (up to ${jitterMs.max.toFixed(0)} ms)${limit}`;
}

function complaintOfLoss(direction: DirectionToExplain, audio: string): string {
  const { measures, state, capture } = direction;
  const { deadSinceMs } = state;
  const loss = lossWords(measures, state);
  if (deadSinceMs === null) {
    return `${loss} of ${audio} was lost${howLost(state, capture)}${whenLost(state)}${whereLost(direction)}`;
  }
  return `from ${timeOfDay(deadSinceMs)} on nothing of ${audio} arrived any more (${loss} of it was lost in all)`;
}

function howLost(state: DirectionState, capture: CaptureRecord | null): string {
  const areReportsUneven = reportedBurstRatio(state.total) >= BURSTY_BURST_R;
  // Captured packets of our own audio show how it left, not how it arrived.
  const seen = state.direction === 'rx' && capture !== null ? howPacketsWereLost(capture.media) : undefined;
  if (seen === undefined) return areReportsUneven ? ', in bursts' : '';
  const gapMs = seen.longestGapMs.toFixed(0);
  if (seen.isOneGap) return `, in one gap of ${gapMs} ms`;
  return `, ${seen.isBursty || areReportsUneven ? 'in bursts' : 'at random'} (longest gap ${gapMs} ms)`;
}

function whenLost(state: DirectionState): string {
  const { firstMediaAtMs, firstLossyAtMs, lastLossyAtMs, lossyReports, markAtMs, total } = state;
  if (firstLossyAtMs === null || lastLossyAtMs === null || firstMediaAtMs === null || markAtMs === null) return '';
  const meanGapMs = (markAtMs - firstMediaAtMs) / Math.max(1, total.reports);
  const hadCleanBeginning = firstLossyAtMs - firstMediaAtMs >= CLEAN_BEGINNING_REPORTS * meanGapMs;
  const hadCleanEnd = markAtMs - lastLossyAtMs >= CLEAN_BEGINNING_REPORTS * meanGapMs;
  if (lossyReports === 1) return ` at ${timeOfDay(lastLossyAtMs)}`;
  if (hadCleanBeginning && hadCleanEnd) return ` from ${timeOfDay(firstLossyAtMs)} to ${timeOfDay(lastLossyAtMs)}`;
  if (hadCleanBeginning) return `, from ${timeOfDay(firstLossyAtMs)} on`;
  return hadCleanEnd ? `, until ${timeOfDay(lastLossyAtMs)}` : '';
}

/** How much of the loss happened in the other party's network. Where nothing is transcoded, gaps are passed on. */
function whereLost({ state, measures, peer }: DirectionToExplain): string {
  if (peer === undefined || state.direction === 'rx') return '';
  const beforePercent = passedOnLossPercent(peer.rx, state);
  const part = beforePercent / (measures.lossPercent ?? Number.POSITIVE_INFINITY);
  if (part < NOTICEABLE_PART) return '';
  const how = part > 1 - NOTICEABLE_PART ? 'nearly all of it' : `${beforePercent.toFixed(1)} points of that`;
  return `, ${how} on the way from ${endpointOf(peer.name)} to this server`;
}

/** The complaint that this server sent on much less than it received; undefined: it did not, or nobody can tell. */
function peerSentOnTooLittle({ channel, state, peer }: DirectionToExplain): string | undefined {
  const ratio = peer === undefined ? undefined : sentOnTooLittle(peer, channel);
  if (peer === undefined || ratio === undefined || state.direction === 'rx') return undefined;
  const percent = (100 * ratio).toFixed(0);
  return `this server sent on only ${percent} % of the audio that came in from ${endpointOf(peer.name)}: what comes late or out of order is left out when it is transcoded`;
}

/** A time such as `14:03:10 UTC`: the server's time zone is not known here. */
function timeOfDay(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(11, 19)} UTC`;
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
