import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Ticker } from '../../../src/app/state/ticker.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function ticking() {
  const atMs: number[] = [];
  const beganAtMs = performance.now();
  const ticker = new Ticker(() => atMs.push(performance.now() - beganAtMs));
  return { ticker, atMs };
}

it('ticks every 65 ms by itself, from its start to its end', () => {
  const { ticker, atMs } = ticking();
  ticker.remind();
  vi.advanceTimersByTime(500);
  expect(atMs).toEqual([]);
  ticker.start();
  vi.advanceTimersByTime(200);
  expect(atMs).toEqual([565, 630, 695]);
  ticker.stop();
  vi.advanceTimersByTime(200);
  ticker.remind();
  expect(atMs).toHaveLength(3);
});

it('ticks when reminded, but not sooner than 50 ms after the last time, and by itself after that', () => {
  const { ticker, atMs } = ticking();
  ticker.start();
  for (let reminder = 1; reminder <= 10; reminder++) {
    vi.advanceTimersByTime(16);
    ticker.remind();
  }
  // At every fourth of them.
  expect(atMs).toEqual([64, 128]);
  vi.advanceTimersByTime(70);
  expect(atMs).toEqual([64, 128, 193]);
});
