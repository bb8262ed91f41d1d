import { expect, test } from 'vitest';
import { type ChannelState, newChannel } from '../../../src/calls/channels/channel-state.ts';
import { LiveChannels } from '../../../src/calls/live-channels.ts';
import { goldenNames, readGolden } from '../golden.ts';
import { Script } from './script.ts';

const MINUTE_MS = 60_000;
const MOST = 100;

function channel(uniqueid: string, lastSeenAtMs: number): ChannelState {
  const snapshot = { uniqueid, linkedid: uniqueid, name: `PJSIP/${uniqueid}`, stateNumber: 6 };
  return newChannel(snapshot, lastSeenAtMs, lastSeenAtMs, false);
}

test('the oldest that is silent is given up when there are too many, and none before', () => {
  const live = new LiveChannels(3);
  const [talking, silent, later] = [channel('1', 0), channel('2', 0), channel('3', 0)];
  expect([talking, silent, later].map((one) => live.add(one, 0))).toEqual([undefined, undefined, undefined]);
  talking.lastSeenAtMs = 59 * MINUTE_MS;
  expect(live.add(channel('4', 60 * MINUTE_MS), 60 * MINUTE_MS)).toBe(silent);
  live.delete(silent);
  expect(live.size).toBe(3);
  expect(live.add(channel('5', 60 * MINUTE_MS), 60 * MINUTE_MS)).toBe(later);
});

test('one goes also where all of them talk', () => {
  const live = new LiveChannels(2);
  const all = ['1', '2', '3'].map((uniqueid) => channel(uniqueid, 0));
  const givenUp = all.map((one) => live.add(one, 1000));
  expect(givenUp.slice(0, 2)).toEqual([undefined, undefined]);
  expect(all).toContain(givenUp[2]);
});

test('tens of thousands more than there may be, all talking, cost no more each than the first ones', () => {
  const most = 40_000;
  const live = new LiveChannels(most);
  // Only when it was last seen matters here.
  const talking = (): ChannelState => ({ endedAtMs: null, lastSeenAtMs: 0 }) as ChannelState;
  for (let n = 0; n < most; n++) live.add(talking(), 0);
  const startMs = performance.now();
  for (let n = 0; n < 5000; n++) {
    const givenUp = live.add(talking(), 0);
    if (givenUp === undefined) throw new Error('none was given up');
    live.delete(givenUp);
  }
  expect(live.size).toBe(most);
  // Some 30 ms. A search from the beginning for each look took a minute.
  expect(performance.now() - startMs).toBeLessThan(5000);
});

test('channels that are never hung up end as vanished when they were last heard of, are counted, and are forgotten', () => {
  const script = new Script(undefined, undefined, true, MOST);
  const beganAtMs = script.atMs;
  for (let n = 0; n < MOST; n++) script.up(`c${n}`);
  script.board.drain();
  expect([script.board.liveCount, script.board.counters.channelsGivenUp]).toEqual([MOST, 0]);
  script.wait(3600);
  for (let n = 0; n < 10; n++) script.up(`later${n}`);
  expect([script.board.liveCount, script.board.counters.channelsGivenUp]).toEqual([MOST, 10]);
  const stored = script.board.drain().flatMap((change) => (change.kind === 'channel' ? [change.channel] : []));
  const ended = stored.filter(({ endedAtMs }) => endedAtMs !== null);
  expect(ended.map(({ uniqueid }) => uniqueid)).toEqual(Array.from({ length: 10 }, (_, n) => `c${n}`));
  expect(ended.every(({ endReason, endedAtMs }) => endReason === 'vanished' && endedAtMs === beganAtMs)).toBe(true);
  expect(script.board.liveUniqueids()).toContain('later9');
  script.wait(60);
  script.board.tick(script.atMs);
  expect(script.board.known.uniqueids).toHaveLength(MOST);
});

test.each(goldenNames())('%s: what is watched of a channel is what its record says', (name) => {
  const script = new Script();
  let judged = 0;
  for (const event of readGolden(name).events) {
    script.board.tick(event.atMs);
    script.board.handle(event);
    if (!('channel' in event)) continue;
    const { uniqueid } = event.channel;
    const media = script.board.liveMedia(uniqueid);
    expect({ ...script.board.liveChannel(uniqueid) }).toMatchObject({ ...media });
    expect(media === null).toBe(script.board.liveChannel(uniqueid) === null);
    judged += Number((media?.verdict ?? null) !== null);
    // Asterisk's own counters outrank the reports.
    const counters = { rxPackets: 1_000_000 + judged, rxLostPackets: 1000 };
    script.board.handle({ type: 'counters', atMs: event.atMs, uniqueid, counters });
  }
  expect(script.board.liveMedia('nobody')).toBeNull();
  expect(judged).toBeGreaterThan(0);
});
