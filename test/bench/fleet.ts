/** `npm run bench -- fleet`: PBXs through two gateways into one ClickHouse, and questions over what ten times 1,000,000 calls leave. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { writeBatch } from '../../src/fleet/batch.ts';
import { callRows } from '../../src/fleet/call-rows.ts';
import { FleetHistory } from '../../src/fleet/read/fleet-history.ts';
import { listPbxs } from '../../src/fleet/read/pbxs.ts';
import { newPbx } from '../../src/fleet/settings.ts';
import type { FleetRow } from '../../src/fleet/kinds.ts';
import { FleetStore } from '../../src/fleet/store.ts';
import { LineGatherer, lineWriter } from '../../src/fleet/stored-rows.ts';
import { freePort } from '../lab/addresses.ts';
import { startShards } from '../lab/clickhouse.ts';
import { makeRunDirectory, REPOSITORY } from '../lab/paths.ts';
import { callRecord, channelRecord, segmentRecord, streamRecord } from '../unit/history/records.ts';
import { fillFleet, sizes } from './fleet-data.ts';
import { type Output, quantile } from './output.ts';
import { usageOf } from './process-usage.ts';

export const DEFAULT_CALLS = 1_000_000;
const SHIPPING_PBXS = 1000;
const CALLS_OF_A_BATCH = 40;
const BATCHES = 1200;
/** Each PBX sends one batch at a time, and waits until it is stored: it takes many to keep two gateways busy. */
const AT_ONCE = 300;
const RUNS = 5;
const DAY_MS = 86_400_000;
const NOBODY = { username: 'default', password: '' } as const;

/** Rows as an outbox has them: calls of two channels with four directions and their segments. */
function batchOf(index: number, nowMs: number): ReturnType<typeof callRows> {
  return Array.from({ length: CALLS_OF_A_BATCH }, (_, n) => {
    const linkedid = `${Math.floor(nowMs / 1000)}.${index * CALLS_OF_A_BATCH + n}`;
    const part = { linkedid, startedAtMs: nowMs - 60_000, endedAtMs: nowMs };
    const streams = [streamRecord(), streamRecord({ direction: 'tx', mes: 3 + (n % 100) / 77 })];
    const uniqueids = [linkedid, `${linkedid}1`];
    const channels = uniqueids.map((uniqueid) => channelRecord(uniqueid, { ...part, streams }));
    const segments = uniqueids.flatMap((uniqueid) =>
      (['rx', 'tx'] as const).map((direction) => segmentRecord(uniqueid, 1, { direction })),
    );
    return callRows({ call: { ...callRecord(linkedid, part), channels }, segments, intervals: [] }, nowMs);
  }).flat();
}

