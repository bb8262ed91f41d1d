import { inStreamClock } from '../../history/read/queries.ts';
import { byArrival } from '../../history/read/stored-intervals.ts';
import type {
  CallCursor,
  CallFilter,
  CallListing,
  CallPage,
  CallWithChannels,
  HistoryReader,
  TimeRange,
} from '../../model/ports.ts';
import type { IntervalRecord, SegmentRecord } from '../../model/record.ts';
import type { FleetStore } from '../store.ts';
import { type FoundCall, FleetCallSearch, MOST_ORDERED } from './call-search.ts';
import { Question, type Shards } from './question.ts';
import { FleetRankings } from './rankings.ts';
import { callOf, channelOf, intervalOf, segmentOf, type StoreRow } from './records.ts';
import type { Scope } from './scope.ts';
import { allOf, quote } from './sql.ts';

/** The PBX and the call to which a channel's rows belong. */
interface Place {
  readonly pbx: string;
  readonly linkedid: string;
  readonly callStartedAtMs: number;
}

/** More than one PBX has a call or channel with this id. */
export class AmbiguousError extends Error {
  override readonly name = 'AmbiguousError';
  readonly pbxs: readonly string[];

  constructor(pbxs: readonly string[]) {
    super('more than one PBX has this id');
    this.pbxs = pbxs;
  }
}

const ALWAYS: TimeRange = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };

/**
 * The history of all PBXs of a scope, asked like that of one PBX. It serves one request: it remembers where the found rows are,
 * and how many shards answered. Rejects with StoreError, and with AmbiguousError where several PBXs have the id.
 */
export class FleetHistory implements HistoryReader {
  readonly #question: Question;
  readonly #search: FleetCallSearch;
  readonly #rankings: FleetRankings;
  readonly #places = new Map<string, Place>();
  readonly #pbxs = new Map<string, string>();

  constructor(store: Pick<FleetStore, 'ask'>, database: string, scope: Scope, nowMs: number) {
    this.#question = new Question(store, database, scope);
    this.#search = new FleetCallSearch(this.#question, nowMs);
    this.#rankings = new FleetRankings(this.#question);
  }

  /** From now on every question rejects if a shard does not answer. */
  beStrict(): void {
    this.#question.isStrict = true;
  }

  /** How many shards answered; null before the first question. */
  get shards(): Shards | null {
    return this.#question.shards;
  }

  async calls(
    filter: CallFilter,
    limit: number,
    cursor: CallCursor | null,
    listing: CallListing = {},
  ): Promise<CallPage> {
    const { order, isCounted = false } = listing;
    const found = await this.#search.find(filter, cursor, order === undefined ? limit + 1 : MOST_ORDERED, order);
    const matching = isCounted ? await this.#search.count(filter) : undefined;
    const calls = await this.#withChannels(found.slice(0, limit));
    const last = order === undefined && found.length > limit ? found[limit - 1] : undefined;
    const next = last === undefined ? null : { startedAtMs: last.started, linkedid: last.linkedid, pbx: last.pbx };
    return { calls, next, matching };
  }

