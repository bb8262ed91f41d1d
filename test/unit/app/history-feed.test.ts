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

it('gathers what changes for 160 ms, and then has it committed at once', () => {
  const { script, recorder, seen, feed } = setUp();
  script.up('1');
  vi.advanceTimersByTime(1000);
  feed.tick(false);
  expect(recorder.take()).toEqual(['channel 1', 'call 1', 'hurry']);
  script.wait(5).enter('bridge', '1');
  for (let tick = 0; tick < 3; tick++) {
    vi.advanceTimersByTime(50);
    feed.tick(false);
  }
  expect(recorder.take()).toEqual([]);
  vi.advanceTimersByTime(10);
  feed.tick(false);
  expect(recorder.take()).toEqual(['channel 1', 'call 1', 'hurry']);
  expect(seen).toEqual(['1', '1']);
  vi.advanceTimersByTime(1000);
  feed.tick(false);
  expect(recorder.take()).toEqual([]);
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

it('stores new channels with what else has changed when they go on coming, one a second at once', () => {
  const all = setUp();
  const { feed, recorder } = all;
  const beginFor = (seconds: number, from: number): string[] => {
    for (let pair = 0; pair < 20 * seconds; pair++) {
      begin(all, 2, 25, from + 2 * pair);
      feed.tick(false);
    }
    return recorder.take();
  };
  beginFor(5, 1);
  const lately = beginFor(5, 201);
  // Gathered five times a second.
  expect(hurries(lately)).toBeGreaterThanOrEqual(25);
  expect(hurries(lately)).toBeLessThanOrEqual(31);
  expect(lately.filter((entry) => entry.startsWith('channel '))).toHaveLength(200);
  vi.advanceTimersByTime(10_000);
  begin(all, 8, 25, 401);
  expect(hurries(recorder.take())).toBe(8);
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
  expect(ticks(3)).toEqual([]);
  script.hangup('2');
  expect(ticks(1)).toEqual(['channel 2', 'channel 1']);
  expect(ticks(35)).toEqual([]);
  expect(ticks(1)).toEqual(['channel 3']);
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
