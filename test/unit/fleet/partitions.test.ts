import { expect, test } from 'vitest';
import { isPartitionBefore, type TableName } from '../../../src/fleet/ddl.ts';

const WEDNESDAY = Date.UTC(2026, 11, 2, 12);

test.each<[TableName, number, number, boolean]>([
  // Weeks begin on Mondays: 30 November is one.
  ['calls', 20_261_123, WEDNESDAY, true],
  ['calls', 20_261_130, WEDNESDAY, false],
  ['intervals', 20_261_207, WEDNESDAY, false],
  ['calls', 20_261_123, Date.UTC(2026, 10, 29, 23, 59), false],
  // A week that began in the year before.
  ['channels', 20_251_229, Date.UTC(2026, 0, 4), false],
  ['channels', 20_251_229, Date.UTC(2026, 0, 5), true],
  // Months, also in tables of calls that an earlier build made.
  ['sums', 202_611, WEDNESDAY, true],
  ['sums', 202_612, WEDNESDAY, false],
  ['calls', 202_611, WEDNESDAY, true],
  ['calls', 202_612, WEDNESDAY, false],
  ['watch', 202_611, WEDNESDAY, true],
  ['watch', 202_612, WEDNESDAY, false],
  ['live', Math.floor(WEDNESDAY / 600_000) - 1, WEDNESDAY, true],
  ['live', Math.floor(WEDNESDAY / 600_000), WEDNESDAY, false],
])('of %s, partition %i is over at %i: %s', (kind, partition, ms, expected) => {
  expect(isPartitionBefore(kind, partition, ms)).toBe(expected);
});
