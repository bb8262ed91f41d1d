import type { History } from '../history/history.ts';
import { type CallFacts, contributionsOf } from '../history/sums/contribution.ts';
import type { OutboxPut, SumsKey, SumsRow } from '../history/features/outbox.ts';
import { SPANS_MS } from '../history/sums/counted-calls.ts';
import type { CallWithChannels, HistoryReader } from '../model/ports.ts';
import { callRows, wantsIntervals } from './call-rows.ts';
import type { Cell, FleetRow } from './kinds.ts';

/** After this time the last reports of a call and its final scores have come. */
const QUIET_MS = 3000;
export const HEARTBEAT_EVERY_MS = 60_000;
/** Time between two looks for ratings and for calls that were scored again. */
const LOOK_EVERY_MS = 2000;
/**
 * Calls of half a minute mostly count in the same sums, which are then shipped once. The fleet's sums lag behind its calls by
 * this time.
 */
const SUMS_EVERY_MS = 30_000;
/** Bound on the rows in the outbox, about 1 KB each: what a busy PBX makes in a day without a gateway. */
const MOST_OUTBOX_ROWS = 500_000;
/** With more rows than this in the outbox, sums are held back: each would be put in again and again. */
const ROOM_FOR_SUMS = 20_000;
const SUMS_AT_ONCE = 1000;
/** Calls that are read at a time when the sidecar starts. */
const PAGE = 200;
/** A call may be stored this much later than it ended. */
const MARK_SLACK_MS = 60_000;
const DAY_MS = SPANS_MS[0];
/** Nobody looks for longer calls. */
export const LONGEST_CALL_MS = DAY_MS;

export interface GathererOptions {
  readonly send: 'summaries' | 'bad-intervals' | 'intervals';
  readonly history: Pick<History, 'features'>;
  readonly calls: HistoryReader;
  /** The state of the PBX, shipped once a minute. */
  readonly heartbeat: () => Readonly<Record<string, Cell>>;
  readonly onProblem: (sentence: string) => void;
  /** Tests set another span than half a minute. */
  readonly sumsEveryMs?: number | undefined;
}

/** The number of rows in the outbox, as last read. */
export interface OutboxView {
  readonly rows: number;
  readonly dropped: number;
  readonly oldestVersion: number | null;
}

/** Puts changes into the outbox: ended calls, their sums, ratings, and once a minute the state of the PBX. */
export class Gatherer {
  readonly #options: GathererOptions;
  /** When the last channel of each of these calls (by linkedid) ended. */
  readonly #ended = new Map<string, number>();
  /** Sums that have changed with the calls put into the outbox. */
  readonly #sums = new Map<string, SumsKey>();
  /** Calls put into the outbox whose sums may not have them yet. */
  #uncounted = new Set<string>();
  /** Sums from this day on are still to be put into the outbox; null: all are there. */
  #walkFromMs: number | null = null;
  #version = 0;
  #nextLookMs = 0;
  #nextSumsMs = 0;
  #nextHeartbeatMs = 0;

  constructor(options: GathererOptions) {
    this.#options = options;
  }

  /** Finds calls that ended and sums that changed while the sidecar was down. */
  async start(): Promise<void> {
    const { history, calls } = this.#options;
    const progress = await history.features.read('outbox', 'progress', undefined);
    this.#version = progress.version;
    this.#walkFromMs = progress.sumsBeforeMs;
    const markMs = await history.features.read('outbox', 'mark', undefined);
    if (markMs === 0) return;
    let cursor: Parameters<HistoryReader['calls']>[2] = null;
    do {
      const page = await calls.calls({ fromMs: markMs - LONGEST_CALL_MS }, PAGE, cursor);
      for (const { linkedid, endedAtMs } of page.calls) {
        if (endedAtMs !== null && endedAtMs >= markMs - MARK_SLACK_MS) this.#ended.set(linkedid, 0);
      }
      cursor = page.next;
    } while (cursor !== null);
  }

  /** Every change is in the outbox. */
  get isEven(): boolean {
    return this.#ended.size === 0 && this.#sums.size === 0 && this.#walkFromMs === null;
  }

  channelEnded(linkedid: string, nowMs: number): void {
    this.#ended.set(linkedid, nowMs);
  }

