import type { ChannelSnapshot, ExistingChannel, PbxEvent, RtpCounters } from '../model/event.ts';
import type { ChannelValues, CurrentCalls, LiveMedia, LiveView, ResumableChannel } from '../model/ports.ts';
import type { ChannelRecord, EndReason, HistoryChange } from '../model/record.ts';
import { BridgePeers } from './bridges/bridge-peers.ts';
import { LinkedCalls } from './linked-calls.ts';
import type { CallState } from './call-state.ts';
import { CallLifecycle } from './call-lifecycle.ts';
import { ChangeLog } from './change-log.ts';
import { type ChannelState, isLive, isLocalChannel, newChannel, noteSnapshot } from './channels/channel-state.ts';
import { flatCopy } from '../units/flat-copy.ts';
import { noteCounters, takeFinalCounters } from './channels/channel-report.ts';
import { ChannelViews } from './channels/channel-views.ts';
import { HangupRequests } from './channels/hangup-requests.ts';
import { FormerChannels } from './channels/former-channels.ts';
import { GoneChannels } from './channels/gone-channels.ts';
import { LiveChannels } from './live-channels.ts';
import { moveMoments } from './channels/clock-step.ts';
import { goOnFrom } from './again/go-on.ts';
import { ReportIntake } from './report-intake.ts';
import type { ScoringRules } from './scoring-rules.ts';
import type { SwitchboardPorts } from './switchboard-ports.ts';
import { ChannelFacts } from './channel-facts.ts';
import { GivenFinals } from './channels/given-finals.ts';
import { SwitchboardCounters } from './switchboard-counters.ts';
import { ScoreWriter } from './writing/score-writer.ts';

/** All channels and calls: takes events, keeps their state, and tells what to store and to write. */
export class Switchboard implements LiveView {
  readonly counters = new SwitchboardCounters();
  readonly #rules: ScoringRules;
  readonly #channels = new Map<string, ChannelState>();
  readonly #live: LiveChannels;
  readonly #gone = new GoneChannels();
  readonly #former: FormerChannels;
  readonly #calls = new LinkedCalls();
  readonly #changes = new ChangeLog(this.#calls);
  readonly #bridges = new BridgePeers(this.#channels, this.#changes);
  readonly #hangups = new HangupRequests(this.#calls, this.#bridges, this.#changes);
  readonly #lifecycle = new CallLifecycle(this.#calls, this.#changes);
  readonly #views: ChannelViews;
  readonly #writes: ScoreWriter;
  readonly #facts: ChannelFacts;
  readonly #givenFinals = new GivenFinals();
  readonly #reports: ReportIntake;

