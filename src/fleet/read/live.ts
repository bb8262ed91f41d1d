import type { Verdict } from '../../model/score.ts';
import type { ChannelRecord } from '../../model/record.ts';
import { tableOf } from '../ddl.ts';
import type { Question } from './question.ts';
import { liveChannelOf } from './records.ts';
import { allOf, listOf, quote, textTest, window } from './sql.ts';

/** A channel is shown for so long after its PBX last sent it. After that it may be over. */
export const SHOWN_FOR_MS = 60_000;
/** A PBX sends every five seconds. After so long without anything, its channels are marked as old. */
export const STALE_AFTER_MS = 20_000;
/** After so long it is not known whether the PBX sends live data at all. */
const LOOKS_BACK_MS = 600_000;
/** The clocks of two gateways differ by less. */
const CLOCK_SLACK_MS = 60_000;

export interface FleetLiveQuery {
  readonly endpoint?: readonly string[] | undefined;
  readonly codec?: readonly string[] | undefined;
  readonly verdict?: readonly Verdict[] | undefined;
  readonly max_mes?: number | undefined;
  readonly min_mes?: number | undefined;
  readonly sort?: 'mes' | undefined;
}

export interface FleetLiveChannel {
  readonly channel: ChannelRecord & { readonly pbx: string };
  /** When its PBX sent this, by the PBX's own clock. What happened since is not known. */
  readonly saidAtMs: number;
  /** The same by the gateway's clock. */
  readonly asOfMs: number;
}

/** How far the live data of one PBX can be relied on. */
export interface LivePbx {
  readonly pbx: string;
  readonly site: string;
  /** `none`: nothing came for ten minutes. The PBX is silent, or its release does not send live data. */
  readonly state: 'live' | 'stale' | 'none';
  readonly asOfMs: number | null;
  /** Null: the PBX is not live, so nobody knows. */
  readonly channelsUp: number | null;
}

export interface FleetLive {
  readonly channels: readonly FleetLiveChannel[];
  /** How many fit the question. */
  readonly matching: number;
  readonly pbxs: readonly LivePbx[];
}

interface Key {
  readonly pbx: string;
  readonly uniqueid: string;
  readonly version: number;
  readonly began: number;
}

const CELLS = 'pbx, uniqueid, row_version, call_started_at_ms, endpoint, codec, verdict, mes, ended_at_ms';

/** The channels that are up on the PBXs of a scope, as their PBXs last sent them. Rejects with StoreError. */
export async function askLive(
  question: Question,
  query: FleetLiveQuery,
  limit: number,
  known: readonly { readonly name: string; readonly site: string }[],
  nowMs: number,
): Promise<FleetLive> {
  const { database, mine } = question;
  const since = (ms: number): string => window({ fromMs: nowMs - ms, toMs: nowMs + CLOCK_SLACK_MS });
  const newest = `(SELECT ${CELLS} FROM ${database}.${tableOf('live')} WHERE ${allOf(since(SHOWN_FOR_MS), mine)}
    ORDER BY row_version DESC LIMIT 1 BY pbx, uniqueid)`;
  const fitting = `FROM ${newest} WHERE ${allOf('isNull(ended_at_ms)', test(query))}`;
  const order = query.sort === 'mes' ? 'isNull(mes), mes, pbx, uniqueid' : 'pbx, uniqueid';
  const [counts, keys, heard] = await Promise.all([
    question.ask<{ readonly n: number }>(`SELECT count() AS n ${fitting}`),
    question.ask<Key & { readonly score: number | null }>(
      `SELECT pbx, uniqueid, row_version AS version, call_started_at_ms AS began, mes AS score ${fitting} ORDER BY ${order} LIMIT ${limit}`,
    ),
    question.ask<{ pbx: string; at_site: string; heard: number; up: number }>(
      `SELECT pbx, anyLast(site) AS at_site, max(call_started_at_ms) AS heard, argMax(assumeNotNull(channels_up), call_started_at_ms) AS up
        FROM ${database}.${tableOf('live_pbxs')} WHERE ${allOf(since(LOOKS_BACK_MS), mine)} GROUP BY pbx`,
    ),
  ]);
  // Each shard has sorted its own rows only.
  const chosen = keys
    .toSorted((one, other) => (query.sort === 'mes' ? worst(one.score, other.score) : 0) || byName(one, other))
    .slice(0, limit);
  return {
    channels: await channelsOf(question, chosen),
    matching: counts.reduce((sum, { n }) => sum + n, 0),
    pbxs: pbxsOf(heard, known, nowMs),
  };
}

