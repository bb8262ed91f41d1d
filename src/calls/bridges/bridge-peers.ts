import type { IntervalRecord, SegmentCause } from '../../model/record.ts';
import type { Direction } from '../../model/report.ts';
import { Bridges } from './bridges.ts';
import type { ChangeLog } from '../change-log.ts';
import { isOnItsOwn, noteBridged, noteParted } from './billing-party.ts';
import type { ChannelState } from '../channels/channel-state.ts';
import { flatCopy } from '../../units/flat-copy.ts';
import { noteDisturbance } from '../directions/direction-state.ts';

/** Conferences: each party hears its own mix, and nobody's coming or going interrupts it. */
const CONFERENCE_TECHNOLOGY = 'softmix';

/** Bridges for parked calls and others that wait: no member hears another. */
const HOLDING_TECHNOLOGY = 'holding_bridge';

/** A bridge so soon after the answer is the call's first, and interrupts nothing. */
const FIRST_BRIDGE_MS = 1000;

/** Asterisk passes packets on unchanged, or they do not come through this server at all. */
const NATIVE_TECHNOLOGY = 'native_rtp';

/** Knows who hears whom: keeps each channel's peer, and notes when a channel gets other audio to send. */
export class BridgePeers {
  readonly #channels: ReadonlyMap<string, ChannelState>;
  readonly #changes: ChangeLog;
  readonly #bridges = new Bridges();
  /**
   * Channels that were on hold while the connection to Asterisk was lost. For each direction the last report number that may be
   * from before; null: audio has come since.
   */
  readonly #doubtfulHolds = new Map<string, Record<Direction, number | null>>();

  constructor(channels: ReadonlyMap<string, ChannelState>, changes: ChangeLog) {
    this.#channels = channels;
    this.#changes = changes;
  }

  /** The channel enters a bridge; `technology` null: not known. Entering the bridge that it is in changes nothing. */
  enter(channel: ChannelState, bridgeId: string, technology: string | null, atMs: number): void {
    const isNew = channel.bridgeId !== bridgeId;
    if (isNew) channel.bridgeId = flatCopy(bridgeId);
    this.#bridges.enter(channel.bridgeId ?? bridgeId, channel.uniqueid);
    if (channel.bridgeTechnology !== technology)
      channel.bridgeTechnology = technology === null ? null : flatCopy(technology);
    this.#changes.touch(channel);
    if (isNew) {
      this.#disturb(channel, technology, 'bridge', atMs);
      if (channel.bridges.wasBridged) channel.tx.movedAtMs = atMs;
      noteBridged(channel);
      this.#setPeer(channel.uniqueid, null);
    }
    this.#notePeers(channel.bridgeId ?? bridgeId);
  }

  /** The other channels of its bridge that hear it. */
  companionsOf(channel: ChannelState): ChannelState[] {
    if (channel.bridgeTechnology === HOLDING_TECHNOLOGY) return [];
    const companions: ChannelState[] = [];
    for (const uniqueid of this.#bridges.companionsOf(channel.uniqueid)) {
      const companion = this.#channels.get(uniqueid);
      if (companion !== undefined) companions.push(companion);
    }
    return companions;
  }

  /** The channel dials another one, so its former peer is not its peer any more. */
  dial(channel: ChannelState, dialled: ChannelState | undefined): void {
    if (dialled !== undefined && !dialled.isDialled) {
      dialled.isDialled = true;
      this.#changes.touch(dialled);
    }
    if (channel.bridgeId === null) this.#setPeer(channel.uniqueid, null);
  }

  /** Takes the peer from a channel that left its bridge a while ago and has gone on without it, such as to a voice mailbox. */
  forgetPast(channel: ChannelState, nowMs: number): void {
    if (isOnItsOwn(channel, nowMs)) this.#setPeer(channel.uniqueid, null);
  }

  /** A digit is sent in one direction of a channel. A digit from its phone leaves a gap in what the others in the bridge hear. */
  digit(channel: ChannelState, direction: Direction, atMs: number): void {
    channel[direction].digitAtMs = atMs;
    if (direction === 'rx') for (const companion of this.companionsOf(channel)) companion.tx.digitAtMs = atMs;
  }

  leave(channel: ChannelState, technology: string | null, atMs: number): void {
    if (channel.bridgeId === null) return;
    this.#disturb(channel, technology, 'bridge', atMs);
    if (technology === NATIVE_TECHNOLOGY)
      this.#noteNative([channel.uniqueid, ...this.#bridges.companionsOf(channel.uniqueid)]);
    noteParted(channel, this.companionsOf(channel), atMs);
    this.#bridges.leave(channel.uniqueid);
    this.#notePeers(channel.bridgeId);
    channel.bridgeId = null;
    channel.bridgeTechnology = null;
    this.#changes.touch(channel);
  }

