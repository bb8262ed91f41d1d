import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { openForWriting } from '../../src/history/schema/database.ts';
import { CALL_COLUMNS, CHANNEL_COLUMNS, INTERVAL_COLUMNS, STREAM_COLUMNS } from '../../src/history/schema/rows.ts';
import { Writer } from '../../src/history/write/writer.ts';
import { FAULT_PLACES } from '../../src/model/fault.ts';
import type { CallRecord, HistoryChange } from '../../src/model/record.ts';
import type { Direction } from '../../src/model/report.ts';
import type { Verdict } from '../../src/model/score.ts';
import { REPOSITORY } from '../lab/paths.ts';
import { batchOf, callRecord, channelRecord, intervalRecord, streamRecord } from '../unit/history/records.ts';

export interface HistoryPlan {
  readonly calls: number;
  /** The calls began in the 30 days before, at even distances. */
  readonly endMs: number;
  /** Ten a call; they take most of the time. */
  readonly withIntervals: boolean;
}

export const SPAN_MS = 30 * 86_400_000;
/** Different calls; the history is copies of them, each at its own time and with its own caller. */
const PATTERNS = 2000;
const PHONES = 480;
const TRUNKS = 8;
const NUMBERS = 200_000;
const CALL_MS = 90_000;
/** More than a sidecar would that is to go on recording: sums are written once for all of them. */
const COUNTED_AT_ONCE = 10_000;
/** Two legs of two directions: ten reports a call. */
const REPORTS: Readonly<Record<Direction, number>> = { rx: 3, tx: 2 };
/** A day in the middle of the month had terrible calls, no other day has. */
const BAD_DAY_FROM = 0.3;
const BAD_DAY_UNTIL = 0.33;

/** What only a handful of calls has, all of them 25 days old. */
export const RARE = {
  endpoint: 'PJSIP/seldom',
  codec: 'speex',
  number: '+15550100',
  verdict: 'one-way-tx' satisfies Verdict,
  calls: 7,
} as const;

/** Every twentieth call. */
const TAGGED = `INSERT INTO call_tags SELECT linkedid, 'seen', started_at_ms, NULL, started_at_ms FROM calls WHERE CAST(substr(linkedid, -3) AS INTEGER) % 40 = 0`;

/** About every fiftieth call, with scores from 1 to 5; complaints name an echo. */
const RATED = `INSERT INTO ratings (id, linkedid, side, score, issues, answers, source, asked, weight, at_ms, heard_codec, other_sides)
  SELECT 'r' || linkedid, linkedid, 'caller', serial % 5 + 1,
    CASE serial % 5 WHEN 0 THEN '["echo_of_me"]' ELSE '[]' END, '[]', 'code', 0, 1, ended_at_ms, 'alaw', '["PJSIP/trunk-3"]'
  FROM (SELECT linkedid, ended_at_ms, CAST(substr(linkedid, -7) AS INTEGER) / 2 AS serial FROM calls) WHERE serial % 51 = 0`;

