import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { currentHistory } from '../../../src/app/current-history.ts';
import { type History, openHistory } from '../../../src/history/history.ts';
import type { HistoryChange } from '../../../src/model/record.ts';
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

function store(changes: readonly HistoryChange[]): void {
  for (const change of changes) history.record(change);
}

/** A call with two channels of which all is stored, and then two reports of one of them. */
function setUp() {
  const script = new Script(undefined, (interval) => history.record({ kind: 'interval', interval }));
  script.up('1').up('2', { linkedid: '1' }).up('3');
  store(script.board.drain(script.atMs));
  for (let n = 1; n <= 2; n++) script.wait(5).rtcp('1', local(reportBlock(250 * n, 10 * n)));
  return { script, current: currentHistory(history, script.board.current) };
}

it('has of a channel that is up its reports with the next commit, its scores within 5 s, the rest within a minute', async () => {
  const { script } = setUp();
  expect((await history.intervals('1'))?.length).toBe(2);
  const stored = async () => {
    const channel = await history.channel('1');
    return { mesRx: channel?.mesRx, reports: channel?.streams[0]?.reports, mes: channel?.streams[0]?.mes };
  };
  expect(await stored()).toEqual({ mesRx: null, reports: 0, mes: null });
  // Who asked nothing was told nothing: 4.5 s are the round of all calls.
  store(script.board.drain(script.atMs));
  const mesRx = script.board.current.channelNow('1')?.mesRx;
  expect(mesRx).toBeGreaterThan(1);
  expect(await stored()).toEqual({ mesRx, reports: 0, mes: mesRx });
  expect((await history.call('1'))?.mes).toBe(mesRx);
  script.wait(60).rtcp('1', local(reportBlock(750, 30)));
  store(script.board.drain(script.atMs));
  expect(await stored()).toMatchObject({ reports: 3 });
});

it('lays what is known now over the stored rows of a call, a channel and a list, and writes nothing', async () => {
  const { script, current } = setUp();
  await history.flush();
  const { committed } = history.stats();
  const now = script.board.liveChannels().find(({ uniqueid }) => uniqueid === '1');
  expect(now?.streams[0]).toMatchObject({ reports: 2, direction: 'rx' });
  expect(await current.channel('1')).toEqual(now);
  const call = await current.call('1');
  expect(call?.channels.map(({ uniqueid }) => uniqueid)).toEqual(['1', '2']);
  expect(call?.channels[0]).toEqual(now);
  expect(call?.mes).toBe(now?.mesRx);
  const { calls } = await current.calls({}, 10, null);
  expect(calls.find(({ linkedid }) => linkedid === '1')).toEqual(call);
  expect((await current.segments('1')).map(({ reports }) => reports)).toEqual([2]);
  expect(await current.intervals('1')).toHaveLength(2);
  await history.flush();
  expect(history.stats().committed).toBe(committed);
  expect(await history.channel('1')).toMatchObject({ mesRx: null });
});

it('has a call that began just now and is not stored, and none that never was', async () => {
  const { script, current } = setUp();
  script.up('9');
  expect((await current.call('9'))?.channels.map(({ uniqueid }) => uniqueid)).toEqual(['9']);
  expect((await current.channel('9'))?.linkedid).toBe('9');
  expect(await current.intervals('9')).toEqual([]);
  expect(await current.call('10')).toBeNull();
  expect(await current.channel('10')).toBeNull();
  expect(await current.intervals('10')).toBeNull();
});

it('has an ended call from its rows once it is forgotten', async () => {
  const { script, current } = setUp();
  script.hangup('1').hangup('2', { linkedid: '1' });
  const ended = await current.call('1');
  store(script.board.drain());
  script.wait(10);
  script.board.tick(script.atMs);
  expect(script.board.current.channelNow('1')).toBeNull();
  expect(await current.call('1')).toEqual(ended);
  expect(ended?.endedAtMs).toBeGreaterThan(0);
});

it('asked by the name of a call that was joined into another, has that one as it is now', async () => {
  const { script, current } = setUp();
  script.up('3', { linkedid: '1' });
  store(script.board.drain());
  script.wait(5).rtcp('1', local(reportBlock(750, 30)));
  const call = await current.call('3');
  expect(call?.linkedid).toBe('1');
  expect(call?.channels.map(({ uniqueid }) => uniqueid).toSorted()).toEqual(['1', '2', '3']);
  expect(call?.channels.find(({ uniqueid }) => uniqueid === '1')?.streams[0]?.reports).toBe(3);
});
