import {
  BAD_TRUNK_PERCENT,
  badTrunks,
  FEWEST_PBXS,
  FEWEST_TRUNK_CALLS,
  type FleetFault,
  type PbxShare,
  type SharedTrunk,
  silentPbxs,
  worseThanRest,
} from '../../alerting/fleet-faults.ts';
import { LOCAL_CHANNEL_PREFIX } from '../../model/channel.ts';
import type { TimeRange } from '../../model/ports.ts';
import type { PbxState } from './pbxs.ts';
import type { Question } from './question.ts';
import { allOf, listOf, quote } from './sql.ts';

const HOUR_MS = 3_600_000;
/** A bad trunk shows on many PBXs within hours. A firmware or a release needs a day of calls. */
const TRUNK_HOURS = 3;
const DEVICE_HOURS = 24;
/** Bounds on the names and devices that are looked at. Those of the most PBXs or calls come first. */
const MOST_TRUNKS = 200;
const MOST_DEVICE_ROWS = 20_000;

/** What only many PBXs together show. Rejects with StoreError. */
export async function findFaults(
  question: Question,
  pbxs: readonly PbxState[],
  nowMs: number,
): Promise<readonly FleetFault[]> {
  const [trunks, devices] = await Promise.all([trunkFaults(question, nowMs), deviceShares(question, nowMs)]);
  const silent = pbxs.filter(({ state }) => state === 'silent').map(({ pbx }) => pbx);
  return [
    ...silentPbxs(silent),
    ...trunks,
    ...worseThanRest(
      'release',
      sharesBy(pbxs, ({ release }) => release),
    ),
    ...worseThanRest(
      'asterisk',
      sharesBy(pbxs, ({ asteriskVersion }) => asteriskVersion),
    ),
    ...worseThanRest('device', devices),
  ];
}

function sharesBy(
  pbxs: readonly PbxState[],
  of: (pbx: PbxState) => string | null,
): ReadonlyMap<string, readonly PbxShare[]> {
  const groups = new Map<string, PbxShare[]>();
  for (const pbx of pbxs) {
    const subject = of(pbx);
    const { judgedCalls, badCalls } = pbx.lastDay;
    if (subject === null || judgedCalls === 0) continue;
    const shares = groups.get(subject) ?? [];
    groups.set(subject, shares);
    shares.push({ pbx: pbx.pbx, judgedCalls, badCalls });
  }
  return groups;
}

/** Sums by name and PBX: `j` judged calls, and `o` those of them whose fault lies with this endpoint or device. */
function sums(question: Question, kind: 'endpoint' | 'device', { fromMs, toMs }: TimeRange, test = ''): string {
  const where = allOf(`scope_kind = '${kind}'`, `span_ms = ${HOUR_MS}`, `scope != ''`, test);
  const cells = 'pbx, scope, starts_at_ms, judged, own_faults';
  return `SELECT assumeNotNull(scope) AS name, pbx, toInt64(sum(ifNull(judged, 0))) AS j, toInt64(sum(least(ifNull(own_faults, 0), ifNull(judged, 0)))) AS o
    FROM ${question.newest('sums', cells, { fromMs, toMs }, where)} GROUP BY scope, pbx`;
}

/** The last whole hours, and the present one. */
function lastHours(hours: number, nowMs: number): TimeRange {
  const toMs = Math.ceil(nowMs / HOUR_MS) * HOUR_MS;
  return { fromMs: toMs - hours * HOUR_MS, toMs };
}

async function trunkFaults(question: Question, nowMs: number): Promise<FleetFault[]> {
  const range = lastHours(TRUNK_HOURS, nowMs);
  const noLocal = `NOT startsWith(assumeNotNull(scope), ${quote(LOCAL_CHANNEL_PREFIX)})`;
  const isBad = `o * 100 >= ${BAD_TRUNK_PERCENT} * j`;
  const pairs = `(${sums(question, 'endpoint', range, noLocal)} HAVING j >= ${FEWEST_TRUNK_CALLS})`;
  const [counts, bad] = await Promise.all([
    question.ask<{ readonly n: number; readonly bad: number }>(
      `SELECT count() AS n, toInt64(sum(${isBad})) AS bad FROM ${pairs}`,
    ),
    question.ask<{ name: string; whose: string[]; js: number[]; os: number[] }>(
      `SELECT name, groupArray(pbx) AS whose, groupArray(j) AS js, groupArray(o) AS os FROM ${pairs} WHERE ${isBad}
        GROUP BY name ORDER BY count() DESC, name LIMIT ${MOST_TRUNKS}`,
    ),
  ]);
  const found = new Map<string, PbxShare[]>();
  for (const { name, whose, js, os } of bad) {
    const shares = found.get(name) ?? [];
    found.set(name, shares);
    shares.push(...whose.map((pbx, at) => ({ pbx, judgedCalls: js[at] ?? 0, badCalls: os[at] ?? 0 })));
  }
  const names = [...found].filter(([, shares]) => shares.length >= FEWEST_PBXS).map(([name]) => name);
  if (names.length === 0) return [];
  const all = await question.ask<{
    readonly name: string;
    readonly n: number;
    readonly js: number;
    readonly os: number;
  }>(
    `SELECT name, count() AS n, toInt64(sum(j)) AS js, toInt64(sum(o)) AS os FROM ${pairs} WHERE name IN ${listOf(names)} GROUP BY name`,
  );
  const trunks: SharedTrunk[] = names.map((endpoint) => {
    // Each shard has some of the PBXs.
    const rows = all.filter(({ name }) => name === endpoint);
    const sum = (of: (row: (typeof all)[number]) => number): number => rows.reduce((so, row) => so + of(row), 0);
    return {
      endpoint,
      pbxs: sum(({ n }) => n),
      judgedCalls: sum(({ js }) => js),
      badCalls: sum(({ os }) => os),
      bad: found.get(endpoint) ?? [],
    };
  });
  return badTrunks(trunks, {
    pairs: counts.reduce((sum, { n }) => sum + n, 0),
    badPairs: counts.reduce((sum, row) => sum + row.bad, 0),
  });
}

async function deviceShares(question: Question, nowMs: number): Promise<ReadonlyMap<string, readonly PbxShare[]>> {
  const rows = await question.ask<{
    readonly name: string;
    readonly pbx: string;
    readonly j: number;
    readonly o: number;
  }>(
    `${sums(question, 'device', lastHours(DEVICE_HOURS, nowMs))} ORDER BY j DESC, name, pbx LIMIT ${MOST_DEVICE_ROWS}`,
  );
  const groups = new Map<string, PbxShare[]>();
  for (const { name, pbx, j, o } of rows) {
    const shares = groups.get(name) ?? [];
    groups.set(name, shares);
    shares.push({ pbx, judgedCalls: j, badCalls: o });
  }
  return groups;
}
