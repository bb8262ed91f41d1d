import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HistoryReader } from '../../src/model/ports.ts';
import { labIsReady } from '../lab/obstacle.ts';
import { CONTRACT_NOW_MS } from '../unit/history/contract-calls.ts';
import { readerContract } from '../unit/history/reader-contract.ts';
import { describeFleetFaults } from './fixtures/fleet-faults.ts';
import { describeFleetOverRest } from './fixtures/fleet-over-rest.ts';
import { describeFleetPeople } from './fixtures/fleet-people.ts';
import { ReadFleet } from './fixtures/read-fleet.ts';

describe.runIf(labIsReady())('the fleet’s store, read', () => {
  const fleet = new ReadFleet();

  beforeAll(() => fleet.start());
  afterAll(() => fleet.stop());

  readerContract('ClickHouse', async () => {
    // Bonn has the same calls under the same ids. A question to Berlin must not see them.
    const { within } = await fleet.ship('mes_contract', 'berlin', 'bonn');
    const ask = (): HistoryReader => within([{ pbxs: ['berlin'] }]);
    return {
      reader: {
        calls: (...asked) => ask().calls(...asked),
        call: (linkedid) => ask().call(linkedid),
        channel: (uniqueid) => ask().channel(uniqueid),
        segments: (uniqueid) => ask().segments(uniqueid),
        intervals: (uniqueid) => ask().intervals(uniqueid),
        endpoints: (range) => ask().endpoints(range),
        groups: (range, by) => ask().groups?.(range, by) ?? Promise.reject(new Error('no groups')),
        trends: (query) => ask().trends(query),
        summary: (query) => ask().summary(query),
      },
      close: async () => {},
    };
  });

  test('an id that two PBXs have is of neither until it is said which', async () => {
    const { within } = await fleet.ship('mes_two', 'bonn', 'ulm');
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
    const { groups } = (await within([]).groups?.({ fromMs: 0, toMs: CONTRACT_NOW_MS }, 'codec')) ?? {};
    // Of both PBXs, which lie on different shards.
    expect(groups?.map(({ name, calls, badCalls }) => [name, calls, badCalls])).toEqual([
      ['g722', 2, 2],
      ['ulaw', 4, 0],
    ]);
    const [day] = await within([]).summary({ fromMs: 0, toMs: CONTRACT_NOW_MS, bucketMs: CONTRACT_NOW_MS });
    // Twice 4.2, 2, 3.5 and 4.5, and one that is not known.
    expect(day).toMatchObject({ calls: 10, scoredCalls: 8, badCalls: 2, mesMean: 3.55 });
  });

  describeFleetFaults(fleet);
  describeFleetPeople(fleet);
  describeFleetOverRest(fleet);
});
