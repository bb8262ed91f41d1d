import { ScoreSums } from '../../history/sums/score-sums.ts';
import { qualityOf } from '../../history/sums/qualities.ts';
import type { CallQuality } from '../../model/ports.ts';
import { tableOf } from '../ddl.ts';
import type { FleetStore } from '../store.ts';
import { Question, type Shards } from './question.ts';
import { isWithin, type Scope } from './scope.ts';
import { allOf, window } from './sql.ts';
import { askSums } from './sum-question.ts';

/** A PBX sends its state once a minute. When three in a row are missing, it is silent. */
export const SILENT_AFTER_MS = 190_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
/** Older states are not read. A PBX that is silent for longer is listed without its last state. */
const LOOKS_BACK_MS = 45 * DAY_MS;

/** The state of one PBX. Null is unknown. */
export interface PbxState {
  readonly pbx: string;
  readonly site: string;
  /** `never`: it is in fleet.conf and has not sent anything within 45 days. */
  readonly state: 'up' | 'silent' | 'never';
  readonly lastHeardAtMs: number | null;
  /** Time of its last state; null unless it is silent. */
  readonly silentSinceMs: number | null;
  readonly release: string | null;
  readonly asteriskVersion: string | null;
  /** Null while the PBX is silent. */
  readonly callsUp: number | null;
  readonly outboxRows: number | null;
  readonly outboxDropped: number | null;
  /** Time that the oldest unshipped row has waited; null: unknown. */
  readonly lagMs: number | null;
  /** What keeps the PBX from scoring calls, in one sentence of its own; null: nothing, or unknown. */
  readonly problem: string | null;
  readonly lastDay: CallQuality;
  readonly weekBefore: CallQuality;
}

/** What a PBX said of itself last. */
export interface Heartbeat {
  readonly pbx: string;
  readonly at_site: string;
  /** By the gateway's clock. */
  readonly heard: number;
  /** When the PBX wrote the last one, by its own clock. */
  readonly said: number | null;
  readonly release: string | null;
  readonly asterisk: string | null;
  readonly up: number | null;
  readonly waiting: number | null;
  readonly lost: number | null;
  readonly since: number | null;
  readonly trouble: string | null;
}

const HEARTBEAT_CELLS: Readonly<Record<string, string>> = {
  at_site: 'site',
  said: 'at_ms',
  release: 'release',
  asterisk: 'asterisk_version',
  up: 'calls_up',
  waiting: 'outbox_rows',
  lost: 'outbox_dropped',
  since: 'outbox_since_ms',
  trouble: 'problem',
};

export interface PbxList {
  readonly pbxs: readonly PbxState[];
  readonly shards: Shards | null;
}

/** All PBXs of a scope by name: those of fleet.conf, and others that sent anything. */
export async function listPbxs(
  store: Pick<FleetStore, 'ask'>,
  database: string,
  known: readonly { readonly name: string; readonly site: string }[],
  scope: Scope,
  nowMs: number,
): Promise<PbxList> {
  const question = new Question(store, database, scope);
  const [heard, lastDay, weekBefore] = await Promise.all([
    readHeartbeats(question, nowMs),
    sumsByPbx(question, nowMs, 0),
    sumsByPbx(question, nowMs, WEEK_MS),
  ]);
  const sites = new Map(known.filter((pbx) => isWithin(scope, pbx)).map(({ name, site }) => [name, site]));
  const names = [...new Set([...sites.keys(), ...heard.keys(), ...lastDay.keys()])].toSorted();
  return {
    shards: question.shards,
    pbxs: names.map((pbx) => ({
      ...stateOf(pbx, sites.get(pbx) ?? '', heard.get(pbx), nowMs),
      lastDay: qualityOf(lastDay.get(pbx) ?? new ScoreSums()),
      weekBefore: qualityOf(weekBefore.get(pbx) ?? new ScoreSums()),
    })),
  };
}

/** What each PBX of a question said last, by its name. Rejects with StoreError. */
export async function readHeartbeats(question: Question, nowMs: number): Promise<ReadonlyMap<string, Heartbeat>> {
  // argMax skips nulls, and would take the value of an older heartbeat. Within a tuple it does not.
  const cells = Object.entries(HEARTBEAT_CELLS).map(
    ([name, column]) => `argMax(tuple(${column}), row_version) AS ${name}`,
  );
  const rows = await question.ask<Readonly<Record<string, unknown>>>(
    `SELECT pbx, max(ifNull(heard_at_ms, assumeNotNull(at_ms))) AS heard, ${cells.join(', ')} FROM ${question.database}.${tableOf('heartbeats')}
      WHERE ${allOf(window({ fromMs: nowMs - LOOKS_BACK_MS, toMs: nowMs + 2 * DAY_MS }), question.mine)} GROUP BY pbx`,
  );
  return new Map(rows.map((row) => [String(row['pbx']), unpacked(row)]));
}

async function sumsByPbx(question: Question, nowMs: number, backMs: number): Promise<ReadonlyMap<string, ScoreSums>> {
  // Whole hours: they come from sums, and no call has to be counted by itself.
  const toMs = Math.ceil(nowMs / HOUR_MS) * HOUR_MS - backMs;
  const rows = await askSums(question, { fromMs: toMs - DAY_MS, toMs }, { of: 'calls' }, { by: { pbx: 'pbx' } });
  return new Map(rows.map(({ pbx, sums }) => [String(pbx), sums]));
}

/** Undoes the tuples around the cells. */
function unpacked(row: Readonly<Record<string, unknown>>): Heartbeat {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, Array.isArray(value) ? (value[0] as unknown) : value]),
  ) as unknown as Heartbeat;
}

function stateOf(
  pbx: string,
  site: string,
  heartbeat: Heartbeat | undefined,
  nowMs: number,
): Omit<PbxState, 'lastDay' | 'weekBefore'> {
  const isSilent = heartbeat !== undefined && nowMs - heartbeat.heard > SILENT_AFTER_MS;
  const state = heartbeat === undefined ? 'never' : isSilent ? 'silent' : 'up';
  const { heard = null, said = null, since = null } = heartbeat ?? {};
  const nothingWaits = heartbeat?.waiting === 0;
  return {
    pbx,
    site: heartbeat === undefined || heartbeat.at_site === '' ? site : heartbeat.at_site,
    state,
    lastHeardAtMs: heard,
    silentSinceMs: isSilent ? heard : null,
    release: heartbeat?.release ?? null,
    asteriskVersion: heartbeat?.asterisk ?? null,
    callsUp: isSilent ? null : (heartbeat?.up ?? null),
    outboxRows: heartbeat?.waiting ?? null,
    outboxDropped: heartbeat?.lost ?? null,
    lagMs: said === null || isSilent ? null : since !== null ? Math.max(0, said - since) : nothingWaits ? 0 : null,
    problem: heartbeat?.trouble ?? null,
  };
}
