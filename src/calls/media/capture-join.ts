import type { SeenStream } from '../../model/capture.ts';
import type { ChannelCodecs, PbxEvent } from '../../model/event.ts';
import { type Direction, directionMeasuredBy, directionSentBy } from '../../model/report.ts';
import { flatCopy } from '../../units/flat-copy.ts';
import { StreamOwners, type StreamOwner } from './stream-owners.ts';

/** After a hang-up, packets may still be on their way from the kernel for this long. */
const HANGUP_GRACE_MS = 500;
/** A stream without an owner waits this long for Asterisk to name one. By default RTCP comes every 5 s. */
const NOBODYS_MS = 60_000;
/** A stream without an owner is over after this long without a packet. */
const NOBODYS_IDLE_MS = 10_000;
/**
 * Bound on the streams of one direction that only Asterisk's port assigns to the channel. A transfer or a re-INVITE brings a new
 * one.
 */
const MOST_BY_PORT = 16;
/** A stream that another one of its direction followed is over after this long without a packet. */
const FOLLOWED_IDLE_MS = 10_000;

/** What became of streams. The caller has their packets and acts on it. */
export interface Swept<S> {
  /** New streams that now have an owner. */
  readonly joined: readonly S[];
  /** Streams that are over and have an owner. The caller closes and reports them, then calls `remove`. */
  readonly over: readonly S[];
  /** Streams that are over and never had an owner. */
  readonly nobodys: readonly S[];
}

/** Knows which captured streams are which channel's audio, from the first packet to the hang-up. */
export class CaptureJoin<S extends SeenStream> {
  readonly #streamOwners = new StreamOwners();
  readonly #codecs = new Map<string, ChannelCodecs>();
  readonly #owners = new Map<S, readonly StreamOwner[]>();
  readonly #streams = new Map<string, Set<S>>();
  /** Channels that have ended, and when their streams are over. */
  readonly #endings = new Map<string, number>();

  /** Takes what an event tells about where whose media is. */
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

  /** Finds owners for new streams, and tells which streams are over. Call it about every second. */
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

  /** Somebody set the clock by `byMs`; the caller moves the streams. */
  clockStepped(byMs: number): void {
    this.#streamOwners.clockStepped(byMs);
    for (const [uniqueid, dueAtMs] of this.#endings) this.#endings.set(uniqueid, dueAtMs + byMs);
  }

  ownersOf(stream: S): readonly StreamOwner[] {
    return this.#owners.get(stream) ?? [];
  }

  /**
   * Whether a new stream belongs to a channel, by what is known now. Where only the port tells, one direction of a channel takes
   * a bounded number; `others`: how many it has that are not joined yet.
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

  /** The codec of the channel and direction to which a stream belongs; undefined: one of the two is not known. */
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

  /** Packets of a stream that stands still may just be lost, so only a later stream of its direction ends it. */
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
