import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable, getDefaultHighWaterMark } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { PacedPackets, withoutReadingAhead } from '../../../src/capture/paced-packets.ts';

const NOW_MS = 1_700_000_000_000;
const SOON = { timeout: 10_000 };

afterEach(() => {
  vi.useRealTimers();
});

interface Reading {
  readonly stream: Readable;
  readonly reader: PacedPackets;
  /** Lengths of the pieces, in their order. */
  readonly taken: number[];
}

/** Reads pieces whose latest packet was captured so long ago. */
async function reading(ageMs: () => number, read: (this: Readable) => void = () => undefined): Promise<Reading> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const stream = new Readable({ highWaterMark: 1, read });
  const taken: number[] = [];
  const take = (piece: Uint8Array): number => {
    taken.push(piece.length);
    return NOW_MS - ageMs();
  };
  const reader = new PacedPackets(stream, take, () => NOW_MS);
  await nextTurn();
  return { stream, reader, taken };
}

/** When a stream has been resumed, its data come in the turn after. */
async function pass(ms: number): Promise<void> {
  vi.advanceTimersByTime(ms);
  await nextTurn();
}

test.each([
  ['of just now', 0, 10],
  ['of 4 ms ago', 4, 6],
  ['by a clock that is rounded', -0.75, 10],
])('after a packet %s it rests until that is 10 ms old', async (_, ageMs, restMs) => {
  const { stream, taken } = await reading(() => ageMs);
  stream.push(Buffer.alloc(100));
  expect([taken, stream.isPaused()]).toEqual([[100], true]);
  stream.push(Buffer.alloc(30));
  stream.push(Buffer.alloc(40));
  await pass(restMs - 1);
  expect([taken, stream.isPaused()]).toEqual([[100], true]);
  await pass(1);
  expect(taken.slice(0, 2)).toEqual([100, 30]);
  await pass(10);
  expect(taken).toEqual([100, 30, 40]);
});

test.each([
  ['that waited for 10 ms', 10],
  ['that waited for long', 400],
  ['of before the clock was set back', -3_600_000],
  ['that is none yet', Number.POSITIVE_INFINITY],
])('after a packet %s it reads on without a rest, one piece in each turn of the event loop', async (_, ageMs) => {
  const { stream, taken } = await reading(() => ageMs);
  for (let length = 1; length <= 5; length += 1) stream.push(Buffer.alloc(length));
  expect(taken).toEqual([1]);
  for (let turn = 1, before = 1; taken.length < 5 && turn <= 20; turn += 1, before = taken.length) {
    await nextTurn();
    expect(taken.length - before).toBeLessThanOrEqual(1);
  }
  expect(taken).toEqual([1, 2, 3, 4, 5]);
  expect(vi.getTimerCount()).toBe(0);
});

test('one that comes after a rest is read at once', async () => {
  const { stream, taken } = await reading(() => 0);
  stream.push(Buffer.alloc(1));
  await pass(10);
  expect(stream.isPaused()).toBe(false);
  stream.push(Buffer.alloc(2));
  expect(taken).toEqual([1, 2]);
});

test('drained, it reads on until little came, and rests afterwards as before', async () => {
  let left = 0;
  const { stream, reader, taken } = await reading(
    () => 0,
    function read() {
      left -= 1;
      if (left >= 0) this.push(Buffer.alloc(30_000));
    },
  );
  for (let round = 1; round <= 3; round += 1) {
    stream.push(Buffer.alloc(100));
    expect(stream.isPaused()).toBe(true);
    left = 4;
    await reader.drain();
    expect(taken.splice(0)).toEqual([100, 30_000, 30_000, 30_000, 30_000]);
    expect(stream.isPaused()).toBe(false);
    // A rest that was cut short leaves no timer behind that would cut short another.
    expect(vi.getTimerCount()).toBe(1);
  }
});

test('a child whose stream rests is not read ahead', async () => {
  const usual = getDefaultHighWaterMark(false);
  const script = 'printf a; read -r _; printf b; echo written >&2; read -r _';
  const child = withoutReadingAhead(() => spawn('sh', ['-c', script], { stdio: 'pipe' }));
  expect(getDefaultHighWaterMark(false)).toBe(usual);
  const { stdin, stdout, stderr } = child;
  let text = '';
  stdout.setEncoding('utf8').on('data', (more: string) => (text += more));
  stdout.pause();
  await vi.waitFor(() => expect(stdout.readableLength).toBe(1), SOON);
  stdin.write('\n');
  await once(stderr, 'data');
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
  expect(stdout.readableLength).toBe(1);
  stdout.resume();
  await vi.waitFor(() => expect(text).toBe('ab'), SOON);
  stdin.end('\n');
  await once(child, 'close');
});

test('what cannot be made leaves other streams as they were', () => {
  const usual = getDefaultHighWaterMark(false);
  expect(() =>
    withoutReadingAhead(() => {
      throw new Error('too many files');
    }),
  ).toThrow('too many files');
  expect(getDefaultHighWaterMark(false)).toBe(usual);
});
