import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, type Mock, vi } from 'vitest';
import { GULP_EVERY_MS, EventGulps } from '../../../src/asterisk/event-gulps.ts';

interface Rig {
  readonly gulps: EventGulps;
  readonly read: string[];
  readonly resume: Mock<Socket['resume']>;
  /** The socket has read so much; returns whether it reads on at once. */
  readonly bring: (text: string) => boolean;
}

function rig(): Rig {
  const gulps = new EventGulps();
  const read: string[] = [];
  const resume = vi.fn<Socket['resume']>();
  gulps.begin({ resume }, (bytes) => read.push(Buffer.from(bytes).toString()));
  const bring = (text: string): boolean => {
    const bytes = Buffer.from(text);
    return gulps.onread.callback(bytes.length, bytes);
  };
  return { gulps, read, resume, bring };
}

describe('EventGulps', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('hands on a read at once and then rests', () => {
    const { read, resume, bring } = rig();
    expect(bring('one')).toBe(false);
    expect(read).toEqual(['one']);
    vi.advanceTimersByTime(GULP_EVERY_MS - 1);
    expect(resume).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(resume).toHaveBeenCalledTimes(1);
    expect(bring('two')).toBe(false);
    expect(read).toEqual(['one', 'two']);
  });

  it('does not rest in a flood', () => {
    const { bring } = rig();
    expect(bring('x'.repeat(16_384))).toBe(true);
    expect(bring('x'.repeat(16_383))).toBe(false);
  });

  it('reads on at once, and without rests, while anybody is in a hurry', () => {
    const { gulps, resume, bring } = rig();
    bring('one');
    gulps.hurry();
    expect(resume).toHaveBeenCalledTimes(1);
    gulps.hurry();
    expect(bring('two')).toBe(true);
    gulps.relax();
    expect(bring('three')).toBe(true);
    gulps.relax();
    expect(bring('four')).toBe(false);
    vi.advanceTimersByTime(GULP_EVERY_MS);
    expect(resume).toHaveBeenCalledTimes(2);
  });

  it('leaves a closed socket alone', () => {
    const { gulps, resume, bring } = rig();
    bring('one');
    gulps.stop();
    gulps.hurry();
    vi.advanceTimersByTime(1000);
    expect(resume).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});
