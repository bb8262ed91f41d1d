import { storeColumns, tableOf } from '../../src/fleet/ddl.ts';
import { KINDS, type KindName } from '../../src/fleet/kinds.ts';
import type { FleetStore } from '../../src/fleet/store.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
export const DAYS = 400;
export const ENDPOINTS = 20;
/** The endpoints of a PBX have sums by hour for so long in this bench; those of all its calls always. */
const HOURLY_DAYS = 8;
/** Rows of one INSERT … SELECT: a month of its partition each. */
const CHUNK_DAYS = 25;

type Cells = Readonly<Record<string, string>>;

/** Fills a table with rows that ClickHouse makes itself: `cells` are SQL over `number`; everything else is unknown. */
function fill(database: string, kind: KindName, cells: Cells, count: number): string {
  const all: Cells = {
    pbx_id: 'toUInt32(0)',
    site: "concat('site-', toString(p % 50))",
    row_version: 'toUInt64(1)',
    ...cells,
  };
  const names = storeColumns(KINDS[kind])
    .map(([name]) => name)
    .filter((name) => name in all);
  return `INSERT INTO ${database}.${tableOf(kind)} (${names.join(', ')})
    SELECT ${names.map((name) => `${all[name] ?? ''} AS ${name}_`).join(', ')} FROM (${fromNumbers(cells, count)})`;
}

/** `p` is the PBX's number, `began` when the call or span began. */
function fromNumbers(cells: Cells, count: number): string {
  return `SELECT number, ${cells['p_sql'] ?? '0'} AS p, ${cells['began_sql'] ?? '0'} AS began FROM numbers(${Math.round(count)})`;
}

const PBX = "concat('pbx-', toString(p))";
const VERDICT = "if(number % 23 = 0, 'bad', if(number % 7 = 0, 'fair', 'good'))";
const MES = 'if(number % 23 = 0, 2.1, 3.7 + (number % 70) / 100)';

