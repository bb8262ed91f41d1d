import type { CallWithChannels, CurrentCalls, LiveMedia } from '../../model/ports.ts';
import type { CallScores, ChannelRecord, SegmentRecord } from '../../model/record.ts';
import { type LinkedCalls, callMes, callRecord, callScores, worstOfCall } from '../linked-calls.ts';
import type { CallState } from '../call-state.ts';
import {
  channelRecord,
  channelScoresNow,
  type ChannelTotals,
  type ScoreView,
  scoreView,
  segmentRecord,
} from './channel-record.ts';
import type { ChannelState, ScoresAround } from './channel-state.ts';
import { segmentTally } from '../directions/direction-state.ts';
import type { ScoringRules } from '../scoring-rules.ts';
import { liveMedia } from './live-media.ts';

/** Channels as they look from outside, with the scores of their peers and calls. */
export class ChannelViews implements CurrentCalls {
  readonly #rules: ScoringRules;
  readonly #channels: ReadonlyMap<string, ChannelState>;
  readonly #calls: LinkedCalls;

  constructor(rules: ScoringRules, channels: ReadonlyMap<string, ChannelState>, calls: LinkedCalls) {
    this.#rules = rules;
    this.#channels = channels;
    this.#calls = calls;
  }

  /** What its variables are written from. `untilMs`: when it ended; undefined: it is up. */
  view(channel: ChannelState, untilMs: number | undefined): ScoreView {
    return scoreView(channel, this.around(channel), this.#peerOf(channel), untilMs);
  }

  /**
   * The scores for a billing row: the channel's own, and the worst of its whole call. `nowMs`: when its final scores are asked
   * for; undefined: it is up.
   */
  billingView(channel: ChannelState, scores: ScoreView, nowMs: number | undefined): ScoreView {
    const call = this.#calls.whole(channel.linkedid);
    return call === undefined ? scores : { ...scores, ...worstOfCall(call, nowMs) };
  }

  record(channel: ChannelState, totals?: ChannelTotals): ChannelRecord {
    return channelRecord(channel, this.#rules, this.around(channel), this.#peerOf(channel), totals);
  }

  media(channel: ChannelState): LiveMedia {
    return liveMedia(channel, this.#peerOf(channel));
  }

  /** The scores of the call and of these of its channels, which are up. */
  callScores(call: CallState, channels: readonly ChannelState[]): CallScores {
    return {
      ...callScores(call, this.#rules),
      channels: channels.map((channel) =>
        channelScoresNow(channel, this.view(channel, undefined), this.#peerOf(channel)),
      ),
    };
  }

  /** Null: the channel is not known, or already forgotten. */
  channelNow(uniqueid: string): ChannelRecord | null {
    const channel = this.#channels.get(uniqueid);
    return channel === undefined ? null : this.record(channel);
  }

  callNow(linkedid: string): CallWithChannels | null {
    const call = this.#calls.get(linkedid);
    if (call === undefined) return null;
    return { ...callRecord(call, this.#rules), channels: [...call.channels].map((channel) => this.record(channel)) };
  }

  /** For each direction with reports, the RTP session that it is in, or was in last. */
  segmentsNow(uniqueid: string): SegmentRecord[] {
    const channel = this.#channels.get(uniqueid);
    if (channel === undefined) return [];
    return [channel.rx, channel.tx].flatMap((state) =>
      segmentTally(state).reports > 0 ? [segmentRecord(channel, state, this.#rules)] : [],
    );
  }

  around(channel: ChannelState): ScoresAround {
    const peer = this.#peerOf(channel);
    const call = this.#calls.whole(channel.linkedid);
    return {
      mesPeerRx: peer?.scores.mesRx ?? null,
      mesPeerTx: peer?.scores.mesTx ?? null,
      mesCall: call === undefined ? null : callMes(call),
    };
  }

  #peerOf({ peerUniqueid }: ChannelState): ChannelState | undefined {
    return peerUniqueid === null ? undefined : this.#channels.get(peerUniqueid);
  }
}