export async function run(output: Output, calls = DEFAULT_CALLS): Promise<void> {
  const folder = makeRunDirectory('bench-fleet');
  mkdirSync(folder, { recursive: true });
  const [clickhouse] = await startShards(join(folder, 'clickhouse'), 1);
  if (clickhouse === undefined) throw new Error('no ClickHouse');
  try {
    const shipping = await ship(output, folder, clickhouse.url);
    const asking = await ask(output, clickhouse.url, calls, (sql) => clickhouse.query(sql));
    output.result({ shipping, asking });
  } finally {
    await clickhouse.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Rows a second. Of rows as a program has them: to write them as ClickHouse reads them belongs to it. */
async function insertBare(url: string, database: string, rows: readonly FleetRow[]): Promise<number> {
  const store = new FleetStore({ cluster: null, isReplicated: false, shards: [[url]], ...NOBODY, database });
  await store.migrate();
  const identity = { name: 'a', site: '' };
  const byTable = Map.groupBy(rows, ({ kind }) => store.targetOf(identity, kind));
  const lineOf = lineWriter(identity);
  const beganMs = performance.now();
  for (const [table, own] of byTable) {
    for (let at = 0; at < own.length; at += 50_000) {
      const lines = new LineGatherer();
      for (const row of own.slice(at, at + 50_000)) lines.add(table, lineOf(row));
      await store.insert(table, lines.end().get(table) ?? []);
    }
  }
  const perS = rows.length / ((performance.now() - beganMs) / 1000);
  await store.close();
  return perS;
}

async function ship(output: Output, folder: string, url: string): Promise<object> {
  const nowMs = Date.now();
  const bareRows = Array.from({ length: BATCHES / 4 }, (_, index) => batchOf(index, nowMs)).flat();
  const bareBefore = await insertBare(url, 'bare', bareRows);
  const keys = Array.from({ length: SHIPPING_PBXS }, (_, n) => newPbx(`pbx-${n}`, ''));
  const ports: number[] = [];
  const gateways = await Promise.all(
    [0, 1].map(async (index) => {
      const port = await freePort('127.0.0.1', 29_300 + index * 10);
      const httpPort = await freePort('127.0.0.1', port + 1);
      const config = join(folder, `fleet${index}.conf`);
      const text = `[gateway]\nbind = 127.0.0.1:${port}\n[http]\nbind = 127.0.0.1:${httpPort}\n[store]\nshards = ${url}\ndatabase = shipped\n`;
      writeFileSync(config, text + keys.map(({ lines }) => lines).join(''), { mode: 0o600 });
      // As the README starts it: the flags of the sidecar's unit save memory and cost processor time.
      const child = spawn(process.execPath, [join(REPOSITORY, 'src/asterisk-mes.js'), 'fleet', '--config', config], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await new Promise<void>((resolve) => {
        child.stdout.on('data', (bytes: Buffer) => bytes.includes('listens on') && resolve());
      });
      ports.push(port);
      return child;
    }),
  );
  // Made beforehand: this process is not to be what is measured.
  const bodies = Array.from({ length: BATCHES }, (_, index) => {
    const rows = batchOf(index, nowMs).map((row, at) => ({ ...row, sequence: at + 1 }));
    return { body: gzipSync(writeBatch(rows), { level: 1 }), rows: rows.length };
  });
  let next = 0;
  let rows = 0;
  let refused = 0;
  const cpuS = (): number => gateways.reduce((sum, { pid }) => sum + usageOf(pid ?? 0).cpuS, 0);
  const cpuBefore = cpuS();
  const clientBefore = process.cpuUsage();
  const beganMs = performance.now();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let index = next++; index < BATCHES; index = next++) {
        const { body, rows: count } = bodies[index] ?? { body: Buffer.alloc(0), rows: 0 };
        const headers = {
          authorization: `Bearer ${keys[index % SHIPPING_PBXS]?.token ?? ''}`,
          'content-type': 'application/x-ndjson',
          'content-encoding': 'gzip',
        };
        for (;;) {
          const response = await fetch(`http://127.0.0.1:${ports[index % 2]}/v1/fleet/batches`, {
            method: 'POST',
            headers,
            body,
          });
          await response.arrayBuffer();
          if (response.ok) break;
          refused++;
        }
        rows += count;
      }
    }),
  );
  const perS = rows / ((performance.now() - beganMs) / 1000);
  const gatewayUs = ((cpuS() - cpuBefore) * 1e6) / rows;
  const client = process.cpuUsage(clientBefore);
  const clientUs = (client.user + client.system) / rows;
  const peaks = gateways.map(
    ({ pid }) => Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024,
  );
  for (const gateway of gateways) gateway.kill('SIGTERM');
  // Others use this machine as well, more or less by the minute: so before and afterwards.
  const bareAfter = await insertBare(url, 'bare_again', bareRows);
  const barePerS = (bareBefore + bareAfter) / 2;
  output.say(
    `Bare inserts of 50,000 rows: ${Math.round(bareBefore)} rows/s before, ${Math.round(bareAfter)} afterwards.`,
  );
  output.say(
    `${SHIPPING_PBXS} PBXs through two gateways: ${Math.round(perS)} rows/s (${Math.round((100 * perS) / barePerS)} % of the bare inserts), ${rows} rows, ${refused} batches refused and sent again; of a processor a row took ${gatewayUs.toFixed(1)} µs in the gateways, ${clientUs.toFixed(1)} µs in the client; gateways' memory at most ${peaks.map((mb) => `${Math.round(mb)} MB`).join(' and ')}.`,
  );
  return { bareRowsPerS: barePerS, rowsPerS: perS, rows, refused, gatewayUs, clientUs, gatewayPeakMb: peaks };
}

