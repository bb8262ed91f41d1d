import { CDR_FIELDS, VARIABLES } from '../../model/fields/written-fields.ts';
import type { ChannelValues, VariableWriter } from '../../model/ports.ts';
import { mayHaveFields, partiesBefore } from '../bridges/billing-party.ts';
import type { BridgePeers } from '../bridges/bridge-peers.ts';
import type { LinkedCalls } from '../linked-calls.ts';
import type { ChangeLog } from '../change-log.ts';
import type { ScoreView } from '../channels/channel-record.ts';
import { type ChannelState, isLocalChannel } from '../channels/channel-state.ts';
import type { ChannelViews } from '../channels/channel-views.ts';
import { DueWrites } from './due-writes.ts';
import { takeChanged, textsOf } from './written-texts.ts';

/** In larger bridges, members show who came or went at their next report. */
const SMALL_BRIDGE = 4;

const NO_TEXTS: readonly string[] = [];

/** Writes scores to Asterisk's channels: after a channel's own report at once, after others' changes a little later. */
export class ScoreWriter {
  readonly #writer: VariableWriter | null;
  readonly #views: ChannelViews;
  readonly #calls: LinkedCalls;
  readonly #bridges: BridgePeers;
  readonly #changes: ChangeLog;
  readonly #due = new DueWrites();

  /** `writer` null: nothing is written or prepared while a channel is up. */
  constructor(
    writer: VariableWriter | null,
    views: ChannelViews,
    calls: LinkedCalls,
    bridges: BridgePeers,
    changes: ChangeLog,
  ) {
    this.#writer = writer;
    this.#views = views;
    this.#calls = calls;
    this.#bridges = bridges;
    this.#changes = changes;
  }

  /** A report may have changed the channel's scores. */
  noteReport(channel: ChannelState, nowMs: number): void {
    if (this.#writer === null) return;
    this.#write(channel, nowMs, this.#writer);
    const call = this.#calls.get(channel.linkedid);
    if (call !== undefined) this.#due.noteOthers(channel, call.channels, nowMs);
  }

  /** The channel entered a bridge. Its CDR fields may not belong in the others' billing rows, nor theirs in its row. */
  noteBridge(channel: ChannelState, nowMs: number): void {
    const companions = this.#bridges.companionsOf(channel);
    const affected = companions.length < SMALL_BRIDGE ? [channel, ...companions] : [channel];
    for (const member of affected) this.#rewrite(member, nowMs);
  }

  /** The channel dials another one, so a new billing row begins. */
  noteDial(channel: ChannelState, nowMs: number): void {
    this.#rewrite(channel, nowMs);
  }

  /** Writes what has become due. */
  tick(nowMs: number): void {
    if (this.#writer === null) return;
    for (const channel of this.#due.take(nowMs)) this.#write(channel, nowMs, this.#writer);
  }

  /** All final values of a channel, for its hangup handler to write. The sidecar writes nothing more to it. */
  lastWord(channel: ChannelState, nowMs: number): ChannelValues {
    this.#due.cancel(channel);
    const scores = this.#views.view(channel, nowMs);
    const { published } = channel;
    return {
      variables: takeAll(VARIABLES, textsOf(scores), published.variables),
      cdrFields: takeAll(CDR_FIELDS, this.#fieldTexts(channel, scores, nowMs, nowMs), published.cdrFields),
    };
  }

  /** The channel has ended. */
  forget(channel: ChannelState): void {
    this.#due.cancel(channel);
    this.#writer?.forget(channel.uniqueid);
  }

  clockStepped(byMs: number): void {
    this.#due.clockStepped(byMs);
  }

  /** Takes back at once what the channel has and should not have any more. */
  #rewrite(channel: ChannelState, nowMs: number): void {
    if (this.#writer === null || isLocalChannel(channel) || !hasValues(channel)) return;
    this.#write(channel, nowMs, this.#writer);
  }

  #write(channel: ChannelState, nowMs: number, writer: VariableWriter): void {
    this.#due.cancel(channel);
    if (channel.final !== null) return;
    this.#bridges.forgetPast(channel, nowMs);
    const scores = this.#views.view(channel, undefined);
    const { published } = channel;
    const variables = takeChanged(VARIABLES, textsOf(scores), published.variables);
    const fields = this.#fieldTexts(channel, scores, nowMs, undefined);
    const cdrFields = takeChanged(CDR_FIELDS, fields, published.cdrFields);
    if (variables.size === 0 && cdrFields.size === 0) return;
    this.#changes.touchLater(channel);
    writer.write(channel.uniqueid, { variables, cdrFields });
  }

  /** The fields that the channel may add to its billing row; '' or missing: none. `untilMs`: when it ended. */
  #fieldTexts(channel: ChannelState, scores: ScoreView, nowMs: number, untilMs: number | undefined): readonly string[] {
    const before = partiesBefore(channel, this.#bridges.companionsOf(channel), nowMs);
    if (!mayHaveFields(channel, before)) return NO_TEXTS;
    const texts = textsOf(this.#views.billingView(channel, scores, untilMs));
    if (before.length === 0) return texts;
    // A row about another channel takes from this one every field that the other lacks.
    const isFree = (place: number): boolean =>
      before.every(({ published }) => (published.cdrFields[place] ?? '') !== '');
    return texts.map((text, place) => (isFree(place) ? text : ''));
  }
}

function hasValues({ published: { variables, cdrFields } }: ChannelState): boolean {
  return [...variables, ...cdrFields].some((text) => text !== '');
}

/** All known values, and '' for those that may have been written and are not known any more. */
function takeAll(
  names: readonly string[],
  texts: readonly string[],
  written: (string | undefined)[],
): Map<string, string> {
  const all = new Map<string, string>();
  names.forEach((name, place) => {
    const text = texts[place] ?? '';
    if (text !== '' || written[place] !== '') all.set(name, text);
    written[place] = text;
  });
  return all;
}
