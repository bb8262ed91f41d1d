import { endpointOf } from '../model/channel.ts';
import type { ChannelSnapshot, PbxEvent } from '../model/event.ts';
import type { LiveView } from '../model/ports.ts';
import type { ChannelRecord } from '../model/record.ts';
import type { Verdict } from '../model/score.ts';
import { flatCopy } from '../units/flat-copy.ts';

/** A rating without a call id is about a call that ended at most so long ago. */
export const LAST_CALL_MS = 600_000;
/** Bound on remembered calls and endpoints, an hour of a busy server; the oldest are forgotten first. */
const MOST_REMEMBERED = 20_000;
/** Bound on the parties of one call. */
const MOST_PARTIES = 32;

/** Verdicts from the worst to the best, without those that say nothing about quality. */
const WORST_FIRST = [
  'one-way-rx',
  'one-way-tx',
  'no-media',
  'bad',
  'poor',
  'fair',
  'good',
] as const satisfies Verdict[];

/** Asterisk's state of a channel that was answered. */
const UP = 6;

export interface EndedChannel {
  readonly linkedid: string;
  readonly uniqueid: string;
  readonly endedAtMs: number;
}

/**
 * Lists without duplicates, made anew with each text: a list that grows keeps 17 places for one or two, and a set takes five times the
 * memory. Texts are flat copies (`flatCopy`).
 */
interface RecentCall {
  dialled: readonly string[];
  /** Numbers of the parties and dialled numbers, as they are stored. */
  numbers: readonly string[];
  worst: Verdict | null;
}

const NO_TEXTS: readonly string[] = [];

/** Calls that are up or have just ended, in memory: nobody on the telephone waits for a disk. */
export class RecentCalls {
  readonly #live: LiveView;
  readonly #calls = new Map<string, RecentCall>();
  readonly #lastEnded = new Map<string, EndedChannel>();
  readonly #notRated = new Set<string>();
  /** Channels that are up. */
  readonly #up = new Set<string>();

  constructor(live: LiveView) {
    this.#live = live;
  }

  take(event: PbxEvent): void {
    if (event.type === 'channel') this.#noteUp(event.channel);
    if (event.type === 'resync') this.#resync(event.channels);
    if (event.type === 'hangup') this.#hangup(event);
    if (event.type !== 'dial') return;
    const { linkedid, exten, callerNumber } = event.channel;
    const call = this.#call(linkedid);
    call.dialled = withOnce(call.dialled, event.dialledUniqueid);
    for (const number of [exten, callerNumber]) if (number) call.numbers = withOnce(call.numbers, number);
  }

  channelEnded({ uniqueid, linkedid, endpoint, endedAtMs, answeredAtMs, verdict }: ChannelRecord): void {
    if (endedAtMs === null) return;
    const known = this.#calls.get(linkedid);
    if (known !== undefined) known.worst = worse(known.worst, verdict);
    if (answeredAtMs !== null) this.#noteEnded(endpoint, { linkedid, uniqueid, endedAtMs });
  }

  /** Leaves out a call that was made only to rate another one. */
  leaveOut(uniqueid: string): void {
    this.#notRated.add(flatCopy(uniqueid));
    const [oldest] = this.#notRated;
    if (this.#notRated.size > MOST_REMEMBERED && oldest !== undefined) this.#notRated.delete(oldest);
  }

  /** The last call that the endpoint ended; undefined: too long ago, or before the sidecar started. */
  lastOf(endpoint: string, nowMs: number): EndedChannel | undefined {
    const last = this.#lastEnded.get(endpoint);
    return last !== undefined && nowMs - last.endedAtMs <= LAST_CALL_MS ? last : undefined;
  }

  /** The worst verdict of any party so far; null: unknown. */
  worstOf(linkedid: string, uniqueid: string): Verdict | null {
    const { dialled = [], worst = null } = this.#calls.get(linkedid) ?? {};
    return [...new Set([uniqueid, linkedid, ...dialled])]
      .map((party) => this.#live.liveChannel(party)?.verdict ?? null)
      .reduce(worse, worst);
  }

  numbersOf(linkedid: string): readonly string[] {
    return [...(this.#calls.get(linkedid)?.numbers ?? [])];
  }

  #noteUp({ uniqueid, stateNumber }: ChannelSnapshot): void {
    if (stateNumber === UP) this.#up.add(flatCopy(uniqueid));
  }

  #resync(channels: readonly ChannelSnapshot[]): void {
    this.#up.clear();
    for (const channel of channels) this.#noteUp(channel);
  }

  /** Note the end at once. The record comes later, with the final scores, and people dial quickly. */
  #hangup({ atMs, channel }: Extract<PbxEvent, { type: 'hangup' }>): void {
    const { uniqueid, linkedid, name } = channel;
    if (!this.#up.delete(uniqueid)) return;
    const ended = { linkedid: flatCopy(linkedid), uniqueid: flatCopy(uniqueid), endedAtMs: atMs };
    this.#noteEnded(flatCopy(endpointOf(name)), ended);
  }

  /** Ends may come more than once and out of order: an older end changes nothing. */
  #noteEnded(endpoint: string, ended: EndedChannel): void {
    if (this.#notRated.has(ended.uniqueid)) return;
    const known = this.#lastEnded.get(endpoint);
    if (known === undefined || known.endedAtMs <= ended.endedAtMs) remember(this.#lastEnded, endpoint, ended);
  }

  #call(linkedid: string): RecentCall {
    const known = this.#calls.get(linkedid);
    if (known !== undefined) return known;
    const made: RecentCall = { dialled: NO_TEXTS, numbers: NO_TEXTS, worst: null };
    remember(this.#calls, flatCopy(linkedid), made);
    return made;
  }
}

function withOnce(texts: readonly string[], text: string): readonly string[] {
  return texts.length < MOST_PARTIES && !texts.includes(text) ? texts.concat(flatCopy(text)) : texts;
}

/** Sets a key as the newest of a bounded map. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MOST_REMEMBERED && oldest !== undefined) map.delete(oldest);
}

function worse(one: Verdict | null, other: Verdict | null): Verdict | null {
  return WORST_FIRST.find((word) => word === one || word === other) ?? one ?? other;
}
