import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { currentHistory } from '../../../src/app/current-history.ts';
import { HistoryFeed } from '../../../src/app/history-feed.ts';
import { type History, openHistory } from '../../../src/history/history.ts';
import { local, reportBlock, Script } from '../calls/script.ts';

const KEPT_MS = 1e12;

let folder: string;
let history: History;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mes-current-'));
  const clock = { nowMs: () => 0 };
  history = await openHistory({
    path: join(folder, 'mes.sqlite'),
    keepIntervalsMs: KEPT_MS,
    keepCallsMs: KEPT_MS,
    clock,
  });
});
afterEach(async () => {
  await history.close();
  rmSync(folder, { recursive: true });
});

/** A call with two channels of which all is stored, and then two reports of one of them. */
function setUp() {
  const script = new Script(undefined, (interval) => history.record({ kind: 'interval', interval }));
  script.up('1').up('2', { linkedid: '1' }).up('3');
  let laterMs = 0;
  const later = (ms: number): void => void (laterMs = ms);
  const nowMs = (): number => script.atMs + laterMs;
  const feed = new HistoryFeed({ source: script.board, history, nowMs, onChannel: () => {} });
  feed.storeAll();
  for (let n = 1; n <= 2; n++) script.wait(5).rtcp('1', local(reportBlock(250 * n, 10 * n)));
  // Of another one there is nothing else: what is due is stored, and only that.
  feed.storeCall('3');
  return { script, feed, later, current: currentHistory(history, feed) };
}

it('of a channel that is up the reports are stored with the next few, its state within a minute', async () => {
  const { feed, later } = setUp();
  const reports = async (): Promise<number[]> => {
    const channel = await history.channel('1');
    return channel?.streams.map((stream) => stream.reports) ?? [];
  };
  expect((await history.intervals('1'))?.length).toBe(2);
  expect(await reports()).toEqual([0, 0]);
  later(54_999);
  feed.storeCall('3');
  expect(await reports()).toEqual([0, 0]);
  later(55_000);
  feed.storeCall('3');
  expect(await reports()).toEqual([2, 0]);
});

it('whoever asks for a call, a channel, a list or a ranking gets what is known now', async () => {
  const rxReports = (channel: { streams: readonly { reports: number }[] } | undefined | null): number =>
    channel?.streams[0]?.reports ?? -1;
  const asked = await setUp().current.channel('1');
  expect(rxReports(asked)).toBe(2);
  expect(asked?.mesRx).toBeGreaterThan(1);

  const byCall = await setUp().current.call('1');
  expect(byCall?.channels.map(rxReports)).toEqual([2, 0]);
  expect(byCall?.mes).toBeGreaterThan(1);

  const list = await setUp().current.calls({ minMes: 1 }, 10, null);
  expect(list.calls.map(({ linkedid }) => linkedid)).toEqual(['1']);
  expect(list.calls[0]?.channels.map(rxReports)).toEqual([2, 0]);

  const { current, script } = setUp();
  const range = { fromMs: 0, toMs: script.atMs + 1 };
  const { endpoints } = await current.endpoints(range);
  expect(endpoints.map(({ endpoint, scoredCalls }) => `${endpoint} ${scoredCalls}`).toSorted()).toEqual([
    'PJSIP/phone1 1',
    'PJSIP/phone2 0',
    'PJSIP/phone3 0',
  ]);
  expect((await setUp().current.segments('1')).map(({ reports }) => reports)).toEqual([2]);
});

it('asked by the name of a call that was joined into another, it has that one as it is now', async () => {
  const { script, feed, current } = setUp();
  script.up('3', { linkedid: '1' });
  feed.storeAll();
  script.wait(5).rtcp('1', local(reportBlock(750, 30)));
  const call = await current.call('3');
  expect(call?.linkedid).toBe('1');
  expect(call?.channels.find(({ uniqueid }) => uniqueid === '1')?.streams[0]?.reports).toBe(3);
});
