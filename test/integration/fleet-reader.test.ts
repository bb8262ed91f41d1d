import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FleetGateway } from '../../src/fleet/gateway.ts';
import { FleetHistory } from '../../src/fleet/read/fleet-history.ts';
import type { Scope } from '../../src/fleet/read/scope.ts';
import { newPbx, readFleetSettings } from '../../src/fleet/settings.ts';
import { FleetStore } from '../../src/fleet/store.ts';
import type { HistoryReader } from '../../src/model/ports.ts';
import { type ClickHouse, startShards } from '../lab/clickhouse.ts';
import { type SteppedPbx, startPbx } from '../lab/fleet-pbx.ts';
import { labIsReady } from '../lab/obstacle.ts';
import { makeRunDirectory } from '../lab/paths.ts';
import { CONTRACT_CHANGES, CONTRACT_NOW_MS, readerContract } from '../unit/history/reader-contract.ts';

describe.runIf(labIsReady())('the fleet’s store, read', () => {
  const folder = makeRunDirectory('fleet-reader');
  const names = ['berlin', 'bonn', 'ulm'] as const;
  const keys = new Map(names.map((name) => [name, newPbx(name, name === 'ulm' ? 'south' : 'north')] as const));
  const { pbxs } = readFleetSettings([...keys.values()].map(({ lines }) => lines).join('\n'), 'fleet.conf');
  let shards: ClickHouse[];
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    mkdirSync(folder, { recursive: true });
    shards = await startShards(join(folder, 'clickhouse'), 2);
  });
  afterAll(async () => {
    for (const stop of stops.toReversed()) await stop();
    await Promise.all(shards.map((shard) => shard.kill()));
    rmSync(folder, { recursive: true, force: true });
  });

  /** PBXs that ship into a database of two shards. */
  async function fleet(
    database: string,
    ...wanted: readonly (typeof names)[number][]
  ): Promise<{ store: FleetStore; pbxs: SteppedPbx[]; within: (scope: Scope) => FleetHistory }> {
    const store = new FleetStore({
      database,
      cluster: 'fleet',
      isReplicated: false,
      shards: shards.map(({ url }) => [url]),
      username: 'default',
      password: '',
    });
    await store.migrate();
    const problems: string[] = [];
    const gateway = new FleetGateway({
      store,
      pbxs,
      nowMs: () => CONTRACT_NOW_MS,
      onProblem: (sentence) => problems.push(sentence),
      blockMs: 5,
    });
    const url = await gateway.listen({ host: '127.0.0.1', port: 0 });
    stops.push(
      () => store.close(),
      () => gateway.close(),
    );
    const started: SteppedPbx[] = [];
    for (const name of wanted) {
      const token = keys.get(name)?.token ?? '';
      const pbx = await startPbx({
        url,
        token,
        path: join(folder, `${database}-${name}.sqlite`),
        nowMs: CONTRACT_NOW_MS,
      });
      stops.push(() => pbx.close());
      started.push(pbx);
    }
    return { store, pbxs: started, within: (scope) => new FleetHistory(store, database, scope, CONTRACT_NOW_MS) };
  }

  readerContract('ClickHouse', async () => {
    const {
      pbxs: [one, other],
      within,
    } = await fleet('mes_contract', 'berlin', 'bonn');
    // The other PBX has the same calls under the same ids: nothing of them may be seen.
    for (const pbx of [one, other]) {
      await pbx?.record(CONTRACT_CHANGES);
      await pbx?.ship();
    }
    const ask = (): HistoryReader => within([{ pbxs: ['berlin'] }]);
    return {
      reader: {
        calls: (...asked) => ask().calls(...asked),
        call: (linkedid) => ask().call(linkedid),
        channel: (uniqueid) => ask().channel(uniqueid),
        segments: (uniqueid) => ask().segments(uniqueid),
        intervals: (uniqueid) => ask().intervals(uniqueid),
        endpoints: (range) => ask().endpoints(range),
        trends: (query) => ask().trends(query),
        summary: (query) => ask().summary(query),
      },
      close: async () => {},
    };
  });

  test('an id that two PBXs have is of neither until it is said which', async () => {
    const { pbxs: both, within } = await fleet('mes_two', 'bonn', 'ulm');
    for (const pbx of both) {
      await pbx.record(CONTRACT_CHANGES);
      await pbx.ship();
    }
    await expect(within([]).call('c1')).rejects.toMatchObject({ name: 'AmbiguousError', pbxs: ['bonn', 'ulm'] });
    await expect(within([]).channel('c1')).rejects.toMatchObject({ pbxs: ['bonn', 'ulm'] });
    const fromSouth = within([{ sites: ['south'] }]);
    expect(await fromSouth.call('c1')).toMatchObject({ pbx: 'ulm', site: 'south', mes: 4.2 });
    expect(await fromSouth.segments('c1')).toHaveLength(3);
    expect(fromSouth.shards).toEqual({ answered: 2, of: 2 });
    // What the token allows and what is asked for hold together.
    const allowed = within([{ pbxs: ['b*'] }, { pbxs: ['ulm', 'bonn'] }]);
    expect(await allowed.call('c1')).toMatchObject({ pbx: 'bonn' });
    expect(await within([{ pbxs: ['b*'] }, { pbxs: ['ulm'] }]).call('c1')).toBeNull();
    // Calls of the same moment and id are told apart on the border of two pages.
    const seen: (string | undefined)[] = [];
    let cursor = null;
    do {
      const page = await within([]).calls({ endpoints: ['SIP/trunk'] }, 1, cursor);
      seen.push(...page.calls.map(({ linkedid, pbx }) => `${linkedid} ${pbx}`));
      cursor = page.next;
    } while (cursor !== null);
    expect(seen).toEqual(['c4 ulm', 'c4 bonn', 'c2 ulm', 'c2 bonn']);
    const { endpoints } = await within([]).endpoints({ fromMs: 0, toMs: CONTRACT_NOW_MS });
    expect(endpoints.map(({ endpoint, pbx, site, calls }) => [endpoint, pbx, site, calls])).toEqual([
      ['SIP/trunk', 'bonn', 'north', 2],
      ['SIP/trunk', 'ulm', 'south', 2],
      ['PJSIP/alice', 'bonn', 'north', 3],
      ['PJSIP/alice', 'ulm', 'south', 3],
      ['PJSIP/bob', 'bonn', 'north', 3],
      ['PJSIP/bob', 'ulm', 'south', 3],
    ]);
    const [day] = await within([]).summary({ fromMs: 0, toMs: CONTRACT_NOW_MS, bucketMs: CONTRACT_NOW_MS });
    // Twice 4.2, 2, 3.5 and 4.5, and one that is not known.
    expect(day).toMatchObject({ calls: 10, scoredCalls: 8, badCalls: 2, mesMean: 3.55 });
  });
});