async function ask(
  output: Output,
  url: string,
  calls: number,
  query: (sql: string) => Promise<string>,
): Promise<object> {
  const database = 'asked';
  const nowMs = Date.now();
  const pbxs = Math.max(10, Math.round(calls / 10_000));
  const store = new FleetStore({ database, cluster: null, isReplicated: false, shards: [[url]], ...NOBODY });
  await store.migrate();
  const beganMs = performance.now();
  const rows = await fillFleet(query, database, { calls, pbxs, nowMs });
  output.say(
    `${rows} rows of ${calls} calls, and sums of ${10 * calls}, made in ${Math.round((performance.now() - beganMs) / 1000)} s.`,
  );
  const ago = (days: number): { fromMs: number; toMs: number } => ({ fromMs: nowMs - days * DAY_MS, toMs: nowMs });
  const on = (...names: readonly string[]): FleetHistory =>
    new FleetHistory(store, database, names.length === 0 ? [] : [{ pbxs: names }], nowMs);
  const one = 'pbx-7';
  const [call] = (await on(one).calls({}, 1, null)).calls;
  const linkedid = call?.linkedid ?? '';
  const uniqueid = call?.channels[0]?.uniqueid ?? '';
  const questions: Readonly<Record<string, () => Promise<unknown>>> = {
    'the newest 50 calls': () => on().calls({}, 50, null),
    'the same of one PBX': () => on(one).calls({}, 50, null),
    'bad calls of a day, counted': () => on().calls({ ...ago(1), verdicts: ['bad'] }, 50, null, { isCounted: true }),
    'bad calls of a month of one PBX, counted': () =>
      on(one).calls({ ...ago(30), verdicts: ['bad'] }, 50, null, { isCounted: true }),
    'the worst calls of a day': () => on().calls(ago(1), 50, null, { order: 'lowest-score' }),
    'calls of a trunk': () => on().calls({ endpoints: ['PJSIP/trunk-1'] }, 50, null),
    'calls of a number of one PBX': () => on(one).calls({ numbers: ['107'] }, 50, null),
    'calls of a number in a week': () => on().calls({ ...ago(7), numbers: ['4321'] }, 50, null),
    'a call of one PBX': () => on(one).call(linkedid),
    'a call by its id alone': () => on().call(linkedid),
    'the reports of a channel': () => on(one).intervals(uniqueid),
    'endpoints of one PBX, a day': () => on(one).endpoints(ago(1)),
    'endpoints of one PBX, a week': () => on(one).endpoints(ago(7)),
    'endpoints of all, a day': () => on().endpoints(ago(1)),
    'a day by the hour': () => on().summary({ ...ago(1), bucketMs: DAY_MS / 24 }),
    'a month by the day': () => on().summary({ ...ago(30), bucketMs: DAY_MS }),
    '400 days by the day': () => on().summary({ ...ago(400), bucketMs: DAY_MS }),
    '400 days of one PBX by the day': () => on(one).summary({ ...ago(400), bucketMs: DAY_MS }),
    'the trend of a trunk of one PBX, a week': () =>
      on(one).trends({ ...ago(7), bucketMs: DAY_MS / 4, endpoints: ['PJSIP/trunk-1'] }),
    'all PBXs': () => listPbxs(store, database, [], [], nowMs),
  };
  const times: Record<string, number[]> = {};
  for (let round = 0; round <= RUNS; round++) {
    for (const [name, work] of Object.entries(questions)) {
      const startMs = performance.now();
      await work();
      // The first round reads the files.
      if (round > 0) (times[name] ??= []).push(performance.now() - startMs);
    }
  }
  const figures = Object.fromEntries(Object.entries(times).map(([name, list]) => [name, quantile(list, 0.95)]));
  for (const [name, ms] of Object.entries(figures)) output.say(`${Math.round(ms).toString().padStart(6)} ms  ${name}`);
  const p95 = quantile(Object.values(times).flat(), 0.95);
  output.say(`95th percentile of all: ${Math.round(p95)} ms.`);
  const tables = await sizes(store, database);
  for (const [table, { rows: count, bytes }] of Object.entries(tables))
    if (count > 0) output.say(`${table}: ${count} rows, ${(bytes / count).toFixed(1)} bytes a row.`);
  await store.close();
  return { calls, pbxs, p95Ms: p95, figures, tables };
}
