import type { CaptureRecord, StreamMeasures } from '../model/record.ts';
import type { Verdict } from '../model/score.ts';
import { standardDeviation } from '../stats/moments.ts';
import { howPacketsWereLost } from './capture-record.ts';
import { type ChannelState, endpointOf, isLocalChannel } from './channel-state.ts';
import type { DirectionState } from './direction-state.ts';
import { passedOnLossPercent } from './passed-on.ts';
import type { ScoringRules } from './scoring-rules.ts';
import { jitterOf, meanLost, roundTripMeanMs } from './tally.ts';

/** A cause that costs less than this of R is no part of the explanation. */
const FINE_R = 3;
/** Variance over mean of the packets lost per report: 1 when they are lost at random, more when together. */
const BURSTY_DISPERSION = 3;
/** A smaller part of the loss is not worth a word: the parties' reports are not of the same packets. */
const NOTICEABLE_PART = 0.2;
/** Loss that was there from the beginning needs no time. */
const CLEAN_BEGINNING_REPORTS = 2;

/** What the sentence is about: one direction of a channel. */
export interface DirectionToExplain {
  readonly channel: ChannelState;
  readonly state: DirectionState;
  readonly measures: StreamMeasures;
  readonly verdict: Verdict | null;
  readonly capture: CaptureRecord | null;
  readonly rules: ScoringRules;
  /** The bridged peer, whose audio goes out on this channel; undefined when there is none. */
  readonly peer: ChannelState | undefined;
}

/** One plain sentence: why the direction's score is what it is, or why there is none. Null while it is too early to say. */
export function explainDirection(direction: DirectionToExplain): string | null {
  const { channel, state, measures, verdict } = direction;
  const endpoint = endpointOf(channel.name);
  const audio = state.direction === 'rx' ? `the audio from ${endpoint}` : `the audio to ${endpoint}`;
  if (state.unknownSinceMs !== null) {
    return `From ${timeOfDay(state.unknownSinceMs)} on ${endpoint} reported about a stream that this server does not send any more, so how ${audio} arrived is not known.`;
  }
  if (verdict === 'no-media' && measures.deadReports > 0) {
    const isUncounted = state.direction === 'rx' && state.total.packetsLost === 0;
    return `Nothing of ${audio} arrived${isUncounted ? `, and ${endpoint} does not say that it sent any` : ''}.`;
  }
  if (measures.mes === null) return explainMissing(direction, audio);

  const causes = causesOf(direction, endpoint, audio);
  const bad = causes.filter(({ costR }) => costR >= FINE_R).sort((a, b) => b.costR - a.costR);
  const facts = causes.map(({ fact }) => fact).join(', ');
  const unknown = measures.rttKnown ? '' : '; the round trip is not known';
  if (bad.length === 0) return `${capital(audio)} was fine: ${facts}${unknown}.`;
  const fine = causes.filter(({ costR }) => costR < FINE_R).map(({ name }) => name);
  const rest = fine.length === 0 ? '' : `; ${fine.join(' and ')} ${fine.length === 1 ? 'was' : 'were'} fine`;
  const complaints = bad.map(({ complaint }, index) => complaint(bad.slice(0, index)));
  return `${capital(complaints.join(', and '))}${rest}${unknown}.`;
}

function explainMissing({ channel, measures, verdict }: DirectionToExplain, audio: string): string | null {
  if (isLocalChannel(channel)) return 'A Local channel carries no audio of its own.';
  if (channel.wentPastUs) return 'The audio went past this server (direct media), so nothing of it was seen here.';
  if (measures.reports > 0 && measures.reports === measures.idleReports) {
    if (channel.onHold) return 'The channel is on hold.';
    const endpoint = endpointOf(channel.name);
    return measures.direction === 'rx'
      ? `${endpoint} sent no audio.`
      : `This server had no audio to send to ${endpoint}.`;
  }
  if (channel.endedAtMs === null) return null;
  if (channel.answeredAtMs === null) return 'The channel was never answered.';
  if (measures.reports > 0) return `The reports do not tell how much of ${audio} was lost.`;
  if (verdict === 'too-short') return 'The call was shorter than one report.';
  return measures.direction === 'rx'
    ? `This server never reported about ${audio}: none of it arrived, or RTCP is off.`
    : 'The far end sent no RTCP report.';
}

interface Cause {
  readonly name: 'loss' | 'delay' | 'jitter';
  /** How much of R it costs. */
  readonly costR: number;
  readonly fact: string;
  /** `before`: the complaints before it in the sentence. */
  readonly complaint: (before: readonly Cause[]) => string;
}

