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
  const script = new Script();
  const recorder = new Recorder();
  const seen: string[] = [];
  const feed = new HistoryFeed({
    source: script.board,
    history: recorder,
    onChannel: ({ uniqueid }) => seen.push(uniqueid),
  });
  return { script, recorder, seen, feed };
}

it('stores a channel at once when it is first seen, with its call, and nothing else', () => {
  const { script, recorder, seen, feed } = setUp();
  script.up('1');
  feed.store();
  expect(recorder.take()).toEqual(['channel 1', 'call 1']);
  script.rtcp('1', local(reportBlock(250, 0)));
  feed.noteNew();
  vi.advanceTimersByTime(1000);
  expect(recorder.take()).toEqual([]);

  script.up('2');
  feed.noteNew();
  vi.advanceTimersByTime(1);
  expect(recorder.take()).toEqual(['channel 2', 'call 2', 'hurry']);
  expect(seen).toEqual(['1', '2']);
  feed.store();
  expect(recorder.take().filter((entry) => entry.endsWith('2'))).toEqual([]);
  feed.store();
  expect(recorder.take()).toEqual([]);
});

it('stores new channels together when many begin, at least 20 ms apart', () => {
  const { script, recorder, feed } = setUp();
  for (let channel = 1; channel <= 100; channel++) {
    script.up(String(channel));
    feed.noteNew();
    vi.advanceTimersByTime(1);
  }
  const log = recorder.take();
  const hurries = log.filter((entry) => entry === 'hurry').length;
  expect(hurries).toBeGreaterThanOrEqual(3);
  expect(hurries).toBeLessThanOrEqual(6);
  vi.advanceTimersByTime(20);
  const all = [...log, ...recorder.take()].filter((entry) => entry.startsWith('channel '));
  expect(all).toEqual(Array.from({ length: 100 }, (_, index) => `channel ${index + 1}`));
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