  /** Puts what has changed. Rejects when the outbox cannot be written; the next call tries again. */
  async gather(nowMs: number, outbox: OutboxView, isStopping: () => boolean): Promise<void> {
    for (const [linkedid, atMs] of this.#ended) {
      if (nowMs - atMs < QUIET_MS || isStopping()) continue;
      await this.#putCall(linkedid, nowMs);
      if (this.#ended.get(linkedid) === atMs) this.#ended.delete(linkedid);
    }
    if (nowMs >= this.#nextLookMs) {
      this.#nextLookMs = nowMs + LOOK_EVERY_MS;
      await this.#putAgain(nowMs, isStopping);
      await this.#putRatings(nowMs);
    }
    if (outbox.rows < ROOM_FOR_SUMS) {
      await this.#walk(nowMs);
      if (nowMs >= this.#nextSumsMs) {
        this.#nextSumsMs = nowMs + (this.#options.sumsEveryMs ?? SUMS_EVERY_MS);
        await this.#putChangedSums(nowMs);
      }
    }
    if (nowMs >= this.#nextHeartbeatMs) {
      this.#nextHeartbeatMs = nowMs + HEARTBEAT_EVERY_MS;
      const cells = {
        ...this.#options.heartbeat(),
        hour: Math.floor(nowMs / 3_600_000),
        at_ms: Math.round(nowMs),
        outbox_rows: outbox.rows,
        outbox_dropped: outbox.dropped,
        outbox_since_ms: outbox.oldestVersion,
      };
      await this.#put([{ kind: 'heartbeats', version: this.#next(nowMs), callStartedAtMs: nowMs, cells }]);
    }
  }

  /** Does nothing for a call that is still up: it is put when its last channel ends. */
  async #putCall(linkedid: string, nowMs: number, isAgain = false): Promise<void> {
    const { calls, history, send } = this.#options;
    const call = await calls.call(linkedid);
    if (call === null || call.endedAtMs === null) return;
    const parts = await Promise.all(
      call.channels.map(async (channel) => ({
        segments: await calls.segments(channel.uniqueid),
        intervals:
          send === 'summaries'
            ? []
            : ((await calls.intervals(channel.uniqueid)) ?? []).filter(({ direction }) =>
                wantsIntervals(send, channel, direction),
              ),
      })),
    );
    const aliases = await history.features.read('outbox', 'aliases', call.linkedid);
    const remarks = await history.features.read('remarks', 'ofCall', call.linkedid);
    // Notes and tags that were taken back must be taken back in the store, too.
    const isRemarked = isAgain || remarks.notes.length + remarks.tags.length > 0;
    const segments = parts.flatMap((part) => part.segments);
    const intervals = parts.flatMap((part) => part.intervals);
    const rows = callRows(
      { call, segments, intervals, aliases, remarks: isRemarked ? remarks : null },
      this.#next(nowMs),
    );
    this.#uncounted.add(call.linkedid);
    for (const key of sumsOf(call)) this.#sums.set(nameOf(key), key);
    await this.#put(rows, { endedAtMs: call.endedAtMs, linkedid });
  }

