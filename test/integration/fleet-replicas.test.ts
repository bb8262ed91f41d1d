import { mkdirSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeBatch } from '../../src/fleet/batch.ts';
import { FleetGateway } from '../../src/fleet/gateway.ts';
import { FleetHistory } from '../../src/fleet/read/fleet-history.ts';
import { newPbx, readFleetSettings } from '../../src/fleet/settings.ts';
import { FleetStore } from '../../src/fleet/store.ts';
import { type ClickHouse, startReplicas } from '../lab/clickhouse.ts';
import { labIsReady } from '../lab/obstacle.ts';
import { makeRunDirectory } from '../lab/paths.ts';
import type { ZooKeeper } from '../lab/zookeeper.ts';

const DATABASE = 'mes_replicas';

describe.runIf(labIsReady())('a shard with two replicas', () => {
  const folder = makeRunDirectory('fleet-replicas');
  const key = newPbx('berlin', '');
  const { pbxs } = readFleetSettings(key.lines, 'fleet.conf');
  let replicas: ClickHouse[];
  let zookeeper: ZooKeeper;
  let store: FleetStore;
  let gateway: FleetGateway;
  let url: string;

  beforeAll(async () => {
    mkdirSync(folder, { recursive: true });
    ({ replicas, zookeeper } = await startReplicas(folder, 2));
    store = new FleetStore({
      database: DATABASE,
      cluster: 'fleet',
      isReplicated: true,
      shards: [replicas.map((replica) => replica.url)],
      username: 'default',
      password: '',
    });
    await store.migrate();
    gateway = new FleetGateway({ store, pbxs, nowMs: () => Date.now(), onProblem: () => {}, blockMs: 20 });
    url = `${await gateway.listen({ host: '127.0.0.1', port: 0 })}/v1/fleet/batches`;
  });
  afterAll(async () => {
    await gateway?.close();
    await store?.close();
    await Promise.all((replicas ?? []).map((replica) => replica.kill()));
    await zookeeper?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  const startedAtMs = Date.now() - 60_000;
  /** As a PBX does: the same batch until it is acknowledged. Returns how many times it was refused. */
  async function ship(from: number, to: number): Promise<number> {
    const rows = Array.from({ length: to - from }, (_, index) => ({
      sequence: index + 1,
      kind: 'calls' as const,
      version: startedAtMs,
      callStartedAtMs: startedAtMs,
      cells: { linkedid: `c${from + index}`, mes: 4 },
    }));
    for (let refused = 0; refused < 200; refused++) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { authorization: `Bearer ${key.token}`, 'content-type': 'application/x-ndjson' },
        body: writeBatch(rows),
      });
      if (response.status === 200) return refused;
      expect(response.status).toBe(503);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('the batch was not taken');
  }
  const on = (replica: number): Promise<string> =>
    (replicas[replica] as ClickHouse)
      .query(`SELECT count(), uniqExact(linkedid) FROM ${DATABASE}.mes_calls FINAL`)
      .catch((error: unknown) => String(error));

  test('one that is killed is done without, and catches up; without ZooKeeper nothing is taken, and nothing lost', async () => {
    await ship(0, 100);
    await expect.poll(() => on(1), { timeout: 30_000 }).toBe('100\t100');

    await replicas[0]?.kill();
    expect(await ship(100, 200)).toBe(0);
    const asked = new FleetHistory(store, DATABASE, [], Date.now());
    expect((await asked.calls({}, 5, null, { isCounted: true })).matching).toBe(200);
    expect(asked.shards).toEqual({ answered: 1, of: 1 });
    await replicas[0]?.start();
    await expect.poll(() => on(0), { timeout: 30_000 }).toBe('200\t200');

    await zookeeper.kill();
    const shipped = ship(200, 300);
    // It is refused at least once, and questions are answered meanwhile.
    expect(
      (await new FleetHistory(store, DATABASE, [], Date.now()).calls({}, 1, null, { isCounted: true })).matching,
    ).toBe(200);
    await zookeeper.start();
    expect(await shipped).toBeGreaterThan(0);
    // The same batch three times more, on either replica.
    for (let times = 0; times < 3; times++) await ship(200, 300);
    for (const replica of [0, 1]) await expect.poll(() => on(replica), { timeout: 30_000 }).toBe('300\t300');
    await store.migrate();
  });
});