/** Makes a history of calls as a sidecar stores them, unless this very one is there already. Returns whether it was made. */
export function makeHistory(path: string, plan: HistoryPlan): boolean {
  const stamp = `${path}.stamp`;
  const key = keyOf(plan);
  if (existsSync(path) && existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return false;
  mkdirSync(dirname(path), { recursive: true });
  for (const suffix of ['', '-wal', '-shm', '.stamp']) rmSync(`${path}${suffix}`, { force: true });
  const database = openForWriting(path);
  // Whoever is interrupted begins anew.
  // With a WAL every page would be written twice. (Better-sqlite3 refuses OFF.)
  for (const pragma of ['journal_mode = DELETE', 'synchronous = OFF', 'cache_size = -500000', 'temp_store = MEMORY']) {
    database.pragma(pragma);
  }
  const writer = new Writer(database);
  database.transaction(() => {
    record(writer, patterns());
    copyPatterns(database, plan);
    record(writer, rareCalls(plan.endMs));
    database.exec(TAGGED);
    database.exec(RATED);
    while (writer.countEnded(COUNTED_AT_ONCE) > 0);
  })();
  database.pragma('journal_mode = WAL');
  database.close();
  writeFileSync(stamp, key);
  return true;
}

/** What is written comes from the files of these folders alone. */
const SOURCES = ['schema', 'write', 'sums'];

function keyOf(plan: HistoryPlan): string {
  const hash = createHash('sha256')
    .update(JSON.stringify(plan))
    .update(readFileSync(import.meta.filename));
  for (const folder of SOURCES.map((name) => join(REPOSITORY, 'src/history', name))) {
    for (const name of readdirSync(folder).sort()) hash.update(readFileSync(join(folder, name)));
  }
  return hash.digest('hex');
}

function record(writer: Writer, changes: readonly HistoryChange[]): void {
  const { rejected, rejection } = writer.commit(batchOf(...changes));
  if (rejected > 0) throw new Error(`the history refuses its calls: ${rejection}`);
  while (writer.move() > 0);
}

function verdictOf(mes: number): Verdict {
  return (['good', 'fair', 'poor'] as const).find((_, index) => mes >= ([4, 3.6, 3.1][index] ?? 0)) ?? 'bad';
}

/** Where the fault lies, who hung up, and what is wrong with the audio: seldom this server, in every 300th call an echo. */
function circumstances(
  index: number,
  verdict: Verdict,
): Pick<CallRecord, 'faultPlace' | 'endedBy' | 'endedByUniqueid' | 'findings'> {
  const place = FAULT_PLACES[index % FAULT_PLACES.length] ?? 'none';
  const faultPlace = verdict === 'no-rtcp' ? null : verdict === 'good' ? 'none' : place;
  const endedBy = index % 500 === 3 ? 'server' : index % 3 === 0 ? 'callee' : 'caller';
  return { faultPlace, endedBy, endedByUniqueid: null, findings: index % 300 === 7 ? 'echo' : null };
}

/** Of a hundred calls five have no score, a few are bad; trunk 0 never speaks G.722 though many phones do. */
function patterns(): HistoryChange[] {
  return Array.from({ length: PATTERNS }, (_, index): HistoryChange[] => {
    const linkedid = String(index).padStart(5, '0');
    const mes = index % 20 === 7 ? null : Math.round((4.5 - ((index * 7919) % 1000) ** 3 / 4e8) * 1e4) / 1e4;
    const verdict = mes === null ? 'no-rtcp' : verdictOf(mes);
    const trunk = index % TRUNKS;
    const codec = index % 100 === 50 ? 'opus' : trunk !== 0 && index % 3 === 0 ? 'g722' : 'alaw';
    const leg = (number: 0 | 1, endpoint: string, connectedNumber: string): HistoryChange[] => {
      const uniqueid = `${linkedid}.${number}`;
      const streams = (['rx', 'tx'] as const).map((direction) =>
        streamRecord({ direction, codec, mes, verdict, packetsLost: index % 40 }),
      );
      const channel = channelRecord(uniqueid, { linkedid, endpoint, connectedNumber, codec, mes, verdict, streams });
      const reports = streams.flatMap(({ direction }) =>
        Array.from({ length: REPORTS[direction] }, (__, report) => intervalRecord(uniqueid, report + 1, { direction })),
      );
      return [
        { kind: 'channel', channel, resume: null },
        ...reports.map((interval): HistoryChange => ({ kind: 'interval', interval })),
      ];
    };
    return [
      { kind: 'call', call: callRecord(linkedid, { mes, verdict, ...circumstances(index, verdict) }) },
      ...leg(0, `PJSIP/phone-${index % PHONES}`, String(1000 + (index % PHONES))),
      ...leg(1, `PJSIP/trunk-${trunk}`, String(1000 + (index % PHONES))),
    ];
  }).flat();
}

/** In SQL alone: a million times the way through JavaScript would take minutes. */
function copyPatterns(database: Database, { calls, endMs, withIntervals }: HistoryPlan): void {
  const tables = {
    calls: CALL_COLUMNS.names,
    channels: CHANNEL_COLUMNS.names,
    streams: ['uniqueid', ...STREAM_COLUMNS.names],
    stored_intervals: INTERVAL_COLUMNS.names,
  };
  // Streams and channels go with their calls.
  for (const table of Object.keys(tables))
    database.exec(`CREATE TEMP TABLE pattern_${table} AS SELECT * FROM ${table}`);
  for (const table of ['calls', 'stored_intervals', 'call_sums', 'call_terms']) database.exec(`DELETE FROM ${table}`);
  const copies = `WITH RECURSIVE copies (copy) AS (VALUES (0) UNION ALL SELECT copy + 1 FROM copies
    WHERE copy < ${Math.ceil(calls / PATTERNS) - 1})`;
  const stepMs = SPAN_MS / calls;
  for (const [table, columns] of Object.entries(tables)) {
    if (table === 'stored_intervals' && !withIntervals) continue;
    const own = table === 'calls' ? 'linkedid' : 'uniqueid';
    const serial = `(copy * ${PATTERNS} + CAST(substr(p.${own}, 1, 5) AS INTEGER))`;
    const startMs = `CAST(${endMs - SPAN_MS} + ${serial} * ${stepMs} AS INTEGER)`;
    const id = (leg: string): string => `printf('%d.%07d', ${startMs} / 1000, ${serial} * 2 + ${leg})`;
    const isOfBadDay = `${serial} BETWEEN ${calls * BAD_DAY_FROM} AND ${calls * BAD_DAY_UNTIL} AND ${serial} % 50 = 0`;
    const values: Readonly<Record<string, string>> = {
      linkedid: id('0'),
      uniqueid: id('substr(p.uniqueid, 7)'),
      caller_number: `printf('+4930%07d', ${serial} * 7919 % ${NUMBERS})`,
      started_at_ms: startMs,
      ended_at_ms: `${startMs} + ${CALL_MS}`,
      at_ms: `${startMs} + report_number * 5000`,
      ...(table === 'calls' ? { mes: `CASE WHEN ${isOfBadDay} THEN 1.1 ELSE p.mes END` } : {}),
    };
    database.exec(
      `${copies} INSERT INTO ${table} (${columns.join(', ')})
        SELECT ${columns.map((column) => values[column] ?? `p.${column}`).join(', ')}
        FROM copies CROSS JOIN pattern_${table} AS p WHERE ${serial} < ${calls}`,
    );
  }
}

function rareCalls(endMs: number): HistoryChange[] {
  const { endpoint, codec, number, verdict } = RARE;
  return Array.from({ length: RARE.calls }, (_, index): HistoryChange[] => {
    const startedAtMs = endMs - 25 * 86_400_000 + index * 60_000;
    const linkedid = `${Math.floor(startedAtMs / 1000)}.rare${index}`;
    const times = { startedAtMs, endedAtMs: startedAtMs + CALL_MS };
    const streams = [streamRecord({ codec, mes: null, verdict })];
    const part = { ...times, endpoint, callerNumber: number, mes: null, verdict, streams };
    return [
      { kind: 'channel', channel: channelRecord(linkedid, part), resume: null },
      { kind: 'call', call: callRecord(linkedid, { ...times, mes: null, verdict }) },
    ];
  }).flat();
}
