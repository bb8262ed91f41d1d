import { expect, test } from 'vitest';
import type { Moment } from '../../../src/model/people/rating.ts';
import { RatingIntake, type RatingIntakeOptions } from '../../../src/ratings/rating-intake.ts';
import { channelRecord } from '../history/records.ts';

const NOW_MS = 1_796_000_000_000;
/** Of all calls together: many times what people press. */
const MOST_A_MINUTE = 600;

function intake() {
  const stored: Moment[] = [];
  const up = channelRecord('1.2', { linkedid: '1.1', endedAtMs: null });
  const time = { nowMs: NOW_MS };
  const marks = new RatingIntake({
    tables: { mark: async (moment: Moment) => void stored.push(moment) },
    live: { liveChannel: (uniqueid: string) => (uniqueid === '1.2' ? up : null) },
    clock: { nowMs: () => time.nowMs },
  } as unknown as RatingIntakeOptions);
  return { marks, stored, time };
}

test('a mark is of a channel that is up, and of the call that this is known to be in', () => {
  const { marks, stored } = intake();
  expect(marks.mark('1.2', NOW_MS)).toEqual({ linkedid: '1.1', uniqueid: '1.2', atMs: NOW_MS });
  expect(marks.mark('made-up', NOW_MS)).toBeUndefined();
  expect(stored).toEqual([{ linkedid: '1.1', uniqueid: '1.2', atMs: NOW_MS }]);
  expect(marks.counters).toMatchObject({ marks: 1, refused: 1 });
});

test('a flood of marks is refused, until the next minute', () => {
  const { marks, stored, time } = intake();
  for (let press = 0; press < 5000; press++) marks.mark('1.2', NOW_MS);
  expect(stored).toHaveLength(MOST_A_MINUTE);
  expect(marks.counters).toMatchObject({ marks: MOST_A_MINUTE, refused: 5000 - MOST_A_MINUTE });
  time.nowMs += 60_000;
  const again = { linkedid: '1.1', uniqueid: '1.2', atMs: time.nowMs };
  expect(marks.mark('1.2', time.nowMs)).toEqual(again);
  // Clocks are set back.
  time.nowMs -= 3_600_000;
  const before = { ...again, atMs: time.nowMs };
  expect(marks.mark('1.2', time.nowMs)).toEqual(before);
  expect(stored.slice(MOST_A_MINUTE)).toEqual([again, before]);
});