  /** A transfer also takes channels off hold that were never on hold; that changes nothing. */
  hold(channel: ChannelState, onHold: boolean, atMs: number): void {
    this.#doubtfulHolds.delete(channel.uniqueid);
    if (channel.onHold === onHold) return;
    channel.onHold = onHold;
    channel.watchedSinceMs = atMs;
    this.#changes.touch(channel);
    this.#disturb(channel, channel.bridgeTechnology, onHold ? 'hold' : 'retrieve', atMs);
  }

  /** The connection was lost, so the end of a hold may have been missed. */
  doubtHold({ uniqueid, onHold, rx, tx }: ChannelState): void {
    if (onHold) this.#doubtfulHolds.set(uniqueid, { rx: rx.total.reports + 1, tx: tx.total.reports + 1 });
  }

  /** Audio in both directions shows that a hold whose end may have been missed is over. */
  noteInterval(channel: ChannelState, { direction, kind, reportNumber, atMs }: IntervalRecord): void {
    if (this.#doubtfulHolds.size === 0) return;
    const doubt = this.#doubtfulHolds.get(channel.uniqueid);
    const lastBefore = doubt?.[direction] ?? null;
    if (doubt === undefined || lastBefore === null || kind !== 'media' || reportNumber <= lastBefore) return;
    doubt[direction] = null;
    if (doubt.rx === null && doubt.tx === null) this.hold(channel, false, atMs);
  }

  /** The channel has ended. */
  forget(channel: ChannelState): void {
    this.#doubtfulHolds.delete(channel.uniqueid);
    if (channel.bridgeId !== null) noteParted(channel, this.companionsOf(channel), channel.endedAtMs ?? 0);
    this.#bridges.forget(channel.uniqueid);
    if (channel.bridgeId !== null) this.#notePeers(channel.bridgeId);
  }

  joinHalves(oneUniqueid: string, twoUniqueid: string): void {
    this.#bridges.joinHalves(flatCopy(oneUniqueid), flatCopy(twoUniqueid));
  }

  #noteNative(uniqueids: readonly string[]): void {
    for (const uniqueid of uniqueids) {
      const channel = this.#channels.get(uniqueid);
      if (channel === undefined) continue;
      channel.wasBridgedNatively = true;
      this.#changes.touch(channel);
    }
  }

  /** The channel, and those bridged with it, get other audio from now on. */
  #disturb(channel: ChannelState, technology: string | null, cause: SegmentCause, atMs: number): void {
    const companions = technology === CONFERENCE_TECHNOLOGY ? [] : this.#bridges.companionsOf(channel.uniqueid);
    for (const uniqueid of [channel.uniqueid, ...companions]) {
      const disturbed = this.#channels.get(uniqueid);
      if (disturbed === undefined) continue;
      const isBeginning = disturbed.answeredAtMs === null || atMs <= disturbed.answeredAtMs + FIRST_BRIDGE_MS;
      noteDisturbance(disturbed.rx, cause, atMs, isBeginning);
      noteDisturbance(disturbed.tx, cause, atMs, isBeginning);
      this.#changes.touch(disturbed);
    }
  }

  /** Finds the peers of a bridge's members, also through Local channels. A member that has none keeps its last one. */
  #notePeers(bridgeId: string): void {
    const members = this.#bridges.membersOf(bridgeId);
    for (const uniqueid of members) {
      // In a conference nobody has a single peer.
      if (members.length > 2) this.#setPeer(uniqueid, null);
      if (this.#channels.get(uniqueid)?.bridgeTechnology === HOLDING_TECHNOLOGY) continue;
      const peerUniqueid = this.#bridges.peerOf(uniqueid);
      if (peerUniqueid === undefined) continue;
      this.#setPeer(uniqueid, peerUniqueid);
      this.#setPeer(peerUniqueid, this.#bridges.peerOf(peerUniqueid) ?? uniqueid);
    }
  }

  #setPeer(uniqueid: string, peerUniqueid: string | null): void {
    const channel = this.#channels.get(uniqueid);
    if (channel === undefined || channel.peerUniqueid === peerUniqueid) return;
    channel.peerUniqueid = peerUniqueid;
    this.#changes.touch(channel);
  }
}
