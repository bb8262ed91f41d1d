import { expect, test } from 'vitest';
import { Muteness } from '../../../src/capture/muteness.ts';

/** Captured packets and pieces read, answer by answer. */
const answers = (...told: readonly (readonly [captured: number, pieces: number])[]): boolean[] => {
  const muteness = new Muteness();
  return told.map((answer) => muteness.isMute(...answer));
};

test('it is mute when it goes on capturing and nothing comes, twice in a row', () => {
  expect(answers([10, 1], [20, 1], [30, 1], [40, 2])).toEqual([false, false, true, false]);
  expect(answers([10, 0], [20, 0])).toEqual([false, true]);
});

test('it is not mute while it captures nothing, nor when what it captured came late', () => {
  expect(answers([10, 1], [10, 1], [10, 1], [10, 1])).toEqual([false, false, false, false]);
  expect(answers([10, 1], [20, 1], [30, 2], [40, 2], [50, 3])).toEqual([false, false, false, false, false]);
});
