import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addSampleAt } from '../../../src/stats/moments.ts';
import { numberRow, type StoredRow } from '../../../src/stats/number-row.ts';

class Row extends numberRow({
  known: ['packets', 'octets'],
  unknown: ['score'],
  times: ['atMs'],
  sampled: ['roundTripMs', 'jitterMs'],
}) {}

/** The same by plain properties, with nothing in common with the row but the names. */
interface Plain {
  packets: number;
  octets: number;
  atMs: number | null;
  score: number | null;
  roundTripMs: number[];
  jitterMs: number[];
}

const NUMBERS = ['packets', 'octets'] as const;
const NULLABLE = ['atMs', 'score'] as const;
const SAMPLED = ['roundTripMs', 'jitterMs'] as const;
const numbers = fc.double({ noNaN: true, min: -1e12, max: 1e12 });
const change = fc.oneof(
  fc.record({ to: fc.constantFrom(...NUMBERS), value: numbers }),
  fc.record({ to: fc.constantFrom(...NULLABLE), value: fc.option(numbers) }),
  fc.record({ sampleOf: fc.constantFrom(...SAMPLED), value: fc.integer({ min: 0, max: 1000 }) }),
);

interface Told {
  readonly numbers: readonly (number | null)[];
  /** Count, last, min, max and sum; null without samples. */
  readonly samples: readonly (readonly (number | undefined)[] | null)[];
}

function told(row: Row): Told {
  return {
    numbers: [...NUMBERS, ...NULLABLE].map((name) => row[name]),
    samples: SAMPLED.map((name) => {
      const { count, last, min, max, mean } = row[name];
      return count === 0 ? null : [count, last, min, max, Math.round(mean * count)];
    }),
  };
}

function wanted(plain: Plain): Told {
  return {
    numbers: [...NUMBERS, ...NULLABLE].map((name) => plain[name]),
    samples: SAMPLED.map((name) => {
      const values = plain[name];
      const sum = values.reduce((before, value) => before + value, 0);
      return values.length === 0 ? null : [values.length, values.at(-1), Math.min(...values), Math.max(...values), sum];
    }),
  };
}

const again = (row: Row): Row => new Row(JSON.parse(JSON.stringify(row)) as StoredRow);

describe('a row of numbers', () => {
  test('keeps each of its numbers as a property of its own would, also through storing', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const row = new Row();
        const plain: Plain = { packets: 0, octets: 0, atMs: null, score: null, roundTripMs: [], jitterMs: [] };
        expect(told(row)).toEqual(wanted(plain));
        for (const step of changes) {
          if ('sampleOf' in step) {
            addSampleAt(row.values, Row.places[step.sampleOf], step.value);
            plain[step.sampleOf].push(step.value);
          } else for (const target of [row, plain]) Object.assign(target, { [step.to]: step.value });
        }
        expect(told(row)).toEqual(wanted(plain));
        expect(told(again(row))).toEqual(wanted(plain));
      }),
    );
  });

  test('has moments as a copy, and takes others in their place', () => {
    const row = new Row();
    addSampleAt(row.values, Row.places.jitterMs, 4, 3);
    const before = row.jitterMs;
    addSampleAt(row.values, Row.places.jitterMs, 8);
    expect(before).toEqual({ count: 3, last: 4, min: 4, max: 4, mean: 4, m2: 0 });
    // By hand: 4 4 4 8 have the mean 5, and 1 + 1 + 1 + 9 = 12 as the sum of squares around it.
    expect(row.jitterMs).toEqual({ count: 4, last: 8, min: 4, max: 8, mean: 5, m2: 12 });
    row.jitterMs = before;
    expect(row.jitterMs).toEqual(before);
    expect(row.roundTripMs.count).toBe(0);
  });

  test('tells where each of its moments stands', () => {
    const row = new Row();
    addSampleAt(row.values, Row.places.jitterMs, 4, 3);
    addSampleAt(row.values, Row.places.roundTripMs, 50);
    expect(row.jitterMs).toEqual({ count: 3, last: 4, min: 4, max: 4, mean: 4, m2: 0 });
    expect(row.roundTripMs).toEqual({ count: 1, last: 50, min: 50, max: 50, mean: 50, m2: 0 });
    expect([row.packets, row.octets, row.atMs, row.score]).toEqual([0, 0, null, null]);
  });

  test('begins anew what a stored row lacks, and leaves out what it has too much', () => {
    expect(new Row([7]).packets).toBe(7);
    expect(new Row([7]).atMs).toBeNull();
    const long = new Row(Array.from({ length: 100 }, () => 1));
    expect(JSON.stringify(long)).toBe(JSON.stringify(Array.from({ length: 2 + 2 + 2 * 6 }, () => 1)));
  });

  test('shares nothing with other rows', () => {
    const [one, other] = [new Row(), new Row()];
    one.packets = 5;
    addSampleAt(one.values, Row.places.jitterMs, 1);
    expect([one.packets, one.jitterMs.count]).toEqual([5, 1]);
    expect([other.packets, other.jitterMs.count]).toEqual([0, 0]);
  });
});
