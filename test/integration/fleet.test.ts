import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { writeBatch } from '../../src/fleet/batch.ts';
import { callRows } from '../../src/fleet/call-rows.ts';
import { FleetGateway } from '../../src/fleet/gateway.ts';
import { newPbx, readFleetSettings } from '../../src/fleet/settings.ts';
import { pbxIdOf, shardOf } from '../../src/fleet/shard.ts';
import { FleetShipper } from '../../src/fleet/shipper.ts';
import { FleetStore } from '../../src/fleet/store.ts';
import { type History, openHistory } from '../../src/history/history.ts';
import { type ClickHouse, startShards } from '../lab/clickhouse.ts';
import { labIsReady } from '../lab/obstacle.ts';
import { makeRunDirectory } from '../lab/paths.ts';
import { callRecord, channelRecord, intervalRecord } from '../unit/history/records.ts';

const DAY_MS = 86_400_000;
/** Calls of today: a store refuses what began long ago. */
const BASE_MS = Date.now() - 600_000;
const CALLS = 60;

interface Pbx {
  readonly history: History;
  readonly shipper: FleetShipper;
  readonly path: string;
  readonly problems: string[];
  readonly stop: () => Promise<void>;
}

describe.runIf(labIsReady())('the fleet on a real ClickHouse', () => {
  const folder = makeRunDirectory('fleet');
  const names = ['office-berlin', 'office-bonn', 'office-ulm'] as const;
  const keys = new Map(names.map((name) => [name, newPbx(name, name === 'office-ulm' ? '' : 'north')] as const));
  const pbxs = readFleetSettings([...keys.values()].map(({ lines }) => lines).join('\n'), 'fleet.conf').pbxs;
  let shards: ClickHouse[];
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    mkdirSync(folder, { recursive: true });
    shards = await startShards(folder, 2);
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  });
  afterAll(async () => {
    await Promise.all(shards.map((shard) => shard.kill()));
    rmSync(folder, { recursive: true, force: true });
  });

  async function store(database: string, isSharded: boolean): Promise<FleetStore> {
    const made = new FleetStore({
      database,
      cluster: isSharded ? 'fleet' : null,
      isReplicated: false,
      shards: (isSharded ? shards : shards.slice(0, 1)).map(({ url }) => [url]),
      username: 'default',
      password: '',
    });
    await made.migrate();
    stops.push(() => made.close());
    return made;
  }

  async function gateway(of: FleetStore, port = 0): Promise<{ url: string; gateway: FleetGateway; port: number }> {
    const made = new FleetGateway({ store: of, pbxs, nowMs: () => Date.now(), onProblem: () => {}, blockMs: 50 });
    const url = await made.listen({ host: '127.0.0.1', port });
    stops.push(() => made.close());
    return { url, gateway: made, port: Number(new URL(url).port) };
  }

  /** A PBX's history with calls that have ended, and its shipper: a sidecar without an Asterisk. */
  async function pbx(name: (typeof names)[number], url: string, file: string = name): Promise<Pbx> {
    const path = join(folder, `${file}.sqlite`);
    const clock = { nowMs: () => Date.now() };
    const history = await openHistory({ path, keepIntervalsMs: DAY_MS, keepCallsMs: DAY_MS, clock });
    const problems: string[] = [];
    const shipper = new FleetShipper({
      url,
      token: keys.get(name)?.token ?? '',
      site: 'south',
      send: 'intervals',
      history,
      calls: history,
      clock,
      random: () => 0.5,
      heartbeat: () => ({ release: '1.2.3', calls_up: 7 }),
      onProblem: (sentence) => problems.push(sentence),
    });
    const timer = setInterval(() => shipper.tick(Date.now()), 20);
    const stop = async (): Promise<void> => {
      clearInterval(timer);
      await shipper.stop();
      await history.close();
    };
    stops.push(stop);
    return { history, shipper, path, problems, stop };
  }

  /** Calls end; the shipper is told as the sidecar tells it, but for its three seconds of quiet. */
  async function endCalls({ history, shipper }: Pbx, from: number, to: number): Promise<void> {
    for (let index = from; index < to; index++) {
      const linkedid = `${index}.1`;
      const startedAtMs = BASE_MS + index * 100;
      const endedAtMs = startedAtMs + 5000;
      const part = { linkedid, startedAtMs, endedAtMs };
      history.record({ kind: 'call', call: callRecord(linkedid, { startedAtMs, endedAtMs, mes: 4.21 }) });
      for (const uniqueid of [`${index}.2`, `${index}.3`]) {
        const channel = channelRecord(uniqueid, part);
        for (const report of [1, 2]) {
          history.record({
            kind: 'interval',
            interval: intervalRecord(uniqueid, report, { atMs: startedAtMs + report }),
          });
        }
        history.record({ kind: 'channel', channel, resume: null });
        shipper.channelEnded(channel);
      }
    }
  }

  const once = (of: ClickHouse, database: string, table: string, key: string): Promise<string> =>
    of.query(
      `SELECT count(), uniqExact(pbx, ${key}) FROM (SELECT * FROM ${database}.${table} ORDER BY row_version DESC LIMIT 1 BY pbx, ${key})`,
    );

  test('every ended call is there once, whatever is killed on the way, and equal to the PBX’s own', async () => {
    const [clickhouse] = shards;
    if (clickhouse === undefined) throw new Error('no ClickHouse');
    const database = 'mes_kill';
    const of = await store(database, false);
    const first = await gateway(of);
    const one = await pbx('office-berlin', first.url);
    await endCalls(one, 0, 20);
    await expect.poll(() => once(clickhouse, database, 'mes_calls', 'linkedid'), { timeout: 30_000 }).toBe('20\t20');
    // ClickHouse dies under the second third, the gateway under the last.
    await clickhouse.kill();
    await endCalls(one, 20, 40);
    await expect.poll(() => one.problems.length, { timeout: 30_000 }).toBeGreaterThan(0);
    expect(one.problems[0]).toMatch(/^the fleet's gateway http\S+ does not take rows \(the store does not take rows/);
    await clickhouse.start();
    await first.gateway.close();
    await endCalls(one, 40, CALLS);
    await sleep(200);
    await gateway(of, first.port);
    await expect
      .poll(() => once(clickhouse, database, 'mes_calls', 'linkedid'), { timeout: 40_000 })
      .toBe(`${CALLS}\t${CALLS}`);
    await expect
      .poll(async () => (await one.history.features.read('outbox', 'state', undefined)).rows, { timeout: 30_000 })
      .toBe(0);

    const sqlite = new Sqlite(one.path, { readonly: true, timeout: 500 });
    const counts = (table: string): unknown => sqlite.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
    expect(await once(clickhouse, database, 'mes_channels', 'uniqueid')).toBe(
      `${String(counts('channels'))}\t${2 * CALLS}`,
    );
    expect(await once(clickhouse, database, 'mes_intervals', 'uniqueid, direction, report_number')).toBe(
      `${String(counts('intervals'))}\t${4 * CALLS}`,
    );
    const scores = 'linkedid, mes, verdict, started_at_ms, fault_place';
    const theirs = await clickhouse.query(
      `SELECT ${scores} FROM ${database}.mes_calls FINAL ORDER BY linkedid FORMAT TSV`,
    );
    const ours = sqlite.prepare(`SELECT ${scores} FROM calls ORDER BY linkedid`).raw().all() as unknown[][];
    sqlite.close();
    expect(theirs.split('\n')).toEqual(ours.map((row) => row.join('\t')));
    expect(await clickhouse.query(`SELECT DISTINCT pbx, site FROM ${database}.mes_calls`)).toBe('office-berlin\tnorth');
    expect(await clickhouse.query(`SELECT DISTINCT release, calls_up FROM ${database}.mes_heartbeats`)).toBe(
      '1.2.3\t7',
    );
  });

  test('a call that ended while its sidecar was killed is found again', async () => {
    const [clickhouse] = shards;
    if (clickhouse === undefined) throw new Error('no ClickHouse');
    const of = await store('mes_again', false);
    const { url } = await gateway(of);
    const before = await pbx('office-bonn', url, 'again');
    await endCalls(before, 0, 3);
    await expect.poll(() => once(clickhouse, 'mes_again', 'mes_calls', 'linkedid'), { timeout: 30_000 }).toBe('3\t3');
    // It is told of nothing more: killed between the end of the calls and the outbox.
    await endCalls({ ...before, shipper: { channelEnded: () => {} } as unknown as FleetShipper }, 3, 6);
    await before.stop();
    stops.splice(stops.indexOf(before.stop), 1);
    const after = await pbx('office-bonn', url, 'again');
    await after.shipper.start();
    await expect.poll(() => once(clickhouse, 'mes_again', 'mes_calls', 'linkedid'), { timeout: 30_000 }).toBe('6\t6');
  });

  test('a batch sent three times is there once; a row of another version takes its place', async () => {
    const [clickhouse] = shards;
    if (clickhouse === undefined) throw new Error('no ClickHouse');
    const { url } = await gateway(await store('mes_thrice', false));
    const call = { ...callRecord('1.1', { startedAtMs: BASE_MS, endedAtMs: BASE_MS + 1 }), channels: [] };
    const post = async (mes: number, version: number): Promise<unknown> => {
      const rows = callRows({ call: { ...call, mes }, segments: [], intervals: [] }, version);
      const response = await fetch(`${url}/v1/fleet/batches`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${keys.get('office-ulm')?.token ?? ''}`,
          'content-type': 'application/x-ndjson',
          'mes-site': 'Ulm',
        },
        body: writeBatch(rows.map((row, index) => ({ ...row, sequence: index + 1 }))),
      });
      return response.json();
    };
    const version = Date.now();
    for (let times = 0; times < 3; times++) expect(await post(4.2, version)).toEqual({ acked_to: 1 });
    await post(3.3, version + 1);
    await post(4.2, version);
    expect(await once(clickhouse, 'mes_thrice', 'mes_calls', 'linkedid')).toBe('1\t1');
    expect(await clickhouse.query('SELECT mes, site FROM mes_thrice.mes_calls FINAL')).toBe('3.3\tUlm');
  });

  test('two shards: each PBX’s rows lie where the Distributed table looks, and one that is down is said', async () => {
    const of = await store('mes_shards', true);
    const { url } = await gateway(of);
    for (const name of names) {
      const made = await pbx(name, url, `sharded-${name}`);
      await endCalls(made, 0, 5);
    }
    const total = (): Promise<string> =>
      shards[0]?.query('SELECT count() FROM mes_shards.mes_calls_all') ?? Promise.resolve('');
    await expect.poll(total, { timeout: 30_000 }).toBe('15');
    for (const name of names) {
      const home = shards[shardOf(pbxIdOf(name), 2)];
      expect(await home?.query(`SELECT count() FROM mes_shards.mes_calls WHERE pbx = '${name}'`)).toBe('5');
    }
    const question = 'SELECT count() AS n FROM mes_shards.mes_calls';
    expect(await of.ask(question)).toMatchObject({ shardsAnswered: 2, shards: 2 });
    await shards[1]?.kill();
    expect(await of.ask(question)).toMatchObject({ shardsAnswered: 1, shards: 2 });
    await shards[1]?.start();
  });

  test.each<[string, RequestInit, number, RegExp]>([
    ['no token', { body: '{}' }, 401, /this token is of no PBX/],
    ['another token', { body: '{}', headers: { authorization: 'Bearer guess' } }, 401, /this token is of no PBX/],
  ])('%s is refused', async (_, init, status, detail) => {
    const { url } = await gateway(await store('mes_refuse', false));
    const headers = { 'content-type': 'application/x-ndjson', ...(init.headers as Record<string, string> | undefined) };
    const response = await fetch(`${url}/v1/fleet/batches`, { method: 'POST', ...init, headers });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ detail: expect.stringMatching(detail) as unknown });
  });

  test('a newer release adds its columns to tables of an older one, and weeks that are over go', async () => {
    const [clickhouse] = shards;
    if (clickhouse === undefined) throw new Error('no ClickHouse');
    const of = await store('mes_older', false);
    await clickhouse.query('ALTER TABLE mes_older.mes_calls DROP COLUMN fault_why');
    await of.migrate();
    expect(
      await clickhouse.query(
        "SELECT type FROM system.columns WHERE database = 'mes_older' AND table = 'mes_calls' AND name = 'fault_why'",
      ),
    ).toBe('Nullable(String)');
    const insert = (linkedid: string, startedAtMs: number): Promise<string> =>
      clickhouse.query(
        `INSERT INTO mes_older.mes_calls (pbx_id, pbx, site, row_version, call_started_at_ms, linkedid) VALUES (1, 'a', '', 1, ${startedAtMs}, '${linkedid}')`,
      );
    // Sunday and Monday.
    await insert('old', Date.UTC(2026, 1, 8, 23, 59));
    await insert('kept', Date.UTC(2026, 1, 9));
    await of.dropBefore(Date.UTC(2026, 1, 15));
    expect(await clickhouse.query('SELECT linkedid FROM mes_older.mes_calls')).toBe('kept');

    const watch = (kind: string, id: string, version: number, storedAtMs: number, endedAtMs: number | null) =>
      clickhouse.query(
        `INSERT INTO mes_older.mes_watch (kind, id, row_version, stored_at_ms, began_at_ms, ended_at_ms, body) VALUES ('${kind}', '${id}', ${version}, ${storedAtMs}, 1, ${endedAtMs ?? 'NULL'}, '')`,
      );
    const [january, february] = [Date.UTC(2026, 0, 12), Date.UTC(2026, 1, 12)];
    await watch('alert', 'goes on', 1, january, null);
    await watch('alert', 'over', 1, january, null);
    await watch('alert', 'over', 2, january, january);
    await watch('alert', 'over since', 1, january, null);
    await watch('alert', 'over since', 2, february, february);
    await watch('message', 'old', 1, january, null);
    await watch('message', 'new', 1, february, null);
    const kept = (): Promise<string> =>
      clickhouse.query(
        'SELECT id, row_version, toYYYYMM(toDate(toDateTime(intDiv(stored_at_ms, 1000)))) FROM mes_older.mes_watch FINAL ORDER BY id',
      );
    const before = await kept();
    await of.dropWatchBefore(Date.UTC(2026, 0, 31));
    expect(await kept()).toBe(before);
    const left = 'goes on\t1\t202602\nnew\t1\t202602\nover since\t2\t202602';
    for (let time = 0; time < 2; time++) {
      await of.dropWatchBefore(Date.UTC(2026, 1, 15));
      expect(await kept()).toBe(left);
    }
  });
});
