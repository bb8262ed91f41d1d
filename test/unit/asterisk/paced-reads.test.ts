import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, type Mock, vi } from 'vitest';
import { READ_EVERY_MS, ReadPace, PacedReads } from '../../../src/asterisk/ami/paced-reads.ts';

interface Rig {
  readonly reads: PacedReads;
  readonly read: string[];
  readonly resume: Mock<Socket['resume']>;
  /** The socket has read so much; returns whether it reads on at once. */
  readonly bring: (text: string) => boolean;
}

function rig(pace?: ReadPace, restTurns?: number): Rig {
  const reads = new PacedReads(pace, restTurns);
  const read: string[] = [];
  const resume = vi.fn<Socket['resume']>();
  reads.begin({ resume }, (bytes) => read.push(Buffer.from(bytes).toString()));
  const bring = (text: string): boolean => {
    const bytes = Buffer.from(text);
    return reads.onread.callback(bytes.length, bytes);
  };
  return { reads, read, resume, bring };
}

describe('PacedReads', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('hands on a read at once and then rests', () => {
    const { read, resume, bring } = rig();
    expect(bring('one')).toBe(false);
    expect(read).toEqual(['one']);
    vi.advanceTimersByTime(READ_EVERY_MS - 1);
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
    const { reads, resume, bring } = rig();
    bring('one');
    reads.hurry();
    expect(resume).toHaveBeenCalledTimes(1);
    reads.hurry();
    expect(bring('two')).toBe(true);
    reads.relax();
    expect(bring('three')).toBe(true);
    reads.relax();
    expect(bring('four')).toBe(false);
    vi.advanceTimersByTime(READ_EVERY_MS);
    expect(resume).toHaveBeenCalledTimes(2);
  });

  it('leaves a closed socket alone', () => {
    const { reads, resume, bring } = rig();
    bring('one');
    reads.stop();
    reads.hurry();
    vi.advanceTimersByTime(1000);
    expect(resume).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('wakes those that share a pace at the same moment, and nobody for one that stopped', () => {
    const pace = new ReadPace();
    const first = rig(pace);
    const second = rig(pace);
    first.bring('one');
    vi.advanceTimersByTime(READ_EVERY_MS - 3);
    second.bring('two');
    vi.advanceTimersByTime(2);
    expect([first, second].map(({ resume }) => resume.mock.calls.length)).toEqual([0, 0]);
    vi.advanceTimersByTime(1);
    expect([first, second].map(({ resume }) => resume.mock.calls.length)).toEqual([1, 1]);
    first.bring('three');
    second.bring('four');
    first.reads.hurry();
    second.reads.stop();
    expect(vi.getTimerCount()).toBe(0);
    expect([first, second].map(({ resume }) => resume.mock.calls.length)).toEqual([2, 1]);
  });

  it('lets a socket that is in no hurry rest for several turns, and calls back first in each turn', () => {
    const turns: number[] = [];
    const pace = new ReadPace(() => turns.push(often.resume.mock.calls.length));
    const often = rig(pace);
    const seldom = rig(pace, 3);
    seldom.bring('answers');
    const woken = ['one', 'two', 'three'].map((text) => {
      often.bring(text);
      vi.advanceTimersByTime(READ_EVERY_MS);
      return [often, seldom].map(({ resume }) => resume.mock.calls.length);
    });
    expect(woken).toEqual([
      [1, 0],
      [2, 0],
      [3, 1],
    ]);
    expect(turns).toEqual([0, 1, 2]);
    vi.advanceTimersByTime(10 * READ_EVERY_MS);
    expect(turns).toHaveLength(3);
  });
});
