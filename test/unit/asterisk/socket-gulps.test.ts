import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, type Mock, vi } from 'vitest';
import { GULP_EVERY_MS, GulpBeat, SocketGulps } from '../../../src/asterisk/socket-gulps.ts';

interface Rig {
  readonly gulps: SocketGulps;
  readonly read: string[];
  readonly resume: Mock<Socket['resume']>;
  /** The socket has read so much; returns whether it reads on at once. */
  readonly bring: (text: string) => boolean;
}

function rig(beat?: GulpBeat, restBeats?: number): Rig {
  const gulps = new SocketGulps(beat, restBeats);
  const read: string[] = [];
  const resume = vi.fn<Socket['resume']>();
  gulps.begin({ resume }, (bytes) => read.push(Buffer.from(bytes).toString()));
  const bring = (text: string): boolean => {
    const bytes = Buffer.from(text);
    return gulps.onread.callback(bytes.length, bytes);
  };
  return { gulps, read, resume, bring };
}

describe('SocketGulps', () => {
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

  it('wakes those that share a beat at the same moment, and nobody for one that stopped', () => {
    const beat = new GulpBeat();
    const first = rig(beat);
    const second = rig(beat);
    first.bring('one');
    vi.advanceTimersByTime(GULP_EVERY_MS - 3);
    second.bring('two');
    vi.advanceTimersByTime(2);
    expect([first, second].map(({ resume }) => resume.mock.calls.length)).toEqual([0, 0]);
    vi.advanceTimersByTime(1);
    expect([first, second].map(({ resume }) => resume.mock.calls.length)).toEqual([1, 1]);
    first.bring('three');
    second.bring('four');
    first.gulps.hurry();
    second.gulps.stop();
    expect(vi.getTimerCount()).toBe(0);
    expect([first, second].map(({ resume }) => resume.mock.calls.length)).toEqual([2, 1]);
  });

  it('lets a socket that is in no hurry rest for several beats, and tells of each beat first', () => {
    const beats: number[] = [];
    const beat = new GulpBeat(() => beats.push(often.resume.mock.calls.length));
    const often = rig(beat);
    const seldom = rig(beat, 3);
    seldom.bring('answers');
    const woken = ['one', 'two', 'three'].map((text) => {
      often.bring(text);
      vi.advanceTimersByTime(GULP_EVERY_MS);
      return [often, seldom].map(({ resume }) => resume.mock.calls.length);
    });
    expect(woken).toEqual([
      [1, 0],
      [2, 0],
      [3, 1],
    ]);
    expect(beats).toEqual([0, 1, 2]);
    vi.advanceTimersByTime(10 * GULP_EVERY_MS);
    expect(beats).toHaveLength(3);
  });
});