function test({ endpoint, codec, verdict, max_mes: maxMes, min_mes: minMes }: FleetLiveQuery): string {
  return allOf(
    endpoint === undefined ? '' : textTest(['endpoint'], endpoint),
    codec === undefined ? '' : `codec IN ${listOf(codec)}`,
    verdict === undefined ? '' : `verdict IN ${listOf(verdict)}`,
    maxMes === undefined ? '' : `mes <= ${maxMes}`,
    minMes === undefined ? '' : `mes >= ${minMes}`,
  );
}

/** Unknown values come last. */
function worst(one: number | null, other: number | null): number {
  return one === other ? 0 : (one ?? Infinity) - (other ?? Infinity);
}

function byName(one: Key, other: Key): number {
  if (one.pbx !== other.pbx) return one.pbx < other.pbx ? -1 : 1;
  return one.uniqueid < other.uniqueid ? -1 : 1;
}

/** Reads the chosen channels whole; the texts of others are not read. */
async function channelsOf(question: Question, chosen: readonly Key[]): Promise<FleetLiveChannel[]> {
  if (chosen.length === 0) return [];
  const began = chosen.map((key) => key.began);
  const range = { fromMs: Math.min(...began), toMs: Math.max(...began) + 1 };
  const keys = chosen.map(({ pbx, uniqueid, version }) => `(${quote(pbx)}, ${quote(uniqueid)}, ${version})`);
  const rows = await question.ask<Key & { readonly said: number; readonly text: string }>(
    `SELECT pbx, uniqueid, row_version AS version, call_started_at_ms AS began, assumeNotNull(at_ms) AS said, assumeNotNull(cells) AS text
      FROM ${question.database}.${tableOf('live')}
      WHERE ${allOf(window(range), question.mine)} AND (pbx, uniqueid, row_version) IN (${keys.join(', ')})`,
  );
  const byKey = new Map(rows.map((row) => [`${row.pbx} ${row.uniqueid}`, row]));
  return chosen.flatMap(({ pbx, uniqueid }) => {
    const row = byKey.get(`${pbx} ${uniqueid}`);
    const channel = row === undefined ? null : liveChannelOf(row.text, pbx);
    return row === undefined || channel === null ? [] : [{ channel, saidAtMs: row.said, asOfMs: row.began }];
  });
}

function pbxsOf(
  heard: readonly { pbx: string; at_site: string; heard: number; up: number }[],
  known: readonly { readonly name: string; readonly site: string }[],
  nowMs: number,
): LivePbx[] {
  const sites = new Map(known.map(({ name, site }) => [name, site]));
  const found = new Map(heard.map((row) => [row.pbx, row]));
  return [...new Set([...sites.keys(), ...found.keys()])].toSorted().map((pbx) => {
    const row = found.get(pbx);
    const site = sites.get(pbx) || row?.at_site || '';
    if (row === undefined) return { pbx, site, state: 'none', asOfMs: null, channelsUp: null };
    const isStale = nowMs - row.heard > STALE_AFTER_MS;
    return {
      pbx,
      site,
      state: isStale ? 'stale' : 'live',
      asOfMs: row.heard,
      channelsUp: isStale ? null : row.up,
    };
  });
}
