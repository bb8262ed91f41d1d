import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { HistoryRecorder } from '../../../src/app/history-recorder.ts';
import type { HistoryChange } from '../../../src/model/record.ts';
import { local, reportBlock, Script } from '../calls/script.ts';

/** What the recorder gave the history, told apart by its hurries. */
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
  const historyRecorder = new HistoryRecorder({
    source: script.board,
    history: recorder,
    nowMs: () => script.atMs,
    onChannel: ({ uniqueid }) => seen.push(uniqueid),
  });
  return { script, recorder, seen, historyRecorder };
}

it('gathers what changes for 160 ms, and then has it committed at once, reports that came since too', () => {
  const { script, recorder, seen, historyRecorder } = setUp();
  script.up('1');
  vi.advanceTimersByTime(1000);
  historyRecorder.tick();
  expect(recorder.take()).toEqual(['channel 1', 'call 1', 'hurry']);
  script.wait(5).enter('bridge', '1');
  for (let tick = 0; tick < 3; tick++) {
    vi.advanceTimersByTime(50);
    historyRecorder.tick();
  }
  expect(recorder.take()).toEqual([]);
  vi.advanceTimersByTime(10);
  historyRecorder.tick();
  expect(recorder.take()).toEqual(['channel 1', 'call 1', 'hurry']);
  expect(seen).toEqual(['1', '1']);
  script.rtcp('1', local(reportBlock(250, 0)));
  script.atMs += 160;
  vi.advanceTimersByTime(160);
  historyRecorder.tick();
  expect(recorder.take()).toEqual(['interval', 'scores', 'hurry']);
});

it('stores new scores of a thousand calls within 4.5 s, about as many with each commit', () => {
  const { script, recorder, historyRecorder } = setUp();
  const calls = Array.from({ length: 1000 }, (_, index) => String(index + 1));
  for (const id of calls) script.up(id);
  const pass = (ms: number): string[] => {
    vi.advanceTimersByTime(ms);
    script.atMs += ms;
    historyRecorder.tick();
    return recorder.take().filter((entry) => entry === 'scores');
  };
  pass(1000);
  for (const id of calls) script.rtcp(id, local(reportBlock(250, 0)));
  const commits = Array.from({ length: 25 }, () => pass(180).length);
  // 180 ms of 4.5 s are 40 calls of 1000.
  expect(commits).toEqual(Array.from({ length: 25 }, () => 40));
  expect(pass(180)).toEqual([]);
});

it('leaves nothing behind when it is closed', () => {
  const { script, recorder, historyRecorder } = setUp();
  script.up('1');
  historyRecorder.close();
  expect(recorder.take()).toEqual(['channel 1', 'call 1']);
  vi.advanceTimersByTime(1000);
  expect(recorder.take()).toEqual([]);
});
