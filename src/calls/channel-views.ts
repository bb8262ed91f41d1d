import type { ChannelRecord } from '../model/record.ts';
import { type CallBook, callMes, worstOfCall } from './call-book.ts';
import { channelRecord, type ChannelTotals, type ScoreView, scoreView } from './channel-record.ts';
import type { ChannelState, ScoresAround } from './channel-state.ts';
import type { ScoringRules } from './scoring-rules.ts';

/** Channels as they look from outside: with the scores of their peers and calls. */
export class ChannelViews {
  readonly #rules: ScoringRules;
  readonly #channels: ReadonlyMap<string, ChannelState>;
  readonly #calls: CallBook;

  constructor(rules: ScoringRules, channels: ReadonlyMap<string, ChannelState>, calls: CallBook) {
    this.#rules = rules;
    this.#channels = channels;
    this.#calls = calls;
  }

  /** What its variables are made of. `untilMs`: when it ended, undefined while it is up. */
  view(channel: ChannelState, untilMs: number | undefined): ScoreView {
    return scoreView(channel, this.around(channel), this.#peerOf(channel), untilMs);
  }

  /** What a billing row says: the channel's scores, and the worst of its whole call. `nowMs`: of its last word. */
  billingView(channel: ChannelState, scores: ScoreView, nowMs: number | undefined): ScoreView {
    const call = this.#calls.whole(channel.linkedid);
    return call === undefined ? scores : { ...scores, ...worstOfCall(call, nowMs) };
  }

  record(channel: ChannelState, totals?: ChannelTotals): ChannelRecord {
    return channelRecord(channel, this.#rules, this.around(channel), this.#peerOf(channel), totals);
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