/** `calls` stored calls of the last 400 days, ten times as many in the sums. */
export async function fillFleet(
  run: (sql: string) => Promise<unknown>,
  database: string,
  { calls, pbxs, nowMs }: { readonly calls: number; readonly pbxs: number; readonly nowMs: number },
): Promise<number> {
  const startMs = nowMs - DAYS * DAY_MS;
  let rows = 0;
  const add = async (kind: KindName, cells: Cells, count: number): Promise<void> => {
    await run(fill(database, kind, cells, count));
    rows += Math.round(count);
  };
  for (let day = 0; day < DAYS; day += CHUNK_DAYS) {
    const [fromMs, n] = [startMs + day * DAY_MS, (calls / DAYS) * CHUNK_DAYS];
    const step = (CHUNK_DAYS * DAY_MS) / n;
    const p_sql = `intHash32(number) % ${pbxs}`;
    const began = (per: number): string => `toUInt64(${fromMs} + intDiv(number, ${per}) * ${step})`;
    const id = (per: number): string => `concat(toString(intDiv(began, 1000)), '.', toString(intDiv(number, ${per})))`;
    const common = { pbx: PBX, call_started_at_ms: 'began', linkedid: id(1), p_sql, began_sql: began(1) };
    await add(
      'calls',
      {
        ...common,
        started_at_ms: 'toInt64(began)',
        ended_at_ms: 'toInt64(began + 60000)',
        mes: MES,
        mes_min: MES,
        verdict: VERDICT,
        profile: "'documented'",
      },
      n,
    );
    const legs = {
      ...common,
      linkedid: id(2),
      uniqueid: `concat(${id(2)}, '-', toString(number % 2))`,
      p_sql: `intHash32(intDiv(number, 2)) % ${pbxs}`,
      began_sql: began(2),
    };
    const endpoint = `if(number % 2 = 0, concat('PJSIP/phone-', toString(intDiv(number, 2) % ${ENDPOINTS - 2})), concat('PJSIP/trunk-', toString(intDiv(number, 2) % 2)))`;
    await add(
      'channels',
      {
        ...legs,
        endpoint,
        name: endpoint,
        caller_number: 'toString(100 + intDiv(number, 2) % 9000)',
        device: "'Yealink SIP-T54W 96.86.0.100'",
        started_at_ms: 'toInt64(began)',
        ended_at_ms: 'toInt64(began + 60000)',
        mes: MES,
        verdict: VERDICT,
        profile: "'documented'",
      },
      n * 2,
    );
    await add(
      'streams',
      {
        ...legs,
        direction: "if(number % 3 = 0, 'tx', 'rx')",
        codec: "'ulaw'",
        packets_expected: '3000',
        packets_lost: 'number % 60',
        jitter_mean_ms: '4.5',
        jitter_count: '12',
        rtt_mean_ms: '40',
        rtt_count: '12',
        mes: MES,
        reports: '12',
      },
      n * 2,
    );
    // Of each PBX a sum by hour and day of all calls, and by day of each endpoint.
    const perDay = (calls * 10) / DAYS / pbxs;
    const sums = (span: number, per: number, kind: string, share: number): Cells => ({
      pbx: PBX,
      p_sql: `number % ${pbxs}`,
      began_sql: `toUInt64(${fromMs} + intDiv(number, ${pbxs * per}) * ${span})`,
      call_started_at_ms: 'began',
      scope_kind: `'${kind}'`,
      span_ms: String(span),
      starts_at_ms: 'toInt64(began)',
      scope:
        per === 1
          ? "''"
          : `concat('PJSIP/', if(intDiv(number, ${pbxs}) % ${per} < 2, 'trunk-', 'phone-'), toString(intDiv(number, ${pbxs}) % ${per}))`,
      calls: `toInt64(${Math.max(1, Math.round(perDay * share))})`,
      judged: `toInt64(${Math.max(1, Math.round(perDay * share))})`,
      bad: 'toInt64(number % 3)',
      mes_micro: `toInt64(${Math.max(1, Math.round(perDay * share))} * 4100000)`,
      packets_lost: 'toInt64(100)',
      packets_expected: 'toInt64(30000)',
      jitter_us: 'toInt64(54000)',
      jitter_reports: 'toInt64(12)',
      rtt_us: 'toInt64(480000)',
      rtt_reports: 'toInt64(12)',
      score_hundredths: 'arrayMap(i -> toInt64(210 + (number + i * 37) % 230), range(8))',
      score_calls: 'arrayMap(i -> toInt64(1 + i), range(8))',
    });
    await add('sums', sums(DAY_MS, 1, 'calls', 1), CHUNK_DAYS * pbxs);
    await add('sums', sums(HOUR_MS, 1, 'calls', 1 / 24), CHUNK_DAYS * pbxs * 24);
    await add('sums', sums(DAY_MS, ENDPOINTS, 'endpoint', 1 / ENDPOINTS), CHUNK_DAYS * pbxs * ENDPOINTS);
  }
  const fromMs = Math.floor(nowMs / DAY_MS) * DAY_MS - HOURLY_DAYS * DAY_MS;
  await add(
    'sums',
    {
      pbx: PBX,
      p_sql: `number % ${pbxs}`,
      began_sql: `toUInt64(${fromMs} + intDiv(number, ${pbxs * ENDPOINTS}) * ${HOUR_MS})`,
      call_started_at_ms: 'began',
      scope_kind: "'endpoint'",
      span_ms: String(HOUR_MS),
      starts_at_ms: 'toInt64(began)',
      scope: `concat('PJSIP/', if(intDiv(number, ${pbxs}) % ${ENDPOINTS} < 2, 'trunk-', 'phone-'), toString(intDiv(number, ${pbxs}) % ${ENDPOINTS}))`,
      ...Object.fromEntries(
        [
          'calls',
          'judged',
          'bad',
          'mes_micro',
          'packets_lost',
          'packets_expected',
          'jitter_us',
          'jitter_reports',
          'rtt_us',
          'rtt_reports',
        ].map((name) => [name, 'toInt64(1)']),
      ),
      score_hundredths: '[toInt64(210 + number % 230)]',
      score_calls: '[toInt64(1)]',
    },
    (HOURLY_DAYS + 1) * 24 * pbxs * ENDPOINTS,
  );
  return rows;
}

/** What the tables take. */
export async function sizes(
  store: Pick<FleetStore, 'ask'>,
  database: string,
): Promise<Record<string, { rows: number; bytes: number }>> {
  const { rows } = await store.ask<{ table: string; n: number; bytes: number }>(
    `SELECT table, sum(rows) AS n, sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = '${database}' GROUP BY table`,
  );
  return Object.fromEntries(rows.map(({ table, n, bytes }) => [table, { rows: n, bytes }]));
}
