import Sqlite from 'better-sqlite3';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openHistory } from '../../../src/history/history.ts';
import type { ChannelRecord } from '../../../src/model/record.ts';
import { callRecord, channelRecord, START_MS } from './records.ts';

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

async function openedHistory() {
  const folder = mkdtempSync(join(tmpdir(), 'mes-groups-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'mes.sqlite');
  const clock = { nowMs: () => START_MS + HOUR_MS };
  return { path, history: await openHistory({ path, keepIntervalsMs: YEAR_MS, keepCallsMs: YEAR_MS, clock }) };
}

it('counts when endpoints had calls, and which of these show that something is there', async () => {
  const { history } = await openedHistory();
  const add = (id: string, part: Partial<ChannelRecord>): void => {
    const common = {
      linkedid: 'c',
      startedAtMs: START_MS,
      answeredAtMs: START_MS + 1000,
      endedAtMs: START_MS + 60_000,
    };
    history.record({ kind: 'channel', channel: channelRecord(id, { ...common, ...part }), resume: null });
  };
  history.record({ kind: 'call', call: callRecord('c', { startedAtMs: START_MS, endedAtMs: START_MS + 60_000 }) });
  const trunk = { endpoint: 'PJSIP/trunk', site: 'Bern' };
  add('c', { endpoint: 'PJSIP/alice', site: null, answeredAtMs: null });
  add('c.2', { ...trunk, answeredAtMs: null });
  add('c.3', trunk);
  add('c.4', { ...trunk, endedAtMs: START_MS + 1_000_000 });
  add('c.5', { endpoint: 'PJSIP/up', endedAtMs: null });
  add('c.6', { endpoint: 'PJSIP/later', endedAtMs: START_MS + 2_000_000 });
  const ask = (fromMs: number) => {
    const range = { fromMs, toMs: START_MS + 1, endedBeforeMs: START_MS + 2_000_000 };
    return history.features.read('alerts', 'ends', { ...range, stretchMs: 900_000 });
  };
  try {
    await expect.poll(async () => (await ask(START_MS)).length).toBe(3);
    const first = Math.floor((START_MS + 60_000) / 900_000);
    const second = Math.floor((START_MS + 1_000_000) / 900_000);
    expect(second).toBeGreaterThan(first);
    const alice = { endpoint: 'PJSIP/alice', site: null, stretch: first, legs: 1, alive: 1 };
    expect(await ask(START_MS)).toEqual([
      { ...alice, lastAliveMs: START_MS + 60_000 },
      { ...trunk, stretch: first, legs: 2, alive: 1, lastAliveMs: START_MS + 60_000 },
      { ...trunk, stretch: second, legs: 1, alive: 1, lastAliveMs: START_MS + 1_000_000 },
    ]);
    expect(await ask(START_MS + 1)).toEqual([]);
  } finally {
    await history.close();
  }
});

it('sums the legs of each device and site of a time, and what nobody knows counts nowhere', async () => {
  const { path, history } = await openedHistory();
  const add = (id: string, atMs: number, part: Partial<ChannelRecord>): void => {
    const common = { startedAtMs: atMs, answeredAtMs: atMs + 1000, endedAtMs: atMs + 60_000 };
    history.record({ kind: 'channel', channel: channelRecord(id, { ...common, ...part }), resume: null });
    history.record({ kind: 'call', call: callRecord(id, { startedAtMs: atMs, endedAtMs: atMs + 60_000 }) });
  };
  const snom = { device: 'Snom D785', site: 'Bern' };
  add('1.1', START_MS, { ...snom, verdict: 'bad', mes: 2 });
  add('2.1', START_MS, { ...snom, verdict: 'good', mes: 4 });
  add('3.1', START_MS, { ...snom, verdict: 'too-short', mes: null });
  add('4.1', START_MS, { ...snom, verdict: 'bad', mes: 1, answeredAtMs: null });
  add('5.1', START_MS - 1, { ...snom, verdict: 'bad', mes: 1 });
  add('6.1', START_MS + HOUR_MS, { ...snom, verdict: 'bad', mes: 1 });
  add('7.1', START_MS, { device: 'Yealink T46S', site: null, verdict: 'one-way-rx', mes: 3 });
  add('8.1', START_MS, { device: null, site: 'Bern', verdict: 'good', mes: 4 });
  const range = { fromMs: START_MS, toMs: START_MS + HOUR_MS };
  const groups = (by: 'device' | 'site') => history.features.read('alerts', 'groups', { ...range, by });
  try {
    await expect.poll(async () => (await groups('site'))[0]?.legs).toBe(4);
    expect(await groups('device')).toEqual([
      { name: 'Snom D785', legs: 3, judgedLegs: 2, badLegs: 1, scored: 2, mesSum: 6 },
      { name: 'Yealink T46S', legs: 1, judgedLegs: 1, badLegs: 1, scored: 1, mesSum: 3 },
    ]);
    expect(await groups('site')).toEqual([{ name: 'Bern', legs: 4, judgedLegs: 3, badLegs: 1, scored: 3, mesSum: 10 }]);
    const database = new Sqlite(path, { readonly: true });
    expect(database.prepare('SELECT count(*) FROM channels').pluck().get()).toBe(8);
    database.close();
  } finally {
    await history.close();
  }
});

it('counts other answered calls that were up at the time of one, by the worst of their legs', async () => {
  const { history } = await openedHistory();
  const add = (id: string, part: Partial<ChannelRecord> = {}): void => {
    const times = { startedAtMs: START_MS, answeredAtMs: START_MS, endedAtMs: START_MS + 1000 };
    const linkedid = `${id.split('.', 1)[0]}.1`;
    const channel = channelRecord(id, { linkedid, ...times, verdict: 'good', ...part });
    history.record({ kind: 'channel', channel, resume: null });
    history.record({
      kind: 'call',
      call: callRecord(linkedid, { startedAtMs: channel.startedAtMs, endedAtMs: channel.endedAtMs }),
    });
  };
  add('1.1', { verdict: 'bad' });
  add('2.1', { startedAtMs: START_MS + 500 });
  add('3.1', { startedAtMs: START_MS - 9000, endedAtMs: START_MS });
  for (const id of ['4.1', '5.1', '6.1', '7.1']) add(id);
  add('4.2', { verdict: 'one-way-rx' });
  add('8.1', { verdict: 'no-rtcp' });
  add('9.1', { answeredAtMs: null });
  const span = { linkedid: '1.1', fromMs: START_MS, toMs: START_MS + 500 };
  try {
    await expect
      .poll(() => history.features.read('alerts', 'callsBeside', span))
      .toEqual({ calls: 5, judgedCalls: 4, badCalls: 1 });
    const later = { ...span, fromMs: START_MS + 1000, toMs: START_MS + 2000 };
    expect(await history.features.read('alerts', 'callsBeside', later)).toEqual({
      calls: 0,
      judgedCalls: 0,
      badCalls: 0,
    });
  } finally {
    await history.close();
  }
});
