import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { JournalLoop } from '../../../src/history/write/journal-loop.ts';
import type { MoveResult } from '../../../src/history/thread/protocol.ts';

const STEP = 1000;

/** A journal of which each step moves so many. */
class Journal {
  left = 0;
  steps = 0;
  error: Error | undefined;
  isFlood = false;
  /** What comes in while a step runs. */
  comesIn = 0;
  rejection: string | null = null;
  readonly rejected: unknown[] = [];
  beforeStep: (step: number) => void = () => {};

  readonly loop = (settings: { readonly most?: number } = {}): JournalLoop =>
    new JournalLoop(
      {
        gatherMs: 20_000,
        most: 100_000,
        mostInFlood: 400_000,
        ...settings,
        isFlood: () => this.isFlood,
        move: () => this.#move(),
        explain: (error) => `why: ${String(error)}`,
        onRejected: (...told) => this.rejected.push(told),
      },
      this.left,
    );

  #move(): Promise<MoveResult> {
    this.beforeStep(++this.steps);
    if (this.error !== undefined) return Promise.reject(this.error);
    const moved = Math.min(STEP, this.left);
    this.left += this.comesIn - moved;
    const { rejection } = this;
    this.rejection = null;
    return Promise.resolve({ moved, rejected: rejection === null ? 0 : 2, rejection, left: this.left });
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('gathers for 20 s, then moves what is there, and leaves for the next time what comes meanwhile', async () => {
  const journal = new Journal();
  const loop = journal.loop();
  journal.left = 2500;
  journal.comesIn = 10;
  loop.note(2500);
  await vi.advanceTimersByTimeAsync(19_999);
  expect(journal.steps).toBe(0);
  await vi.advanceTimersByTimeAsync(1);
  expect([journal.steps, loop.left]).toEqual([3, 10]);
  await vi.advanceTimersByTimeAsync(20_000);
  // Ten more came in with that one.
  expect([journal.steps, loop.left]).toEqual([4, 10]);
  loop.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(journal.steps).toBe(4);
});

it('moves it at once when more is in it than it may hold', async () => {
  const journal = new Journal();
  const loop = journal.loop();
  loop.note((journal.left = 100_000));
  await vi.advanceTimersByTimeAsync(1000);
  expect(journal.steps).toBe(0);
  loop.note((journal.left = 100_001));
  await vi.advanceTimersByTimeAsync(0);
  expect([journal.steps, loop.left]).toEqual([101, 0]);
  loop.stop();
});

it('lets what is to be committed go first, unless somebody waits for it', async () => {
  const journal = new Journal();
  const loop = journal.loop();
  journal.isFlood = true;
  loop.note((journal.left = 102_500));
  await vi.advanceTimersByTimeAsync(5000);
  expect(journal.steps).toBe(0);
  const asked = loop.finish();
  await vi.advanceTimersByTimeAsync(100);
  await asked;
  expect([journal.steps, loop.left]).toEqual([103, 0]);
  loop.note((journal.left = 101_000));
  await vi.advanceTimersByTimeAsync(5000);
  expect(journal.steps).toBe(103);
  journal.isFlood = false;
  await vi.advanceTimersByTimeAsync(100);
  expect([journal.steps, loop.left]).toEqual([204, 0]);
  loop.stop();
});

it('waits for the end of a flood no longer than until four times as much is in it as usual', async () => {
  const journal = new Journal();
  const loop = journal.loop();
  journal.isFlood = true;
  loop.note((journal.left = 400_000));
  await vi.advanceTimersByTimeAsync(5000);
  expect(journal.steps).toBe(0);
  loop.note((journal.left = 401_500));
  await vi.advanceTimersByTimeAsync(5000);
  // Until it may wait again.
  expect([journal.steps, loop.left]).toEqual([2, 399_500]);
  loop.stop();
});

it('asked to finish while it moves some, it moves what has come since, too', async () => {
  const journal = new Journal();
  journal.left = 1500;
  const loop = journal.loop();
  const asked: Promise<void>[] = [];
  journal.beforeStep = (step) => {
    if (step !== 2) return;
    loop.note((journal.left += 700));
    asked.push(loop.finish());
  };
  await loop.finish();
  await Promise.all(asked);
  expect(asked).toHaveLength(1);
  expect([journal.steps, loop.left]).toEqual([3, 0]);
  loop.stop();
});

it('says why a step failed, tries again soon, and takes it back', async () => {
  const journal = new Journal();
  journal.left = 1;
  journal.error = new Error('full');
  const loop = journal.loop();
  await loop.finish();
  expect([loop.problem, loop.left]).toEqual(['why: Error: full', 1]);
  await vi.advanceTimersByTimeAsync(2000);
  expect([journal.steps, loop.problem]).toEqual([2, 'why: Error: full']);
  // However long it grows, nothing is tried sooner.
  loop.note((journal.left = 150_000));
  await vi.advanceTimersByTimeAsync(1999);
  expect(journal.steps).toBe(2);
  journal.error = undefined;
  await vi.advanceTimersByTimeAsync(1);
  expect([loop.problem, loop.left]).toEqual([null, 0]);
  loop.stop();
});

it('hands on what was refused', async () => {
  const journal = new Journal();
  journal.left = 5;
  journal.rejection = 'broken';
  const loop = journal.loop();
  await loop.finish();
  expect(journal.rejected).toEqual([[2, 'broken']]);
  loop.stop();
});

it('moves at once what a former run left, where nothing is to be gathered', async () => {
  const journal = new Journal();
  journal.left = 1500;
  const loop = journal.loop({ most: 0 });
  await vi.advanceTimersByTimeAsync(0);
  expect([journal.steps, loop.left]).toEqual([2, 0]);
  loop.stop();
});
