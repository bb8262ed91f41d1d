import { callEnd } from '../model/call-end.ts';
import type { CallRecord, CallScores, FaultRecord } from '../model/record.ts';
import { QUALITY_WORDS, type Verdict } from '../model/score.ts';
import { meanOfKnown, worseOpinion } from '../score/verdict.ts';
import { type ChannelState, isLive, isLocalChannel } from './channels/channel-state.ts';
import { endpointOf } from '../model/channel.ts';
import { flatCopy } from '../units/flat-copy.ts';
import { findFault } from './why/fault-place.ts';
import { capturedOf } from './directions/direction-state.ts';
import { AUDIO_FINDINGS } from '../model/capture.ts';
import { audioFindings } from '../stats/audio/audio-findings.ts';
import { type HeardParty, withPhones } from './phone-sentence.ts';
import { judgeChannel, worstInterval } from './why/judgement.ts';
import type { ScoringRules } from './scoring-rules.ts';
import { jitterFigures, lossPercentOf } from './directions/tally.ts';
import type { CallState } from './call-state.ts';

export interface Merge {
  readonly fromLinkedid: string;
  readonly intoLinkedid: string;
}

/** Knows which channels make up which call, through transfers, parking and conferences. */
export class LinkedCalls {
  readonly #calls = new Map<string, CallState>();

  get(linkedid: string): CallState | undefined {
    return this.#calls.get(linkedid);
  }

  /** The call as it will be when its remaining channels have followed into the call that it joined, with the channels of both. */
  whole(linkedid: string): CallState | undefined {
    const call = this.#calls.get(linkedid);
    const joined = call === undefined || call.joinedInto === null ? undefined : this.#calls.get(call.joinedInto);
    if (call === undefined || joined === undefined) return call;
    return { ...joined, channels: new Set([...joined.channels, ...call.channels]) };
  }

  get size(): number {
    return this.#calls.size;
  }

  /** In the order in which they were first seen. Calls may come and go meanwhile. */
  all(): IterableIterator<CallState> {
    return this.#calls.values();
  }

  add(channel: ChannelState): CallState {
    let call = this.#calls.get(channel.linkedid);
    if (call === undefined) {
      call = {
        linkedid: channel.linkedid,
        startedAtMs: channel.startedAtMs,
        endedAtMs: null,
        channels: new Set(),
        joinedInto: null,
      };
      this.#calls.set(channel.linkedid, call);
    }
    call.channels.add(channel);
    // Equal, but one text shared by all channels takes less memory.
    channel.linkedid = call.linkedid;
    call.startedAtMs = Math.min(call.startedAtMs, channel.startedAtMs);
    if (isLive(channel)) call.endedAtMs = null;
    return call;
  }

  /**
   * Asterisk gave the channel another linkedid, because its call was joined with an older one. Returns the merge that follows, if
   * the call that it left has no channel up any more.
   */
  move(channel: ChannelState, linkedid: string): Merge | undefined {
    const left = this.#calls.get(channel.linkedid);
    left?.channels.delete(channel);
    channel.linkedid = flatCopy(linkedid);
    const joined = this.add(channel);
    if (left === undefined) return undefined;
    left.joinedInto = joined.linkedid;
    return this.endIfOver(left);
  }

