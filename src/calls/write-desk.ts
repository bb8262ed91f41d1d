import type { VariableWriter } from '../model/ports.ts';
import type { CallBook } from './call-book.ts';
import type { ChangeLog } from './change-log.ts';
import type { ChannelState } from './channel-state.ts';
import type { ChannelViews } from './channel-views.ts';
import { DueWrites } from './due-writes.ts';
import { takeChanged, variablesOf } from './variables.ts';

/** Writes scores to Asterisk's channels: those of a report at once, for the sake of others in the call some time after. */
export class WriteDesk {
  readonly #writer: VariableWriter | null;
  readonly #views: ChannelViews;
  readonly #calls: CallBook;
  readonly #changes: ChangeLog;
  readonly #due = new DueWrites();

  /** `writer` null: nothing is written while a channel is up, and nothing prepared for it. */
  constructor(writer: VariableWriter | null, views: ChannelViews, calls: CallBook, changes: ChangeLog) {
    this.#writer = writer;
    this.#views = views;
    this.#calls = calls;
    this.#changes = changes;
  }

  /** A report may have changed the channel's scores. */
  noteReport(channel: ChannelState, nowMs: number): void {
    if (this.#writer === null) return;
    this.#write(channel, nowMs, this.#writer);
    const call = this.#calls.get(channel.linkedid);
    if (call !== undefined) this.#due.noteOthers(channel, call.channels, nowMs);
  }

  /** Writes what has become due. */
  tick(nowMs: number): void {
    if (this.#writer === null) return;
    for (const channel of this.#due.take(nowMs)) this.#write(channel, nowMs, this.#writer);
  }

  /** All variables of a channel as they will stay, for its hangup handler to write; nothing more is written from here. */
  lastWord(channel: ChannelState, nowMs: number): Map<string, string> {
    this.#due.cancel(channel);
    const scores = this.#views.view(channel, nowMs);
    takeChanged(scores, channel.told.written);
    return variablesOf(scores);
  }

  /** The channel has ended. */
  forget(channel: ChannelState): void {
    this.#due.cancel(channel);
    this.#writer?.forget(channel.uniqueid);
  }

  clockStepped(byMs: number): void {
    this.#due.clockStepped(byMs);
  }

  #write(channel: ChannelState, nowMs: number, writer: VariableWriter): void {
    this.#due.cancel(channel);
    if (channel.final !== null) return;
    const changed = takeChanged(this.#views.view(channel, undefined), channel.told.written);
    if (changed.size === 0) return;
    this.#changes.touchLater(channel, nowMs);
    writer.write(channel.uniqueid, changed);
  }
}
