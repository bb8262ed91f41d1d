import { expect, it } from 'vitest';
import { SteadyClock } from '../../../src/app/state/steady-clock.ts';

const START_MS = 1_795_000_000_000;
const HOUR_MS = 3_600_000;

it('goes on as before when the system clock is set, until it is told to follow', () => {
  let wallMs = START_MS;
  let monotonicMs = 5000;
  const clock = new SteadyClock(
    () => wallMs,
    () => monotonicMs,
  );
  const pass = (ms: number, slewedMs = ms): void => {
    monotonicMs += ms;
    wallMs += slewedMs;
  };
  expect(clock.nowMs()).toBe(START_MS);
  pass(2000);
  expect(clock.nowMs()).toBe(START_MS + 2000);
  for (const stepMs of [HOUR_MS, -HOUR_MS, -HOUR_MS]) {
    const beforeMs = clock.nowMs();
    wallMs += stepMs;
    pass(50);
    expect(clock.nowMs()).toBe(beforeMs + 50);
    expect(clock.follow()).toBe(stepMs);
    expect(clock.nowMs()).toBe(beforeMs + 50 + stepMs);
    expect(clock.follow()).toBe(0);
  }
  // Slewed by 500 parts per million, as NTP does: followed, and nothing to speak of.
  for (let n = 0; n < 100_000; n++) {
    pass(50, 50.025);
    expect(clock.follow()).toBe(0);
  }
  expect(clock.nowMs()).toBe(Math.round(wallMs));
});
