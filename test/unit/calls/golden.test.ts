import { describe, expect, test } from 'vitest';
import type { IntervalRecord } from '../../../src/model/record.ts';
import { mesProfile } from '../../../src/score/profiles.ts';
import { goldenNames, readGolden } from '../golden.ts';
import { Script } from './script.ts';

/** Asterisk prints its score with one decimal, and the round trip that it takes with 0.1 ms. */
const NATIVE_TOLERANCE = 0.1;

function play(name: string, profile = mesProfile('documented')): Script {
  const script = new Script(profile);
  for (const event of readGolden(name).events) {
    script.atMs = event.atMs;
    script.board.tick(event.atMs);
    script.board.handle(event);
  }
  return script;
}

function allIntervals(script: Script): IntervalRecord[] {
  return script.stored().flatMap((change) => (change.kind === 'interval' ? [change.interval] : []));
}

/** The last stored state of every channel that carried RTP, in the order of their creation. */
function parties(script: Script): ReturnType<Script['channel']>[] {
  const uniqueids = new Set(
    script.stored().flatMap((change) => (change.kind === 'channel' ? [change.channel.uniqueid] : [])),
  );
  return [...uniqueids].map((uniqueid) => script.channel(uniqueid)).filter(({ name }) => name.startsWith('PJSIP/'));
}

/** The published formula by hand, loss counted over 5 s: 625 R a whole; 55 ms of latency, as the lab's networks have, cost 1.4. */
function opinionByHand({ lost, seen }: { lost: number; seen: number }): number {
  const r = 93.2 - 55 / 40 - (lost / seen) * 250 * 2.5;
  return 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;
}

/** Of a second or so of 50 packets, 3 % of which are lost: more than 8 lost are no chance (1 in 10,000). */
const MOST_LOST_IN_A_REPORT = 8;

