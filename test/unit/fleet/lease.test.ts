import { expect, test } from 'vitest';
import { type Beat, Lease } from '../../../src/fleet/alerts/lease.ts';

const GONE_MS = 20_000;
const START_MS = 1_796_000_000_000;

/** Gateways over one store, each with a clock of its own for the time of day. */
function fleetOf(...clocksAheadMs: readonly number[]) {
  const beats = new Map<string, Beat>();
  let timeMs = 0;
  let isStoreThere = true;
  const store = {
    readBeats: () => (isStoreThere ? Promise.resolve([...beats.values()]) : Promise.reject(new Error('gone'))),
    writeBeat: (beat: Beat) => {
      if (!isStoreThere) return Promise.reject(new Error('gone'));
      beats.set(beat.id, beat);
      return Promise.resolve();
    },
  };
  const leases = clocksAheadMs.map(
    (aheadMs) =>
      new Lease({ store, nowMs: () => START_MS + aheadMs + timeMs, goneAfterMs: GONE_MS, timeMs: () => timeMs }),
  );
  return {
    leases,
    set isStoreThere(is: boolean) {
      isStoreThere = is;
    },
    /** Seconds in which these beat every two seconds; who held the lease at any time. */
    pass: async (seconds: number, ...running: readonly number[]): Promise<readonly number[]> => {
      const held = new Set<number>();
      for (let second = 0; second < seconds; second += 2) {
        timeMs += 2000;
        for (const index of running) await leases[index]?.beat(true).catch(() => {});
        const now = leases.flatMap(({ isHeld }, index) => (isHeld ? [index] : []));
        expect(now.length).toBeLessThan(2);
        for (const index of now) held.add(index);
      }
      return [...held];
    },
    whole: (index: number, isWhole: boolean) => leases[index]?.beat(isWhole),
  };
}

test('of two gateways that start at once one leads, and it stays with it', async () => {
  const { pass } = fleetOf(0, 0);
  expect(await pass(8, 0, 1)).toEqual([]);
  const [leader, ...more] = await pass(60, 0, 1);
  expect([leader, more.length]).toEqual([expect.any(Number), 0]);
});

test('a gateway that comes later does not lead, even with a clock that is an hour slow', async () => {
  const { pass } = fleetOf(0, -3_500_000);
  expect(await pass(30, 0)).toEqual([0]);
  expect(await pass(120, 0, 1)).toEqual([0]);
});

test('another leads when nothing has come of the leader for the whole time, not before', async () => {
  const { pass } = fleetOf(0, 5000);
  await pass(40, 0, 1);
  // It still holds the lease for a moment, by its own clock.
  expect(await pass(18, 1)).toEqual([0]);
  expect(await pass(6, 1)).toEqual([1]);
});

test('a gateway that stood still begins anew behind the other', async () => {
  const { pass } = fleetOf(0, 0);
  expect(await pass(30, 0)).toEqual([0]);
  await pass(20, 0, 1);
  await pass(30, 1);
  expect(await pass(60, 0, 1)).toEqual([1]);
});

test('a gateway that ends in good order makes way at once', async () => {
  const { pass, leases } = fleetOf(0, 0);
  expect(await pass(30, 0)).toEqual([0]);
  await pass(20, 0, 1);
  await leases[0]?.leave();
  expect(await pass(4, 1)).toEqual([1]);
});

test('without a store nobody leads, and all counts as seen from its return on', async () => {
  const fleet = fleetOf(0);
  await fleet.pass(30, 0);
  const before = await fleet.whole(0, true);
  fleet.isStoreThere = false;
  expect(await fleet.pass(8, 0)).toEqual([0]);
  expect(await fleet.pass(40, 0)).toEqual([]);
  fleet.isStoreThere = true;
  expect(await fleet.pass(30, 0)).toEqual([0]);
  const after = (await fleet.whole(0, true)) ?? 0;
  expect(before).toBe(START_MS + 2000);
  expect(after).toBe(START_MS + 80_000);
});

test('a shard that does not answer is a break, which who starts afterwards knows of', async () => {
  const fleet = fleetOf(0, 0);
  await fleet.pass(30, 0);
  await fleet.whole(0, false);
  expect(await fleet.whole(0, true)).toBe(START_MS + 30_000);
  await fleet.pass(10, 0);
  expect(await fleet.whole(1, true)).toBe(START_MS + 30_000);
});