  /**
   * Puts calls that were scored again. Puts the pending sums first: only memory knows them, so they would be lost with the
   * process.
   */
  async #putAgain(nowMs: number, isStopping: () => boolean): Promise<void> {
    const { calls, history } = this.#options;
    for (const linkedid of await history.features.read('outbox', 'again', undefined)) {
      if (isStopping()) return;
      const call = await calls.call(linkedid);
      if (call === null || call.endedAtMs === null) continue;
      await this.#putSums(await history.features.read('outbox', 'sums', sumsOf(call)), nowMs);
      await this.#putCall(linkedid, nowMs, true);
    }
  }

  async #putRatings(nowMs: number): Promise<void> {
    const { history } = this.#options;
    const { rating } = await history.features.read('outbox', 'progress', undefined);
    const found = await history.features.read('outbox', 'ratings', rating);
    const last = found.at(-1);
    if (last === undefined) return;
    const version = this.#next(nowMs);
    await this.#put(
      found.map(({ callStartedAtMs, cells }) => ({ kind: 'ratings', version, callStartedAtMs, cells })),
      { progress: { rating: last.row } },
    );
  }

  /** Puts the sums of the past, one day at a time: those from before the first shipping, or those that a crash left unshipped. */
  async #walk(nowMs: number): Promise<void> {
    if (this.#walkFromMs === null) return;
    const day = await this.#options.history.features.read('outbox', 'sumsOfDay', this.#walkFromMs);
    if (day === null) {
      this.#walkFromMs = null;
      return;
    }
    await this.#putSums(day.rows, nowMs, Math.min(day.dayMs + DAY_MS, endedBefore(nowMs)));
    this.#walkFromMs = day.dayMs + DAY_MS;
  }

  async #putChangedSums(nowMs: number): Promise<void> {
    const { features } = this.#options.history;
    const all = [...this.#sums];
    const uncounted = new Set(await features.read('outbox', 'uncounted', [...this.#uncounted]));
    for (let at = 0; at < all.length; at += SUMS_AT_ONCE) {
      const some = all.slice(at, at + SUMS_AT_ONCE);
      const rows = await features.read(
        'outbox',
        'sums',
        some.map(([, key]) => key),
      );
      await this.#putSums(rows, nowMs);
    }
    // A call that is not counted yet will change these sums once more.
    if (uncounted.size === 0) for (const [name] of all) this.#sums.delete(name);
    this.#uncounted = uncounted;
    if (this.#walkFromMs === null && this.#sums.size === 0)
      await this.#put([], { progress: { sumsBeforeMs: endedBefore(nowMs) } });
  }

  async #putSums(rows: readonly SumsRow[], nowMs: number, sumsBeforeMs = 0): Promise<void> {
    const version = this.#next(nowMs);
    await this.#put(
      rows.map((cells) => ({ kind: 'sums', version, callStartedAtMs: Number(cells['starts_at_ms']), cells })),
      { progress: { sumsBeforeMs } },
    );
  }

  async #put(rows: readonly FleetRow[], more: Omit<OutboxPut, 'rows' | 'most'> = {}): Promise<void> {
    const stored = rows.map(({ cells, version, callStartedAtMs, kind }) => ({
      kind,
      version,
      callStartedAtMs: Math.round(callStartedAtMs),
      cells: JSON.stringify(known(cells)),
    }));
    await this.#options.history.features.write('outbox', 'put', { ...more, rows: stored, most: MOST_OUTBOX_ROWS });
  }

  /** The next version: higher than all before, even if the clock was set back. */
  #next(nowMs: number): number {
    this.#version = Math.max(Math.round(nowMs), this.#version + 1);
    return this.#version;
  }
}

/** The day before which sums change only when a call is scored again. */
function endedBefore(nowMs: number): number {
  return Math.floor((nowMs - LONGEST_CALL_MS) / DAY_MS) * DAY_MS;
}

/** The sums that a call counts in. */
function sumsOf(call: CallWithChannels): SumsKey[] {
  return contributionsOf(factsOf(call)).flatMap(({ kind, scope }) =>
    SPANS_MS.map((spanMs) => ({ spanMs, startsAtMs: Math.floor(call.startedAtMs / spanMs) * spanMs, kind, scope })),
  );
}

const NO_MEDIA = {
  packetsLost: null,
  packetsExpected: null,
  jitterMeanMs: null,
  jitterReports: 0,
  rttMeanMs: null,
  rttReports: 0,
};

function factsOf({ channels, ...call }: CallWithChannels): CallFacts {
  const legs = channels.map((channel) => ({
    ...channel,
    isCaller: channel.uniqueid === call.linkedid,
    // The codecs are enough here: they decide which sums there are, not the sums' values.
    streams: channel.streams.map(({ codec }) => ({ ...NO_MEDIA, codec })),
  }));
  return { ...call, legs };
}

function nameOf({ spanMs, startsAtMs, kind, scope }: SumsKey): string {
  return `${spanMs} ${startsAtMs} ${kind} ${scope}`;
}

/** Leaves out null: a column that is not shipped is null in the store. */
function known(cells: Readonly<Record<string, Cell>>): Record<string, Cell> {
  return Object.fromEntries(Object.entries(cells).filter(([, value]) => value !== null));
}
