import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { ChangeQueue, type Waiting } from '../../../src/history/write/change-queue.ts';
import type { StateChange } from '../../../src/model/record.ts';
import { type PlainBatch, PlainQueue } from './plain-queue.ts';
import { callRecord, channelRecord, intervalRecord, resumeOf, segmentRecord, START_MS } from './records.ts';

/** One thing that is done to the queue and to the plain one. `n` is another one each time. */
type Step = (queues: Queues, n: number) => void;

interface Queues {
  readonly queue: ChangeQueue;
  readonly plain: PlainQueue;
  /** What was taken from both and may be put back. */
  taken: { readonly batch: Waiting; readonly plainly: PlainBatch } | undefined;
  /** What both held when it was taken. */
  readonly seen: object[];
  readonly expected: object[];
}

const endedAtMs = fc.constantFrom(null, null, START_MS + 1);
const operation: fc.Arbitrary<(n: number) => StateChange> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(fc.nat(5), endedAtMs, fc.nat(2)).map(([id, ended, streams]) => (n: number) => ({
      kind: 'channel' as const,
      channel: channelRecord(`c-${id}`, {
        endedAtMs: ended,
        mes: n,
        streams: channelRecord('')
          .streams.flatMap((stream) => [stream, stream])
          .slice(streams),
      }),
      resume: ended === null ? resumeOf(`state ${n}`) : null,
    })),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.nat(3), fc.constantFrom('rx', 'tx'), fc.nat(2))
      .map(([id, direction, number]) => (n: number) => ({
        kind: 'segment' as const,
        segment: segmentRecord(`c-${id}`, number, { direction, mes: n }),
      })),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(fc.nat(5), endedAtMs).map(([id, ended]) => (n: number) => ({
      kind: 'call' as const,
      call: callRecord(`c-${id}`, { endedAtMs: ended, mes: n }),
    })),
  },
  {
    weight: 4,
    arbitrary: fc.nat(5).map((id) => (n: number) => ({
      kind: 'scores' as const,
      scores: { ...callRecord(`c-${id}`, { mes: n, mesMin: null, verdict: null }), channels: [] },
    })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(5), fc.nat(5)).map(([from, into]) => () => ({
      kind: 'call-merged' as const,
      fromLinkedid: `c-${from}`,
      intoLinkedid: `c-${into}`,
    })),
  },
);

const pushing: fc.Arbitrary<Step> = operation.map((make) => ({ queue, plain }, n) => {
  queue.push(make(n));
  plain.push(make(n));
});
const pushingInterval: Step = ({ queue, plain }, n) => {
  queue.push({ kind: 'interval', interval: intervalRecord('c', n) });
  plain.pushInterval(n);
};
/** What was taken before is committed by now. */
const taking: Step = (queues) => {
  const [batch, plainly] = [queues.queue.take(), queues.plain.take()];
  queues.taken = { batch, plainly };
  queues.seen.push({ states: batch.states, intervals: batch.intervals.map(({ reportNumber }) => reportNumber) });
  queues.expected.push({ states: plainly.operations, intervals: plainly.intervals });
};
/** A commit of all of it failed, or that of a later part. */
const puttingBack = fc.nat(3).map((committed): Step => (queues) => {
  if (queues.taken === undefined) return;
  const { batch, plainly } = queues.taken;
  queues.taken = undefined;
  queues.queue.putBack({ ...batch, states: batch.states.slice(committed) });
  queues.plain.putBack({ ...plainly, operations: plainly.operations.slice(committed) });
});

/** What both queues hold and have dropped after each step, and in the end. */
function run(limit: number, steps: readonly Step[]): Pick<Queues, 'seen' | 'expected'> {
  const [queue, plain] = [new ChangeQueue(limit), new PlainQueue(limit)];
  const queues: Queues = { queue, plain, taken: undefined, seen: [], expected: [] };
  for (const [n, step] of [...steps, taking].entries()) {
    step(queues, n);
    queues.seen.push({ n, size: queue.size, dropped: queue.dropped });
    queues.expected.push({ n, size: plain.size, dropped: plain.dropped });
  }
  return queues;
}

const pushes = { weight: 12, arbitrary: pushing };
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  pushes,
  { weight: 6, arbitrary: fc.constant(pushingInterval) },
  { weight: 1, arbitrary: fc.constant(taking) },
  { weight: 1, arbitrary: puttingBack },
);

it('keeps, replaces, drops, takes and takes back what a plain list of changes does', () => {
  const limits = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constant(Infinity));
  fc.assert(
    fc.property(limits, fc.array(anyStep, { maxLength: 200 }), (limit, steps) => {
      const { seen, expected } = run(limit, steps);
      expect(seen).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});

it('does so over many pieces, also when most of their rows are gone', () => {
  // The same changes over and over: enough to fill some pieces and to pack them anew.
  const again = fc.array(pushing, { minLength: 5, maxLength: 20 });
  fc.assert(
    fc.property(again, fc.array(anyStep, { maxLength: 50 }), (few, others) => {
      const many = Array.from({ length: 100 }, () => few).flat();
      const { seen, expected } = run(Infinity, [...others, ...many, taking, ...few, ...others, ...many]);
      expect(seen).toEqual(expected);
    }),
    { numRuns: 10 },
  );
});
