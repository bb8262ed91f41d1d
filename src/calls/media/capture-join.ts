import type { SeenStream } from '../../model/capture.ts';
import type { ChannelCodecs, PbxEvent } from '../../model/event.ts';
import { type Direction, directionMeasuredBy, directionSentBy } from '../../model/report.ts';
import { flatCopy } from '../../units/flat-copy.ts';
import { StreamOwners, type StreamOwner } from './stream-owners.ts';

/** After a hang-up, for packets that are still on their way from the kernel to us. */
const HANGUP_GRACE_MS = 500;
/** A stream without an owner waits this long for Asterisk to name one: RTCP comes every 5 s by default. */
const NOBODYS_MS = 60_000;
/** A stream without an owner is over after this long without a packet. */
const NOBODYS_IDLE_MS = 10_000;
/** Streams of one direction of a channel that only Asterisk's port names; a transfer or a re-INVITE brings a new one. */
const MOST_BY_PORT = 16;
/** One that another of its direction has followed is over when it had no packet for this long. */
const FOLLOWED_IDLE_MS = 10_000;

/** What has become of streams; the caller, which keeps their packets, acts on it. */
export interface Swept<S> {
  /** New ones that have an owner now. */
  readonly joined: readonly S[];
  /** Over, with their owners: the caller closes and reports them, then calls `remove`. */
  readonly over: readonly S[];
  /** Over, and never anybody's. */
  readonly nobodys: readonly S[];
}

/** Which captured streams are which channel's audio, from the first packet to the hang-up. */
export class CaptureJoin<S extends SeenStream> {
  readonly #streamOwners = new StreamOwners();
  readonly #codecs = new Map<string, ChannelCodecs>();
  readonly #owners = new Map<S, readonly StreamOwner[]>();
  readonly #streams = new Map<string, Set<S>>();
  /** Channels that have ended, and when their streams are over. */
  readonly #endings = new Map<string, number>();