  /** If no channel of the call is up, the call ends, or its channels follow into the call that it joined. */
  endIfOver(call: CallState): Merge | undefined {
    for (const channel of call.channels) if (isLive(channel)) return undefined;
    const target = call.joinedInto === null ? undefined : this.#calls.get(call.joinedInto);
    if (target === undefined) {
      call.endedAtMs = lastEnd(call);
      return undefined;
    }
    for (const channel of call.channels) {
      channel.linkedid = target.linkedid;
      target.channels.add(channel);
    }
    target.startedAtMs = Math.min(target.startedAtMs, call.startedAtMs);
    if (target.endedAtMs !== null) target.endedAtMs = lastEnd(target);
    this.#calls.delete(call.linkedid);
    // Calls that would have followed into the vanished call follow into its target.
    for (const other of this.#calls.values())
      if (other.joinedInto === call.linkedid) other.joinedInto = target.linkedid;
    return { fromLinkedid: call.linkedid, intoLinkedid: target.linkedid };
  }

  forget(linkedid: string): void {
    this.#calls.delete(linkedid);
  }
}

/** The mean over all known directions of all its channels (README, What is written); null: none is known. */
export function callMes(call: CallState): number | null {
  const scores: (number | null)[] = [];
  for (const channel of call.channels) scores.push(channel.scores.mesRx, channel.scores.mesTx);
  return meanOfKnown(scores);
}

/** Its scores as they are now, and where its fault lies. */
export function callScores(call: CallState, rules: ScoringRules): Omit<CallScores, 'channels'> {
  return { linkedid: call.linkedid, mes: callMes(call), ...worstOfCall(call), ...faultOf(call, rules) };
}

export function callRecord(call: CallState, rules: ScoringRules): CallRecord {
  return {
    ...callScores(call, rules),
    startedAtMs: call.startedAtMs,
    endedAtMs: call.endedAtMs,
    profile: rules.profile.name,
    version: rules.version,
    ...endOf(call),
    findings: findingsOf(call),
  };
}

function faultOf(call: CallState, rules: ScoringRules): FaultRecord {
  return withPhones(findFault(call, rules), heardParties(call));
}

function endOf(call: CallState): Pick<CallRecord, 'endedBy' | 'endedByUniqueid'> {
  const legs = [...call.channels].map(({ uniqueid, name, startedAtMs, answeredAtMs, hangupRequest }) => ({
    uniqueid,
    endpoint: endpointOf(name),
    startedAtMs,
    answeredAtMs,
    hangupBy: hangupRequest?.by ?? null,
    hangupAtMs: hangupRequest?.atMs ?? null,
    hangupEndedTalk: hangupRequest?.endedTalk ?? null,
  }));
  const end = callEnd(call, legs);
  return { endedBy: end?.by ?? null, endedByUniqueid: end?.uniqueid ?? null };
}

/** Audio findings about what each party sent. What was sent to a party is what another one sent, so it counts once. */
function findingsOf({ channels }: CallState): string | null {
  const found = [...channels].flatMap(({ rx }) => {
    const audio = capturedOf(rx)?.audio ?? null;
    return audio === null ? [] : audioFindings(audio);
  });
  return found.length === 0 ? null : AUDIO_FINDINGS.filter((finding) => found.includes(finding)).join(' ');
}

function heardParties({ channels, linkedid }: CallState): HeardParty[] {
  return [...channels]
    .filter((channel) => !isLocalChannel(channel))
    .map(({ uniqueid, name, tx, phone }) => ({
      endpoint: endpointOf(name),
      isCaller: uniqueid === linkedid,
      lossPercent: lossPercentOf(tx.total),
      jitterMeanMs: jitterFigures(tx.total, tx.clockRateHz).meanMs,
      phone,
    }));
}

/**
 * The worst interval and the worst verdict of a call; null: unknown. `nowMs`: when a channel's final scores are asked for, so
 * that the channel counts as ended; undefined: channels may still change.
 */
export function worstOfCall(call: CallState, nowMs?: number): Pick<CallRecord, 'mesMin' | 'verdict'> {
  let mesMin: number | null = null;
  for (const channel of call.channels) mesMin = worseOpinion(mesMin, worstInterval(channel));
  return { mesMin, verdict: judgeCall(call, nowMs) };
}

/** That nothing came from a party is the cause; that its peer was sent nothing is the effect. */
const WORST_FIRST: readonly Verdict[] = ['no-media', 'one-way-tx', 'one-way-rx', ...QUALITY_WORDS];

/**
 * The word of a call: a direction without media outranks all others, then comes the word of the worst direction, then why there
 * is no score. `untilMs`: when the call is judged for good; undefined: its channels may still get a score.
 */
function judgeCall(call: CallState, untilMs: number | undefined): Verdict | null {
  const verdicts: (Verdict | null)[] = [];
  for (const channel of call.channels) {
    verdicts.push(judgeChannel(channel, peerIn(call, channel), channel.endedAtMs ?? untilMs));
  }
  for (const verdict of WORST_FIRST) if (verdicts.includes(verdict)) return verdict;
  for (const verdict of verdicts) if (verdict !== null) return verdict;
  return null;
}

/** The channel's bridged peer, if it belongs to the same call. */
function peerIn({ channels }: CallState, { peerUniqueid }: ChannelState): ChannelState | undefined {
  if (peerUniqueid === null) return undefined;
  for (const channel of channels) if (channel.uniqueid === peerUniqueid) return channel;
  return undefined;
}

function lastEnd(call: CallState): number {
  let endMs = call.startedAtMs;
  for (const channel of call.channels) endMs = Math.max(endMs, channel.endedAtMs ?? endMs);
  return endMs;
}
