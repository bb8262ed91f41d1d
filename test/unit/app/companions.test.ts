import { expect, test } from 'vitest';
import type { Companion, CompanionContext } from '../../../src/app/companions/companion.ts';
import { Companions } from '../../../src/app/companions/companions.ts';
import { channelRecord } from '../history/records.ts';

/** None of these ask for anything. */
const CONTEXT = {} as CompanionContext;

test('companions that are switched on are told of everything, in their order; others are not there', async () => {
  const told: string[] = [];
  const tell = (name: string): Companion => ({
    agiScripts: { [name]: async () => {} },
    counters: () => ({ told: told.length }),
    labelledCounters: () => [{ name, help: 'H', labelNames: ['a'], values: [{ labels: { a: 'b' }, value: 1 }] }],
    start: async () => void told.push(`${name} starts`),
    stop: async () => void told.push(`${name} stops`),
    take: ({ type }) => void told.push(`${name} takes ${type}`),
    channelEnded: ({ uniqueid }) => void told.push(`${name} sees the end of ${uniqueid}`),
    tick: (nowMs) => void told.push(`${name} ticks at ${nowMs}`),
  });
  const companions = new Companions(CONTEXT, { one: () => tell('one'), off: () => null, two: () => tell('two') });
  await companions.start();
  companions.take({ type: 'link-lost', atMs: 1 });
  companions.tick(5);
  companions.channelEnded(channelRecord('1.1'));
  expect(Object.keys(companions.agiScripts)).toEqual(['one', 'two']);
  expect(companions.routes).toEqual([]);
  expect(companions.labelledCounters.map(({ name }) => name)).toEqual(['one', 'two']);
  expect(companions.counters).toEqual({ one: { told: 8 }, two: { told: 8 } });
  await companions.stop();
  expect(told).toEqual([
    'one starts',
    'two starts',
    'one takes link-lost',
    'two takes link-lost',
    'one ticks at 5',
    'two ticks at 5',
    'one sees the end of 1.1',
    'two sees the end of 1.1',
    'one stops',
    'two stops',
  ]);
});