  /** Takes in what an event tells of whose media is where. */
  take(event: PbxEvent): void {
    switch (event.type) {
      case 'channel':
        return this.#streamOwners.begin(event.channel.uniqueid, event.atMs);
      case 'rtcp':
        return this.#takeReport(event);
      case 'addresses':
        return this.#streamOwners.noteAddresses(event.uniqueid, event.addresses);
      case 'codecs':
        if (this.#streamOwners.has(event.uniqueid)) this.#codecs.set(flatCopy(event.uniqueid), event.codecs);
        return;
      case 'counters':
        return this.#takeCounters(event);
      case 'hangup':
        return this.#end(event.channel.uniqueid, event.atMs);
      case 'resync':
        return this.#resync(event);
      default:
    }
  }

  /** Finds owners for new streams, and says which streams are over. To be called about every second. */
  sweep(streams: Iterable<S>, nowMs: number): Swept<S> {
    const joined: S[] = [];
    const nobodys: S[] = [];
    for (const stream of streams) {
      if (this.#owners.has(stream)) continue;
      const owners = this.#streamOwners.ownersOf(stream);
      if (owners.length > 0) {
        this.#join(stream, owners);
        joined.push(stream);
      } else if (isOverForNobody(stream, nowMs)) nobodys.push(stream);
    }
    const over = new Set<S>();
    for (const [uniqueid, own] of this.#streams) {
      for (const stream of own) if (this.#isFollowed(uniqueid, stream, nowMs)) over.add(stream);
    }
    for (const [uniqueid, dueAtMs] of this.#endings) {
      if (nowMs < dueAtMs) continue;
      for (const stream of this.#streams.get(uniqueid) ?? []) over.add(stream);
      this.#forget(uniqueid);
    }
    return { joined, over: [...over], nobodys };
  }

  /** The clock was set by `byMs`; the caller moves the streams. */
  clockStepped(byMs: number): void {
    this.#streamOwners.clockStepped(byMs);
    for (const [uniqueid, dueAtMs] of this.#endings) this.#endings.set(uniqueid, dueAtMs + byMs);
  }

  ownersOf(stream: S): readonly StreamOwner[] {
    return this.#owners.get(stream) ?? [];
  }

  /**
   * Whether a new stream is a channel's, by what is known now. Where only the port says so, one direction of a channel takes a few;
   * `others`: how many of those it has that are not joined yet.
   */
  isKnown(stream: SeenStream, others: (owner: StreamOwner) => number): boolean {
    return this.#streamOwners.ownersOf(stream).some((owner) => {
      if (this.#streamOwners.isSureOf(stream, owner)) return true;
      const { uniqueid, direction } = owner;
      return this.streamsOf(uniqueid, direction).length + others(owner) < MOST_BY_PORT;
    });
  }

  /** A channel's streams of one direction, in the order in which they were joined to it. */
  streamsOf(uniqueid: string, direction: Direction): S[] {
    const own = this.#streams.get(uniqueid) ?? [];
    return [...own].filter((stream) => this.#isOwned(stream, uniqueid, direction));
  }

  /** The channels that have streams. */
  joinedChannels(): IterableIterator<string> {
    return this.#streams.keys();
  }

  get joinedStreams(): number {
    return this.#owners.size;
  }

  /** The codec of the channel and direction that a stream belongs to; undefined while one of both is not known. */
  codecOf(stream: SeenStream): string | undefined {
    for (const { uniqueid, direction } of this.#streamOwners.ownersOf(stream)) {
      const codec = this.#codecs.get(uniqueid)?.[direction] ?? undefined;
      if (codec !== undefined) return codec;
    }
    return undefined;
  }

  /** The stream is closed. */
  remove(stream: S): void {
    for (const { uniqueid } of this.ownersOf(stream)) {
      const own = this.#streams.get(uniqueid);
      own?.delete(stream);
      if (own?.size === 0) this.#streams.delete(uniqueid);
    }
    this.#owners.delete(stream);
  }

  #join(stream: S, owners: readonly StreamOwner[]): void {
    this.#owners.set(stream, owners);
    for (const { uniqueid } of owners) {
      this.#streams.set(uniqueid, (this.#streams.get(uniqueid) ?? new Set()).add(stream));
    }
  }

  #takeReport({ channel, report, addresses }: Extract<PbxEvent, { type: 'rtcp' }>): void {
    const { uniqueid } = channel;
    this.#streamOwners.begin(uniqueid, Number.NEGATIVE_INFINITY);
    if (addresses !== undefined) this.#streamOwners.noteAddresses(uniqueid, addresses);
    const { reporter, block, senderSsrc } = report;
    if (block !== undefined) this.#streamOwners.noteSsrc(uniqueid, directionMeasuredBy(reporter), block.sourceSsrc);
    if (senderSsrc !== undefined) this.#streamOwners.noteSsrc(uniqueid, directionSentBy(reporter), senderSsrc);
  }

  #takeCounters({ uniqueid, counters }: Extract<PbxEvent, { type: 'counters' }>): void {
    const { localSsrc, remoteSsrc } = counters;
    if (remoteSsrc !== undefined) this.#streamOwners.noteSsrc(uniqueid, 'rx', remoteSsrc);
    if (localSsrc !== undefined) this.#streamOwners.noteSsrc(uniqueid, 'tx', localSsrc);
  }

  #resync({ channels, atMs }: Extract<PbxEvent, { type: 'resync' }>): void {
    const present = new Set(channels.map(({ uniqueid }) => uniqueid));
    for (const uniqueid of this.#streamOwners.channels()) if (!present.has(uniqueid)) this.#end(uniqueid, atMs);
    for (const { uniqueid, ageS, codecs } of channels) {
      this.#streamOwners.begin(uniqueid, ageS === undefined ? Number.NEGATIVE_INFINITY : atMs - (ageS + 1) * 1000);
      this.#codecs.set(flatCopy(uniqueid), codecs);
    }
  }

  #end(uniqueid: string, atMs: number): void {
    if (!this.#endings.has(uniqueid)) this.#endings.set(flatCopy(uniqueid), atMs + HANGUP_GRACE_MS);
  }

  #forget(uniqueid: string): void {
    this.#endings.delete(uniqueid);
    this.#codecs.delete(uniqueid);
    this.#streamOwners.forget(uniqueid);
  }

  #isOwned(stream: S, uniqueid: string, direction: Direction): boolean {
    return this.ownersOf(stream).some((owner) => owner.uniqueid === uniqueid && owner.direction === direction);
  }

  /** A stream that stands still may be one whose packets are lost: only another one that came after it ends it. */
  #isFollowed(uniqueid: string, stream: S, nowMs: number): boolean {
    if (nowMs - stream.lastAtMs < FOLLOWED_IDLE_MS) return false;
    const [owner] = this.ownersOf(stream);
    if (owner === undefined) return false;
    return this.streamsOf(uniqueid, owner.direction).some((other) => other.firstAtMs > stream.lastAtMs);
  }
}

function isOverForNobody({ firstAtMs, lastAtMs }: SeenStream, nowMs: number): boolean {
  return nowMs - lastAtMs > NOBODYS_IDLE_MS || nowMs - firstAtMs > NOBODYS_MS;
}
