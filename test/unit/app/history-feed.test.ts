import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { HistoryFeed } from '../../../src/app/history-feed.ts';
import type { HistoryChange } from '../../../src/model/record.ts';
import { local, reportBlock, Script } from '../calls/script.ts';

/** What the feed gave the history, told apart by its hurries. */
class Recorder {
  readonly log: string[] = [];

  record(change: HistoryChange): void {
    if (change.kind === 'channel') this.log.push(`channel ${change.channel.uniqueid}`);
    else if (change.kind === 'call') this.log.push(`call ${change.call.linkedid}`);
    else this.log.push(change.kind);
  }

  hurry(): void {
    this.log.push('hurry');
  }

  take(): string[] {
    return this.log.splice(0);
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp() {
  const recorder = new Recorder();
  const script = new Script(undefined, () => void recorder.log.push('interval'));
  const seen: string[] = [];
  const feed = new HistoryFeed({
    source: script.board,
    history: recorder,
    nowMs: () => script.atMs,
    onChannel: ({ uniqueid }) => seen.push(uniqueid),
  });
  return { script, recorder, seen, feed };
}

/** Begins a channel every so often, each noted as the sidecar does. */
function begin({ script, feed }: ReturnType<typeof setUp>, count: number, everyMs: number, from = 1): void {
  for (let channel = from; channel < from + count; channel++) {
    script.up(String(channel));
    feed.noteNew();
    vi.advanceTimersByTime(everyMs);
  }
}

const hurries = (log: readonly string[]): number => log.filter((entry) => entry === 'hurry').length;

it('gathers what changes for 150 ms', () => {
  const { script, recorder, seen, feed } = setUp();
  script.up('1');
  vi.advanceTimersByTime(1000);
  feed.tick(false);
  expect(recorder.take()).toEqual(['channel 1', 'call 1']);
  script.wait(5).enter('bridge', '1');
  for (let tick = 0; tick < 2; tick++) {
    vi.advanceTimersByTime(50);
    feed.tick(false);
  }
  expect(recorder.take()).toEqual([]);
  vi.advanceTimersByTime(50);
  feed.tick(false);
  expect(recorder.take()).toEqual(['channel 1', 'call 1']);
  expect(seen).toEqual(['1', '1']);
});

it('stores a channel at once when it is first seen, with what it counts already', () => {
  const { script, recorder, feed } = setUp();
  vi.advanceTimersByTime(1000);
  script.up('1').rtcp('1', local(reportBlock(250, 0)));
  feed.noteNew();
  vi.advanceTimersByTime(1);
  expect(recorder.take()).toEqual(['interval', 'channel 1', 'segment', 'call 1', 'hurry']);
  feed.noteNew();
  vi.advanceTimersByTime(1000);
  expect(recorder.take()).toEqual([]);
});

it('stores new channels at least 20 ms apart, and as many as come then together', () => {
  const all = setUp();
  begin(all, 100, 1);
  const log = all.recorder.take();
  expect(hurries(log)).toBeGreaterThanOrEqual(3);
  expect(hurries(log)).toBeLessThanOrEqual(6);
  vi.advanceTimersByTime(20);
  const stored = [...log, ...all.recorder.take()].filter((entry) => entry.startsWith('channel '));
  expect(stored).toEqual(Array.from({ length: 100 }, (_, index) => `channel ${index + 1}`));
});

it('does so five times a second when they go on coming', () => {
  const all = setUp();
  begin(all, 100, 25);
  all.recorder.take();
  begin(all, 200, 25, 101);
  // Five seconds.
  const lately = hurries(all.recorder.take());
  expect(lately).toBeGreaterThanOrEqual(23);
  expect(lately).toBeLessThanOrEqual(27);
  vi.advanceTimersByTime(2000);
  all.recorder.take();
  begin(all, 8, 25, 301);
  expect(hurries(all.recorder.take())).toBe(8);
});

it('in a flood, stores the calls that are over, and those that are up every 2 s and when it is over', () => {
  const { script, feed, recorder } = setUp();
  const tick = (isFlood: boolean): string[] => {
    vi.advanceTimersByTime(50);
    feed.tick(isFlood);
    feed.noteNew();
    return recorder.take().filter((entry) => /^(channel|hurry)/.test(entry));
  };
  const ticks = (count: number): string[] => Array.from({ length: count }, () => tick(true)).flat();
  vi.advanceTimersByTime(3000);
  script.up('1');
  expect(tick(true)).toEqual(['channel 1']);
  script.up('2').up('3').hangup('1');
  expect(ticks(2)).toEqual([]);
  script.hangup('2');
  expect(ticks(1)).toEqual(['channel 2', 'channel 1']);
  expect(ticks(36)).toEqual([]);
  expect(ticks(3)).toEqual(['channel 3']);
  script.up('4').hangup('3');
  expect(tick(true)).toEqual([]);
  expect(tick(false)).toEqual(['channel 4', 'channel 3', 'hurry']);
  script.hangup('4');
  expect(tick(false)).toEqual([]);
});

it('leaves nothing behind when it is closed', () => {
  const { script, recorder, feed } = setUp();
  script.up('1');
  feed.noteNew();
  feed.close();
  expect(recorder.take()).toEqual(['channel 1', 'call 1']);
  vi.advanceTimersByTime(1000);
  expect(recorder.take()).toEqual([]);
});