function causesOf(direction: DirectionToExplain, endpoint: string, audio: string): Cause[] {
  const { state, measures, rules } = direction;
  const { profile } = rules;
  const { total } = state;
  const jitterMs = jitterOf(total, state.clockRateHz);
  const rttMeanMs = roundTripMeanMs(total);
  const delayMs = rttMeanMs === undefined ? 0 : rttMeanMs * profile.rttFactor;
  const latencyMs = measures.effectiveLatencyMs ?? 0;
  const isBelowKnee = latencyMs < profile.latencyKneeMs;
  const latencyR = isBelowKnee
    ? latencyMs / profile.latencyDivisorBelow
    : (latencyMs - profile.latencyOffsetMs) / profile.latencyDivisorAbove;
  const delayShare = latencyMs === 0 ? 0 : Math.min(1, delayMs / latencyMs);
  const lossPercent = measures.lossPercent ?? 0;
  const lossSample = profile.lossUnit === 'percent' ? lossPercent : meanLost(total);
  const loss = measures.lossPercent === null ? `${total.packetsLost} packets` : `${lossPercent.toFixed(1)} %`;
  const causes: Cause[] = [
    {
      name: 'loss',
      costR: lossSample * profile.lossFactor,
      fact: total.packetsLost === 0 ? 'no loss' : `${loss} lost`,
      complaint: () => complaintOfLoss(direction, loss, audio),
    },
    {
      name: 'jitter',
      costR: latencyR * (1 - delayShare),
      fact: `jitter ${jitterMs.mean.toFixed(1)} ms`,
      complaint: (before) => {
        const whose = before.some(({ name }) => name === 'loss') ? 'its jitter' : `the jitter of ${audio}`;
        return `${whose} was ${jitterMs.mean.toFixed(0)} ms (up to ${jitterMs.max.toFixed(0)} ms)`;
      },
    },
  ];
  if (rttMeanMs !== undefined) {
    causes.splice(1, 0, {
      name: 'delay',
      costR: latencyR * delayShare,
      fact: `round trip ${rttMeanMs.toFixed(0)} ms`,
      complaint: () => `the round trip to ${endpoint} and back took ${rttMeanMs.toFixed(0)} ms`,
    });
  }
  return causes;
}

function complaintOfLoss(direction: DirectionToExplain, loss: string, audio: string): string {
  const { state, capture } = direction;
  const { deadSinceMs } = state;
  if (deadSinceMs === null) {
    return `${loss} of ${audio} was lost${howLost(state, capture)}${whenLost(state)}${whereLost(direction)}`;
  }
  return `from ${timeOfDay(deadSinceMs)} on nothing of ${audio} arrived any more (${loss} of it was lost in all)`;
}

function howLost(state: DirectionState, capture: CaptureRecord | null): string {
  const areReportsUneven = hasUnevenLoss(state);
  // Of what we sent the captured packets show how it left, not what became of it.
  const seen = state.direction === 'rx' && capture !== null ? howPacketsWereLost(capture.media) : undefined;
  if (seen === undefined) return areReportsUneven ? ', in bursts' : '';
  const gapMs = seen.longestGapMs.toFixed(0);
  if (seen.isOneGap) return `, in one gap of ${gapMs} ms`;
  return `, ${seen.isBursty || areReportsUneven ? 'in bursts' : 'at random'} (longest gap ${gapMs} ms)`;
}

function hasUnevenLoss({ total: { lostPackets } }: DirectionState): boolean {
  if (lostPackets.count < 3 || lostPackets.mean === 0) return false;
  return standardDeviation(lostPackets) ** 2 / lostPackets.mean > BURSTY_DISPERSION;
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

/** What of the loss the other party's network had: a native bridge passes it on. */
function whereLost({ state, measures, peer }: DirectionToExplain): string {
  if (peer === undefined || state.direction === 'rx') return '';
  const beforePercent = passedOnLossPercent(peer.rx, state);
  const part = beforePercent / (measures.lossPercent ?? Number.POSITIVE_INFINITY);
  if (part < NOTICEABLE_PART) return '';
  const how = part > 1 - NOTICEABLE_PART ? 'nearly all of it' : `${beforePercent.toFixed(1)} points of that`;
  return `, ${how} on the way from ${endpointOf(peer.name)} to this server`;
}

/** In UTC, since the server's time zone is not ours to know: `14:03:10 UTC`. */
function timeOfDay(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(11, 19)} UTC`;
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