  async call(linkedid: string): Promise<CallWithChannels | null> {
    const { mine, database } = this.#question;
    const aliases = await this.#question.ask<{ readonly pbx: string; readonly into: string }>(
      `SELECT pbx, assumeNotNull(into_linkedid) AS into FROM ${this.#question.newest('aliases', 'pbx, into_linkedid', ALWAYS, `from_linkedid = ${quote(linkedid)}`)}`,
    );
    const ofAliases = aliases.map(({ pbx, into }) => `(pbx = ${quote(pbx)} AND linkedid = ${quote(into)})`);
    const joined = aliases.map(({ pbx }) => quote(pbx));
    const own = allOf(`linkedid = ${quote(linkedid)}`, joined.length === 0 ? '' : `pbx NOT IN (${joined.join(', ')})`);
    const found = await this.#question.ask<FoundCall>(
      `SELECT DISTINCT pbx, linkedid, call_started_at_ms AS started FROM ${database}.mes_calls
        WHERE ${mine} AND (${[`(${own})`, ...ofAliases].join(' OR ')})`,
    );
    return (await this.#withChannels(onlyOne(found)))[0] ?? null;
  }

  /** The PBX of the call that was found last: a joined call is found under another linkedid. */
  get lastPbx(): string | undefined {
    return [...this.#pbxs.values()].at(-1);
  }

  /** The PBX of the call that was last found under this linkedid; undefined: none was. */
  pbxOf(linkedid: string): string | undefined {
    return this.#pbxs.get(linkedid);
  }

  async channel(uniqueid: string): Promise<CallWithChannels['channels'][number] | null> {
    const place = await this.#placeOf(uniqueid);
    if (place === null) return null;
    const calls = await this.#channelsOf([{ ...place, started: place.callStartedAtMs, order_key: null }]);
    return calls.flatMap(({ channels }) => channels).find((channel) => channel.uniqueid === uniqueid) ?? null;
  }

  async segments(uniqueid: string): Promise<SegmentRecord[]> {
    const rows = await this.#ofChannel('segments', uniqueid);
    return rows
      .map(segmentOf)
      .sort((one, other) =>
        one.direction === other.direction
          ? one.segmentNumber - other.segmentNumber
          : one.direction < other.direction
            ? -1
            : 1,
      );
  }

  async intervals(uniqueid: string): Promise<IntervalRecord[] | null> {
    const channel = await this.channel(uniqueid);
    if (channel === null) return null;
    const rows = await this.#ofChannel('intervals', uniqueid);
    return inStreamClock(rows.map(intervalOf).sort(byArrival), channel.streams);
  }

  endpoints: HistoryReader['endpoints'] = (range) => this.#rankings.endpoints(range);
  groups: NonNullable<HistoryReader['groups']> = (range, by) => this.#rankings.groups(range, by);
  trends: HistoryReader['trends'] = (query) => this.#rankings.trends(query);
  summary: HistoryReader['summary'] = (query) => this.#rankings.summary(query);

  async #ofChannel(kind: 'segments' | 'intervals', uniqueid: string): Promise<readonly StoreRow[]> {
    const place = await this.#placeOf(uniqueid);
    if (place === null) return [];
    const { pbx, linkedid, callStartedAtMs } = place;
    const key = `pbx = ${quote(pbx)} AND linkedid = ${quote(linkedid)} AND uniqueid = ${quote(uniqueid)}`;
    return this.#question.ask<StoreRow>(
      `SELECT * FROM ${this.#question.newest(kind, '*', momentOf(callStartedAtMs), key)}`,
    );
  }

  async #placeOf(uniqueid: string): Promise<Place | null> {
    const known = this.#places.get(uniqueid);
    if (known !== undefined) return known;
    const { database, mine } = this.#question;
    const found = await this.#question.ask<FoundCall & { readonly row_version: number }>(
      `SELECT DISTINCT pbx, linkedid, call_started_at_ms AS started, row_version FROM ${database}.mes_channels
        WHERE ${mine} AND uniqueid = ${quote(uniqueid)}`,
    );
    // A channel that moved to another call has rows in both. The newest row counts.
    const last = onlyOne(found).toSorted((one, other) => other.row_version - one.row_version)[0];
    if (last === undefined) return null;
    const place = { pbx: last.pbx, linkedid: last.linkedid, callStartedAtMs: last.started };
    this.#places.set(uniqueid, place);
    return place;
  }

  async #withChannels(found: readonly FoundCall[]): Promise<CallWithChannels[]> {
    if (found.length === 0) return [];
    const rows = await this.#question.ask<StoreRow>(
      `SELECT * FROM ${this.#question.newest('calls', '*', rangeOf(found), keysOf(found))}`,
    );
    const channels = new Map((await this.#channelsOf(found)).map((call) => [nameOf(call), call.channels]));
    const calls = new Map(rows.map((row) => [nameOf(row), row]));
    return found.flatMap((one) => {
      const row = calls.get(nameOf(one));
      this.#pbxs.set(one.linkedid, one.pbx);
      return row === undefined ? [] : [{ ...callOf(row), channels: channels.get(nameOf(one)) ?? [] }];
    });
  }

  async #channelsOf(
    calls: readonly FoundCall[],
  ): Promise<{ pbx: string; linkedid: string; channels: ReturnType<typeof channelOf>[] }[]> {
    const [range, keys] = [rangeOf(calls), keysOf(calls)];
    const [channels, streams] = await Promise.all(
      (['channels', 'streams'] as const).map((kind) =>
        this.#question.ask<StoreRow>(`SELECT * FROM ${this.#question.newest(kind, '*', range, keys)}`),
      ),
    );
    const streamsOf = Map.groupBy(streams ?? [], (row) => `${nameOf(row)} ${row['uniqueid']}`);
    const ofCall = Map.groupBy(channels ?? [], nameOf);
    return calls.map((call) => ({
      pbx: call.pbx,
      linkedid: call.linkedid,
      channels: (ofCall.get(nameOf(call)) ?? [])
        .map((row) => {
          this.#places.set(String(row['uniqueid']), { ...call, callStartedAtMs: call.started });
          const own = (streamsOf.get(`${nameOf(row)} ${row['uniqueid']}`) ?? []).toSorted((one, other) =>
            String(one['direction']) < String(other['direction']) ? -1 : 1,
          );
          return channelOf(row, own);
        })
        .sort((one, other) => one.startedAtMs - other.startedAtMs || (one.uniqueid < other.uniqueid ? -1 : 1)),
    }));
  }
}

function nameOf({ pbx, linkedid }: { readonly pbx: string; readonly linkedid: string }): string {
  return `${pbx} ${linkedid}`;
}

/** Returns the rows. Throws AmbiguousError when they are of more than one PBX. */
function onlyOne<Row extends { readonly pbx: string }>(rows: readonly Row[]): readonly Row[] {
  const pbxs = [...new Set(rows.map(({ pbx }) => pbx))];
  if (pbxs.length > 1) throw new AmbiguousError(pbxs.toSorted());
  return rows;
}

function momentOf(callStartedAtMs: number): TimeRange {
  return { fromMs: callStartedAtMs, toMs: callStartedAtMs + 1 };
}

function rangeOf(calls: readonly FoundCall[]): TimeRange {
  const moments = calls.map(({ started }) => started);
  return { fromMs: Math.min(...moments), toMs: Math.max(...moments) + 1 };
}

function keysOf(calls: readonly FoundCall[]): string {
  return `(pbx, linkedid) IN (${calls.map(({ pbx, linkedid }) => `(${quote(pbx)}, ${quote(linkedid)})`).join(', ')})`;
}