  constructor(rules: ScoringRules, ports: SwitchboardPorts) {
    this.#rules = rules;
    this.#live = new LiveChannels(ports.mostLiveChannels);
    this.#views = new ChannelViews(rules, this.#channels, this.#calls);
    this.#facts = new ChannelFacts(this.#channels, this.#changes, rules, this.counters);
    this.#former = new FormerChannels({
      channels: this.#channels,
      calls: this.#calls,
      storeFirst: (channels, call) => this.#changes.storeFirst(channels, call, rules, this.#views),
      writer: ports.writer,
    });
    this.#writes = new ScoreWriter(ports.writer, this.#views, this.#calls, this.#bridges, this.#changes);
    this.#reports = new ReportIntake({
      rules,
      ports,
      channels: this.#channels,
      changes: this.#changes,
      bridges: this.#bridges,
      writes: this.#writes,
      givenFinals: this.#givenFinals,
      counters: this.counters,
    });
  }

  handle(event: PbxEvent): void {
    if ('channel' in event && this.#gone.has(event.channel.uniqueid, event.atMs)) {
      if (event.type === 'rtcp') this.counters.lateReports++;
      return;
    }
    switch (event.type) {
      case 'channel':
        if (event.isNew === true) this.#former.makeWay(event.channel.uniqueid);
        this.#seen(event.channel, event.atMs);
        return;
      case 'rtcp':
        this.#reports.take(this.#seen(event.channel, event.atMs), event.report, event.atMs);
        return;
      case 'hangup':
        return this.#hangup(event);
      case 'hangup-request':
        // The channel was never seen, so the event changes nothing.
        if (!this.#channels.has(event.channel.uniqueid)) return;
        return this.#hangups.noteRequest(this.#seen(event.channel, event.atMs), event.by, event.atMs);
      case 'bridge-enter': {
        const channel = this.#seen(event.channel, event.atMs);
        this.#bridges.enter(channel, event.bridgeId, event.bridgeTechnology, event.atMs);
        this.#hangups.noteTalk(channel);
        return this.#writes.noteBridge(channel, event.atMs);
      }
      case 'dial': {
        const channel = this.#seen(event.channel, event.atMs);
        this.#bridges.dial(channel, this.#channels.get(event.dialledUniqueid));
        return this.#writes.noteDial(channel, event.atMs);
      }
      case 'bridge-leave':
        return this.#bridges.leave(this.#seen(event.channel, event.atMs), event.bridgeTechnology, event.atMs);
      case 'hold':
      case 'unhold':
        return this.#bridges.hold(this.#seen(event.channel, event.atMs), event.type === 'hold', event.atMs);
      case 'digit':
        return this.#bridges.digit(this.#seen(event.channel, event.atMs), event.direction, event.atMs);
      case 'local-bridge':
        return this.#bridges.joinHalves(event.oneUniqueid, event.twoUniqueid);
      case 'addresses':
      case 'mark':
      case 'endpoint-state':
        return;
      case 'link-lost':
        return this.#missReports();
      case 'resync':
        return this.#resync(event.channels, event.atMs);
      default:
        return this.#facts.take(event);
    }
  }

  /** All calls and channels in memory. Others that the history has as up ended while the sidecar did not run. */
  get known(): { readonly linkedids: string[]; readonly uniqueids: string[] } {
    return { linkedids: [...this.#calls.all()].map(({ linkedid }) => linkedid), uniqueids: [...this.#channels.keys()] };
  }

  /** Everything has to be stored anew. */
  storeAnew(): void {
    for (const channel of this.#channels.values()) this.#changes.touch(channel);
  }

  /** Goes on from the stored states of calls. Reports may have been missed since. Call it before any event. */
  restore(resumable: readonly ResumableChannel[]): void {
    for (const stored of resumable) {
      const { state, closed } = goOnFrom(stored, this.#rules);
      for (const segment of closed) this.#changes.addSegment(segment);
      this.#channels.set(state.uniqueid, state);
      this.#live.add(state, Number.NEGATIVE_INFINITY);
      this.#calls.add(state);
    }
    // These channels got their final scores before the restart. Note them, so that one that goes on is noticed.
    for (const channel of this.#channels.values())
      if (channel.final !== null && isLive(channel)) this.#givenFinals.note(channel, channel.final.atMs);
    this.#missReports();
  }

  /**
   * The final scores of a channel, for its hangup handler. Undefined: the channel is unknown, or has nothing to write. Later
   * reports do not count any more, unless they show that the channel goes on.
   */
  finalWord(uniqueid: string, counters: RtpCounters, nowMs: number): ChannelValues | undefined {
    const channel = this.#channels.get(uniqueid);
    if (channel === undefined || isLocalChannel(channel)) return undefined;
    // A second question gets the same answer.
    if (channel.final === null) {
      if (isLive(channel)) this.#givenFinals.note(channel, nowMs);
      this.#bridges.forgetPast(channel, nowMs);
      takeFinalCounters(channel, counters, nowMs, this.#rules);
      channel.final = { ...this.#views.around(channel), atMs: nowMs };
    }
    this.#changes.touch(channel);
    const values = this.#writes.lastWord(channel, nowMs);
    return values.variables.size === 0 && values.cdrFields.size === 0 ? undefined : values;
  }

  /** Does what is due by `nowMs`. Call it a few times a second. */
  tick(nowMs: number): void {
    for (const revoked of this.#givenFinals.takeOverdue(nowMs)) this.#reports.revoke(revoked, nowMs);
    this.#writes.tick(nowMs);
    for (const call of this.#lifecycle.takeEnded(nowMs)) this.#forget(call, nowMs);
  }

  /**
   * Somebody set the clock: the moments of calls that are up move with it, so that the time between them stays right. What is
   * stored already stays.
   */
  clockStepped(byMs: number): void {
    moveMoments(this.#channels.values(), this.#calls.all(), byMs);
    for (const channel of this.#channels.values()) this.#changes.touch(channel);
    this.#writes.clockStepped(byMs);
    this.#givenFinals.clockStepped(byMs);
    this.#former.clockStepped(byMs);
    this.#lifecycle.clockStepped(byMs);
  }

  /** The sidecar stood still and read nothing. From now on overdue reports are judged anew. */
  wasDeaf(nowMs: number): void {
    for (const channel of this.#channels.values()) channel.watchedSinceMs = nowMs;
  }

  /** What has to be stored by `nowMs`; without an argument, everything. Reports are stored as they come, by a port. */
  drain(nowMs = Number.POSITIVE_INFINITY): HistoryChange[] {
    return this.#changes.drain(this.#rules, this.#views, nowMs);
  }

  /** Channels that have changed since the last call, as they are now; none while nobody `isWatching`. */
  takeShown(isWatching: boolean): ChannelRecord[] {
    return this.#changes.takeShown(isWatching).map((channel) => this.#views.record(channel));
  }

  /** Whether the channel is up, or ended a moment ago, so that events about it still count. */
  holds(uniqueid: string): boolean {
    return this.#channels.has(uniqueid);
  }

  get liveCount(): number {
    return this.#live.size;
  }

  liveUniqueids(): string[] {
    return this.#live.all().map(({ uniqueid }) => uniqueid);
  }

  liveChannel(uniqueid: string): ChannelRecord | null {
    const channel = this.#channels.get(uniqueid);
    return channel === undefined || !isLive(channel) ? null : this.#views.record(channel);
  }

  liveMedia(uniqueid: string): LiveMedia | null {
    const channel = this.#channels.get(uniqueid);
    return channel === undefined || !isLive(channel) ? null : this.#views.media(channel);
  }

  liveChannels(): ChannelRecord[] {
    return this.#live.all().map((channel) => this.#views.record(channel));
  }

  /** Calls that are up or ended some seconds ago, as they are now. */
  get current(): CurrentCalls {
    return this.#views;
  }

  /** The channel of a snapshot, in the call that the snapshot names. It is created if it is new. */
  #seen(snapshot: ChannelSnapshot, atMs: number, joinedLate = false, startedAtMs = atMs): ChannelState {
    const known = this.#channels.get(snapshot.uniqueid);
    if (known === undefined) {
      const channel = newChannel(snapshot, startedAtMs, atMs, joinedLate);
      this.#channels.set(channel.uniqueid, channel);
      this.#calls.add(channel);
      this.#changes.touch(channel);
      const givenUp = this.#live.add(channel, atMs);
      if (givenUp !== undefined) this.#giveUp(givenUp, atMs);
      return channel;
    }
    const changed = noteSnapshot(known, snapshot, atMs);
    if (known.linkedid !== snapshot.linkedid) this.#lifecycle.move(known, snapshot.linkedid, atMs);
    else if (changed) this.#changes.touch(known);
    return known;
  }

  #hangup(event: Extract<PbxEvent, { type: 'hangup' }>): void {
    // The channel was never seen, so its end changes nothing.
    if (!this.#channels.has(event.channel.uniqueid)) return this.#gone.note(event.channel.uniqueid, event.atMs);
    const channel = this.#seen(event.channel, event.atMs);
    if (channel.endReason === 'vanished') channel.endReason = 'hangup';
    channel.hangupCause = event.cause ?? null;
    channel.hangupCauseText = event.causeText === undefined ? null : flatCopy(event.causeText);
    this.#changes.touch(channel);
    this.#end(channel, 'hangup', event.atMs);
  }

  /** `atMs`: when the channel ended, or was last heard of. `notedAtMs`: when that became known. */
  #end(channel: ChannelState, reason: EndReason, atMs: number, notedAtMs = atMs): void {
    if (!isLive(channel)) return;
    channel.endedAtMs = atMs;
    channel.endReason = reason;
    this.#live.delete(channel);
    this.#givenFinals.prove(channel);
    this.#bridges.forget(channel);
    noteCounters(channel, {}, atMs);
    this.#writes.forget(channel);
    this.#changes.touch(channel);
    const call = this.#calls.get(channel.linkedid);
    if (call !== undefined) this.#lifecycle.endIfOver(call, notedAtMs);
  }

  #giveUp(channel: ChannelState, atMs: number): void {
    this.counters.channelsGivenUp++;
    this.#end(channel, 'vanished', channel.lastSeenAtMs, atMs);
  }

  #missReports(): void {
    for (const channel of this.#channels.values()) {
      if (!isLive(channel)) continue;
      this.#bridges.doubtHold(channel);
      channel.rx.reportsMissed = true;
      channel.tx.reportsMissed = true;
      this.#changes.touch(channel);
    }
  }

  #resync(existing: readonly ExistingChannel[], atMs: number): void {
    this.#gone.clear();
    const others = existing.filter((channel) => this.#former.isAnother(channel, atMs));
    const present = new Set(existing.map((channel) => channel.uniqueid));
    for (const { uniqueid } of others) present.delete(uniqueid);
    for (const channel of this.#channels.values()) {
      if (isLive(channel) && !present.has(channel.uniqueid)) this.#end(channel, 'vanished', channel.lastSeenAtMs, atMs);
    }
    this.#former.noteList();
    for (const { uniqueid } of others) this.#former.makeWay(uniqueid);
    for (const snapshot of existing) {
      const channel = this.#seen(snapshot, atMs, true, atMs - (snapshot.ageS ?? 0) * 1000);
      channel.watchedSinceMs = atMs;
      if (snapshot.bridgeId === undefined) this.#bridges.leave(channel, null, atMs);
      else this.#bridges.enter(channel, snapshot.bridgeId, channel.bridgeTechnology, atMs);
      if (snapshot.isDialled) channel.isDialled = true;
      this.#facts.takeCodecs(channel.uniqueid, snapshot.codecs, atMs);
    }
    // No event will end a restored call without a live channel.
    for (const call of this.#calls.all()) if (call.endedAtMs === null) this.#lifecycle.endIfOver(call, atMs);
  }

  #forget(call: CallState, nowMs: number): void {
    if (this.#calls.get(call.linkedid) !== call) return; // Joined into another call, it lives on there.
    this.#calls.forget(call.linkedid);
    for (const { uniqueid } of call.channels) {
      this.#channels.delete(uniqueid);
      // Asterisk may have restarted since and may give the id to another channel.
      if (!this.#former.has(uniqueid)) this.#gone.note(uniqueid, nowMs);
    }
  }
}
