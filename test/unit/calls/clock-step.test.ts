import { describe, expect, it } from 'vitest';
import { moveMoments } from '../../../src/calls/channels/clock-step.ts';
import { numberRow } from '../../../src/stats/number-row.ts';
import type { PbxEvent } from '../../../src/model/event.ts';
import type { CallRecord, HistoryChange } from '../../../src/model/record.ts';
import { readGolden } from '../golden.ts';
import { Script } from './script.ts';

const HOUR_MS = 3_600_000;

it('moves what is a moment by its name, shared parts once, and nothing else', () => {
  const shared = { atMs: 10, rttMs: 5 };
  const data = {
    startedAtMs: 1,
    deadSinceMs: null,
    one: shared,
    two: [shared],
    durationMs: 7,
    flatMs: 3,
    atMost: 2,
    fromMs: 20,
  };
  moveMoments(data, 100);
  expect(data).toEqual({
    startedAtMs: 101,
    deadSinceMs: null,
    one: { atMs: 110, rttMs: 5 },
    two: [{ atMs: 110, rttMs: 5 }],
    durationMs: 7,
    flatMs: 3,
    atMost: 2,
    fromMs: 120,
  });
});

it('moves the moments in a row of numbers, and those that are not known not', () => {
  class Row extends numberRow({
    known: ['startedAtMs', 'gapMs'],
    unknown: ['endedAtMs', 'deadSinceMs'],
    sampled: [],
  }) {}
  const data = { row: new Row([1000, 20, 1500]) };
  moveMoments(data, 100);
  const { startedAtMs, gapMs, endedAtMs, deadSinceMs } = data.row;
  expect([startedAtMs, gapMs, endedAtMs, deadSinceMs]).toEqual([1100, 20, 1600, null]);
});

interface Told {
  readonly changes: HistoryChange[];
  readonly writes: Script['writes'];
}

/** The recorded call, with the clock set by `stepMs` behind the event of this number. */
function tell(events: readonly PbxEvent[], stepAfter: number, stepMs: number): Told {
  const script = new Script();
  const { board, writes } = script;
  const changes: HistoryChange[] = [];
  let shiftMs = 0;
  for (const [index, event] of events.entries()) {
    board.tick(event.atMs + shiftMs);
    board.handle({ ...event, atMs: event.atMs + shiftMs });
    changes.push(...script.drain());
    if (index !== stepAfter) continue;
    board.clockStepped(stepMs);
    shiftMs = stepMs;
  }
  board.tick((events.at(-1)?.atMs ?? 0) + shiftMs + 2000);
  changes.push(...script.drain());
  return { changes, writes };
}

const withoutTimes = (changes: readonly HistoryChange[]): unknown =>
  changes.flatMap((change) => {
    if (change.kind !== 'interval') return [];
    const { atMs: _atMs, beganAtMs: _beganAtMs, ...rest } = change.interval;
    return [rest];
  });

function lastCall({ changes }: Told): CallRecord {
  const last = changes.findLast((change) => change.kind === 'call');
  if (last === undefined) throw new Error('there is no call');
  return last.call;
}

const lengthMs = ({ startedAtMs, endedAtMs }: CallRecord): number => (endedAtMs ?? Number.NaN) - startedAtMs;

describe.each([HOUR_MS, -HOUR_MS])('a clock set by %s ms', (stepMs) => {
  it.each(['22-lossy-call', '22-hold', '22-one-way', '16-lossy-call'])(
    'in the middle of %s changes no score, no interval and no verdict, and nothing that is written',
    (name) => {
      const { events } = readGolden(name);
      const steady = tell(events, -1, 0);
      for (const part of [0.3, 0.5, 0.8]) {
        const stepped = tell(events, Math.floor(events.length * part), stepMs);
        expect(withoutTimes(stepped.changes)).toEqual(withoutTimes(steady.changes));
        expect(stepped.writes).toEqual(steady.writes);
        const [was, is] = [lastCall(steady), lastCall(stepped)];
        expect([is.mes, is.verdict]).toEqual([was.mes, was.verdict]);
        expect(lengthMs(is)).toBe(lengthMs(was));
        expect(lengthMs(was)).toBeGreaterThan(1000);
      }
      expect(steady.writes.length).toBeGreaterThan(0);
    },
  );
});
