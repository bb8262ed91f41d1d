import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Waiting } from '../../../src/history/write/change-queue.ts';
import { partsOf } from '../../../src/history/write/commit-parts.ts';
import type { StateChange } from '../../../src/model/record.ts';
import { callRecord, channelRecord, intervalRecord, segmentRecord } from './records.ts';

const channel = (n: number, call = n): StateChange => ({
  kind: 'channel',
  channel: channelRecord(`c${n}`, { linkedid: `call${call}` }),
  resume: null,
});
const reports = (n: number, count: number, first = 1) =>
  Array.from({ length: count }, (_, index) => intervalRecord(`c${n}`, first + index));
const sizes = (parts: readonly Waiting[]): number[][] =>
  parts.map(({ states, intervals }) => [states.length, intervals.length]);

/** The number of the part in which each channel's state is, and the least and the greatest of those with its reports. */
function placesOf(parts: readonly Waiting[]): Map<string, { state: number; first: number; last: number }> {
  const places = new Map<string, { state: number; first: number; last: number }>();
  for (const [at, { states, intervals }] of parts.entries()) {
    for (const { uniqueid } of intervals) {
      const place = places.get(uniqueid) ?? { state: -1, first: at, last: at };
      places.set(uniqueid, { ...place, last: at });
    }
    for (const change of states) {
      if (change.kind !== 'channel') continue;
      const { uniqueid } = change.channel;
      places.set(uniqueid, { first: at, last: at, ...places.get(uniqueid), state: at });
    }
  }
  return places;
}

it('puts no report before the first state of its channel, nor behind a state that counts it', () => {
  // Two thousand channels that are new, each with ten reports, and the reports of one that is stored long since.
  const states = Array.from({ length: 2000 }, (_, n) => channel(n));
  const intervals = Array.from({ length: 10 }, (_, n) => n + 1).flatMap((n) => [
    ...states.map((_, at) => intervalRecord(`c${at}`, n)),
    ...reports(9999, 1500, 1500 * n),
  ]);
  const parts = partsOf({ states, intervals });
  expect(parts.length).toBeGreaterThan(2);
  const places = [...placesOf(parts)];
  expect(places).toHaveLength(2001);
  expect(places.filter(([, { state, first, last }]) => first !== state || last !== state)).toEqual([
    ['c9999', { state: -1, first: 0, last: expect.any(Number) }],
  ]);
  for (const { states: some, intervals: ofSome } of parts) {
    expect(some.length).toBeLessThanOrEqual(2000);
    expect(ofSome.length).toBeLessThan(10_020);
  }
});

it('keeps every change, the states of a call in their order and the reports of a channel in theirs', () => {
  const anyState = fc.oneof(
    fc.record({ n: fc.nat(9), call: fc.nat(4) }).map(({ n, call }) => channel(n, call)),
    fc.nat(4).map((n): StateChange => ({ kind: 'call', call: callRecord(`call${n}`) })),
    fc.nat(9).map((n): StateChange => ({ kind: 'segment', segment: segmentRecord(`c${n}`, 1) })),
    fc.tuple(fc.nat(4), fc.nat(4)).map(([from, into]): StateChange => {
      return { kind: 'call-merged', fromLinkedid: `call${from}`, intoLinkedid: `call${into}` };
    }),
  );
  fc.assert(
    fc.property(fc.array(anyState, { maxLength: 30 }), fc.array(fc.nat(12), { maxLength: 30 }), (some, reported) => {
      // So many calls of no interest that everything has to be cut.
      const others = Array.from({ length: 2500 }, (_, n): StateChange => ({ kind: 'call', call: callRecord(`o${n}`) }));
      const states = [...some, ...others];
      const intervals = reported.map((n, at) => intervalRecord(`c${n}`, at + 1));
      const parts = partsOf({ states, intervals });
      expect(parts.length).toBeGreaterThan(1);
      const allStates = parts.flatMap((part) => part.states);
      expect(new Set(allStates)).toEqual(new Set(states));
      expect(allStates).toHaveLength(states.length);
      const allIntervals = parts.flatMap((part) => part.intervals);
      expect(allIntervals.toSorted((one, other) => one.reportNumber - other.reportNumber)).toEqual(intervals);
      const isApart = ({ state, first, last }: { state: number; first: number; last: number }): boolean =>
        state >= 0 && (first !== state || last !== state);
      expect([...placesOf(parts).values()].filter(isApart)).toEqual([]);
      // Whatever speaks of the same channel or call comes in its order.
      const namesOf = (change: StateChange): string[] => {
        if (change.kind === 'channel') return [change.channel.uniqueid, change.channel.linkedid];
        if (change.kind === 'segment') return [change.segment.uniqueid];
        if (change.kind === 'call-merged') return [change.fromLinkedid, change.intoLinkedid];
        return change.kind === 'call' ? [change.call.linkedid] : [];
      };
      for (const name of new Set(some.flatMap(namesOf))) {
        const of = (changes: readonly StateChange[]): StateChange[] =>
          changes.filter((one) => namesOf(one).includes(name));
        expect(of(allStates)).toEqual(of(states));
      }
    }),
    { numRuns: 30 },
  );
});

it('cuts between calls that a merge does not join', () => {
  const states = Array.from({ length: 3000 }, (_, n) => channel(n));
  const merge: StateChange = { kind: 'call-merged', fromLinkedid: 'call1', intoLinkedid: 'call2999' };
  expect(sizes(partsOf({ states: [...states, merge], intervals: [] }))).toEqual([
    [2000, 0],
    [1001, 0],
  ]);
  const [first] = partsOf({ states: [...states, merge], intervals: [] });
  expect(first?.states.slice(0, 4)).toEqual([states[0], states[1], states[2999], merge]);
});

it('leaves few changes as they are', () => {
  const all = { states: [channel(1)], intervals: reports(1, 100) };
  expect(partsOf(all)).toEqual([all]);
});
