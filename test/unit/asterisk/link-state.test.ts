import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  backOffMs,
  DEFAULT_BACK_OFF,
  keepLinked,
  type LinkEnd,
  type LinkState,
} from '../../../src/asterisk/link-state.ts';

describe('backOffMs', () => {
  it('doubles from 0.5 s to 15 s, half of it random', () => {
    expect([0, 1, 2, 5, 99].map((attempt) => backOffMs(attempt, DEFAULT_BACK_OFF, () => 0))).toEqual([
      250, 500, 1000, 7500, 7500,
    ]);
    expect([0, 1, 5].map((attempt) => backOffMs(attempt, DEFAULT_BACK_OFF, () => 1))).toEqual([500, 1000, 15_000]);
  });

  it('stays in its bounds for ever', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
        const waitMs = backOffMs(attempt, DEFAULT_BACK_OFF, () => random);
        expect(waitMs).toBeGreaterThanOrEqual(250);
        expect(waitMs).toBeLessThanOrEqual(15_000);
      }),
    );
  });
});

describe('keepLinked', () => {
  async function run(ends: readonly LinkEnd[]): Promise<{ states: LinkState[]; opened: number }> {
    const states: LinkState[] = [];
    const stop = new AbortController();
    let opened = 0;
    await keepLinked({
      openOnce: (onConnected) => {
        const end = ends[opened++];
        if (end?.wasConnected === true) onConnected();
        if (end === undefined) stop.abort();
        return Promise.resolve(end ?? { fatal: false, problem: 'end of script', wasConnected: false });
      },
      onState: (state) => states.push(state),
      signal: stop.signal,
      random: () => 0,
      backOff: { minMs: 1, maxMs: 2 },
    });
    return { states, opened };
  }
  const refused: LinkEnd = { fatal: false, problem: 'refused', wasConnected: false };
  const lost: LinkEnd = { fatal: false, problem: 'lost', wasConnected: true };
  const denied: LinkEnd = { fatal: true, problem: 'wrong secret', wasConnected: false };

  it('tells each change once, not each try', async () => {
    const { states, opened } = await run([refused, refused, refused, lost, refused, refused, lost]);
    expect(opened).toBe(8);
    expect(states).toEqual([
      { status: 'connecting' },
      { status: 'waiting', problem: 'refused' },
      { status: 'connected' },
      { status: 'waiting', problem: 'lost' },
      { status: 'waiting', problem: 'refused' },
      { status: 'connected' },
      { status: 'waiting', problem: 'lost' },
    ]);
  });

  it('gives up on what cannot be helped, but not once it has worked', async () => {
    const first = await run([refused, denied]);
    expect(first.opened).toBe(2);
    expect(first.states.at(-1)).toEqual({ status: 'failed', problem: 'wrong secret' });
    const later = await run([lost, denied, lost]);
    expect(later.opened).toBe(4);
    expect(later.states.some((state) => state.status === 'failed')).toBe(false);
  });
});
