import { expect, test } from 'vitest';
import { soak } from '../bench/soaked.ts';

/** Of a leg that is never forgotten there remain more than 4 KB. */
const LEAK_BYTES_PER_CALL = 4096;

test('hours of calls leave nothing behind but their rows', async () => {
  const { marks, callsStored, intervalsStored, intervalsExpected } = await soak({ hours: 3, callEveryMs: 10_000 });
  const [first, second, third] = marks;
  if (first === undefined || second === undefined || third === undefined)
    throw new Error('three hours have three marks');
  // 58 of 60 minutes have calls.
  expect(third.calls).toBe(3 * 348);
  expect(callsStored).toBe(third.calls);
  // Two legs, two reporters, 5 s apart, 50 s: 36 at most, and the network lost a few.
  expect(intervalsStored).toBe(intervalsExpected);
  expect(intervalsStored / third.calls).toBeGreaterThan(30);
  expect(intervalsStored / third.calls).toBeLessThanOrEqual(36);

  expect(marks.map(({ liveChannels }) => liveChannels)).toEqual([0, 0, 0]);
  expect(third.heapBytes - second.heapBytes).toBeLessThan((third.calls - second.calls) * LEAK_BYTES_PER_CALL);
  // A request may be under way or not; what calls leave open would be hundreds.
  expect(third.handles).toBeLessThanOrEqual(second.handles + 5);
  const [before, after] = [second.databaseBytes - first.databaseBytes, third.databaseBytes - second.databaseBytes];
  expect(before / 348).toBeGreaterThan(5000);
  expect(after / before).toBeGreaterThan(0.8);
  expect(after / before).toBeLessThan(1.2);
});