describe('transcripts of real Asterisks', () => {
  test.each(goldenNames())('%s: every event of ours can be read', (name) => {
    const golden = readGolden(name);
    expect(golden.malformed).toBe(0);
    expect(golden.events.length).toBeGreaterThan(20);
    expect(golden.facts.asterisk_version).toMatch(name.startsWith('22') ? /^22\./ : /^16\./);
  });

  test.each(['16-baresip-blind-transfer', '22-baresip-blind-transfer', '22-baresip-queue'])(
    '%s: a phone that goes on about an SSRC of before leaves the direction unknown, never dead',
    (name) => {
      const betty = parties(play(name)).find((channel) => channel.name.startsWith('PJSIP/betty'));
      // By hand: no loss, less than a millisecond of round trip; latency 10 costs 0.25.
      expect(betty?.mesRx).toBeCloseTo(4.4, 2);
      expect(betty?.mesTx).toBeNull();
      expect(betty?.mes).toBeCloseTo(4.4, 2);
      expect(betty?.verdict).toBe('good');
      expect(betty?.streams[1]?.verdict).not.toMatch(/bad|no-media/);
      expect(betty?.streams[1]?.why).toMatch(/about a stream that this server does not send any more/);
    },
  );

  test('16-baresip-queue: two blocks whose first is about our SSRC of now are as good as one', () => {
    const betty = parties(play('16-baresip-queue')).find((channel) => channel.name.startsWith('PJSIP/betty'));
    expect(betty?.mesTx).toBeCloseTo(4.4, 2);
    expect(betty?.streams[1]).toMatchObject({ reports: 3, packetsLost: 0, verdict: 'good' });
  });

  test.each(['16-baresip-queue', '22-baresip-queue'])(
    "%s: the agent's loss is what the relay counted, and the queue's first call is no fault of the caller's",
    (name) => {
      const boris = parties(play(name)).find((channel) => channel.name.startsWith('PJSIP/boris'));
      const truth = readGolden(name).facts.relay['boris tx'] ?? { seen: 1, lost: 0 };
      const lossPercent = boris?.streams[1]?.lossPercent ?? 0;
      // The last seconds are after the last report.
      expect(Math.abs(lossPercent - (100 * truth.lost) / truth.seen)).toBeLessThan(2);
      expect(boris?.mesTx).toBeGreaterThan(1);
      expect(boris?.mesTx).toBeLessThan(3.1);
      expect(boris?.mesRx).toBeCloseTo(4.4, 2);
    },
  );

  test.each(goldenNames().filter((name) => name.startsWith('22-')))(
    '%s: the profile asterisk-22.10 equals the MES of the events, in both directions, all along',
    (name) => {
      const intervals = allIntervals(play(name, mesProfile('asterisk-22.10')));
      // From a report about another stream Asterisk takes a round trip that we refuse, and it stays in the mean.
      const refusing = new Map(
        intervals
          .toReversed()
          .filter(({ kind }) => kind === 'unused')
          .map(({ uniqueid, atMs }) => [uniqueid, atMs]),
      );
      const compared = intervals.filter(
        ({ nativeMes100, mesRunning, uniqueid, atMs }) =>
          nativeMes100 !== null && mesRunning !== null && atMs < (refusing.get(uniqueid) ?? Number.POSITIVE_INFINITY),
      );
      const wrong = compared.filter(
        ({ nativeMes100, mesRunning }) => Math.abs(Number(mesRunning) * 20 - Number(nativeMes100)) > NATIVE_TOLERANCE,
      );
      expect(wrong).toEqual([]);
      const least = name.includes('baresip') ? 1 : 5;
      expect(compared.filter(({ direction }) => direction === 'rx').length).toBeGreaterThan(least);
      expect(compared.filter(({ direction }) => direction === 'tx').length).toBeGreaterThan(least);
    },
  );

  test("Asterisk's own tx score drifts over the lossy call, ours does not", () => {
    const [alice] = parties(play('22-lossy-call'));
    const tx = allIntervals(play('22-lossy-call')).filter(
      ({ direction, uniqueid }) => direction === 'tx' && uniqueid === alice?.uniqueid,
    );
    const afterTheFirst = tx
      .filter(({ reportNumber }) => reportNumber > 20)
      .map(({ mesRunning }) => Number(mesRunning) * 20);
    const native = tx.map(({ nativeMes100 }) => Number(nativeMes100));
    // One standard error of the loss of the first 20 s is 4 points.
    expect(Math.max(...afterTheFirst) - Math.min(...afterTheFirst)).toBeLessThan(8);
    expect(Math.max(...native) - Math.min(...native)).toBeGreaterThan(50);
  });

  test.each(['22-lossy-call', '16-lossy-call'])('%s: loss is what the relay did', (name) => {
    const { relay } = readGolden(name).facts;
    const [alice, bob] = parties(play(name));
    for (const [channel, phone] of [
      [alice, 'alice'],
      [bob, 'bob'],
    ] as const) {
      const [rx] = channel?.streams ?? [];
      const truth = relay[`${phone} rx`];
      // The last fraction of a second comes after the last report.
      expect(Number(rx?.packetsLost)).toBeLessThanOrEqual(Number(truth?.lost));
      expect(Number(rx?.packetsLost)).toBeGreaterThanOrEqual(Number(truth?.lost) - 10);
    }
  });

  test.each(['22-hold', '16-hold'])('%s: hold is no loss, although the far end counts it as such', (name) => {
    const { relay } = readGolden(name).facts;
    const script = play(name);
    const [alice, bob] = parties(script);
    const toAlice = opinionByHand(relay['alice tx'] ?? { lost: 0, seen: 0 });
    const fromAlice = opinionByHand(relay['alice rx'] ?? { lost: 0, seen: 0 });
    expect(Math.abs(Number(alice?.mesTx) - toAlice)).toBeLessThan(0.15);
    expect(Math.abs(Number(alice?.mesRx) - fromAlice)).toBeLessThan(0.15);
    // He hears what got through to here, and loses nothing himself.
    expect(Math.abs(Number(bob?.mesTx) - fromAlice)).toBeLessThan(0.15);
    expect(Number(bob?.mesRx)).toBeGreaterThan(4.35);
    for (const { packetsLost } of allIntervals(script)) expect(packetsLost ?? 0).toBeLessThan(MOST_LOST_IN_A_REPORT);
    // 3 % lost is fair, or poor, but nothing worse.
    for (const channel of [alice, bob]) expect(['fair', 'poor']).toContain(channel?.verdict);
    expect(bob?.streams[1]?.idleReports).toBeGreaterThanOrEqual(5);
  });

  test.each(['22-one-way', '16-one-way'])('%s: the silent phone scores 1 and the call is not good', (name) => {
    const script = play(name);
    const [alice, bob] = parties(script);
    expect(alice?.mesRx).toBeGreaterThan(4.3);
    expect(bob).toMatchObject({ mesRx: 1, verdict: 'one-way-tx' });
    // She is sent nothing, and her leg is the one that is billed.
    expect(alice).toMatchObject({ mesTx: null, verdict: 'one-way-rx' });
    expect(bob?.streams[0]?.lossPercent).toBe(100);
    const call = script.stored().findLast((change) => change.kind === 'call');
    expect(call?.kind === 'call' ? call.call.verdict : null).toBe('one-way-tx');
  });

  test.each(['22-attended-transfer', '16-attended-transfer', '22-blind-transfer', '16-blind-transfer'])(
    '%s: all three parties end in one call, the transferred one with its new peer, and no jump of the stream costs a point',
    (name) => {
      const script = play(name);
      const [alice, bob, carol] = parties(script);
      expect(new Set([alice?.linkedid, bob?.linkedid, carol?.linkedid]).size).toBe(1);
      expect(alice?.peerUniqueid).toBe(carol?.uniqueid);
      expect(carol?.peerUniqueid).toBe(alice?.uniqueid);
      for (const channel of [alice, bob, carol]) {
        expect(channel?.endReason).toBe('hangup');
        // Without our care it would be 1.00.
        expect(Number(channel?.mes)).toBeGreaterThan(3.5);
      }
      const { relay } = readGolden(name).facts;
      expect(Math.abs(Number(alice?.mesRx) - opinionByHand(relay['alice rx'] ?? { lost: 0, seen: 0 }))).toBeLessThan(
        0.2,
      );
      for (const channel of [bob, carol]) expect(Number(channel?.mesRx)).toBeGreaterThan(4.35);
      for (const { packetsLost } of allIntervals(script)) expect(packetsLost ?? 0).toBeLessThan(MOST_LOST_IN_A_REPORT);
    },
  );

  test.each(['22-park', '16-park'])('%s: who takes the call back joins it', (name) => {
    const script = play(name);
    const [alice, bob, carol] = parties(script);
    expect(script.stored().filter((change) => change.kind === 'call-merged')).toEqual([
      { kind: 'call-merged', fromLinkedid: carol?.uniqueid, intoLinkedid: alice?.uniqueid },
    ]);
    expect([bob?.linkedid, carol?.linkedid]).toEqual([alice?.uniqueid, alice?.uniqueid]);
    expect(carol?.peerUniqueid).toBe(alice?.uniqueid);
  });

  test.each(['22-conference', '16-conference'])(
    '%s: each party keeps the linkedid that Asterisk gives it, and its own score',
    (name) => {
      const found = parties(play(name));
      expect(found).toHaveLength(3);
      expect(found.map(({ linkedid }) => linkedid)).toEqual(found.map(({ uniqueid }) => uniqueid));
      // The lossy phone is the first; the others do not hear its loss in their own packets.
      const { relay } = readGolden(name).facts;
      const lossy = opinionByHand(relay['alice rx'] ?? { lost: 0, seen: 0 });
      expect(Math.abs(Number(found[0]?.mesRx) - lossy)).toBeLessThan(0.2);
      for (const channel of found.slice(1)) {
        expect(Number(channel.mesRx)).toBeGreaterThan(4.35);
        expect(Number(channel.mesTx)).toBeGreaterThan(4.35);
      }
    },
  );

  test('g722 runs on a clock of 8000', () => {
    const streams = parties(play('22-lossy-call-g722')).flatMap((channel) => channel.streams);
    expect(streams.map(({ clockRateHz }) => clockRateHz)).toEqual([8000, 8000, 8000, 8000]);
    expect(streams.map(({ clockRateSource }) => clockRateSource)).toContain('sr');
  });
});
