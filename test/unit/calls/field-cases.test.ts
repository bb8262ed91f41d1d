import { describe, expect, test } from 'vitest';
import type { StreamRecord } from '../../../src/model/record.ts';
import { playCase } from '../field-case.ts';
import type { Script } from './script.ts';

/** Each direction of a case sends 50 packets in each of 14 s, and each end reports every second. */
const SENT = 700;

/** The only channel of a case. */
function channelOf(script: Script): ReturnType<Script['channel']> {
  const stored = script.stored().findLast((change) => change.kind === 'channel');
  if (stored?.kind !== 'channel') throw new Error('the case has no channel');
  return stored.channel;
}

function streamsOf(name: string): { channel: ReturnType<Script['channel']>; rx: StreamRecord; tx: StreamRecord } {
  const channel = channelOf(playCase(name));
  const [rx, tx] = channel.streams;
  if (rx === undefined || tx === undefined) throw new Error('a direction is missing');
  return { channel, rx, tx };
}

/** By hand: round trip 31.2 ms and jitter 2 ms that does not deviate, 10 ms for the codec: R = 93.2 - 41.2 / 40. */
const GOOD = { mesRx: expect.closeTo(4.39, 2), mesTx: expect.closeTo(4.39, 2), verdict: 'good' };

/** What is reported of a direction must be what was sent of it, within the part of a second before the first report. */
function expectSent({ packetsExpected }: StreamRecord, packets: number): void {
  expect(packetsExpected).toBeGreaterThanOrEqual(packets);
  expect(packetsExpected).toBeLessThanOrEqual(packets + 15);
}

describe('cases from the field', () => {
  test.each(['ami-control-20', 'ami-framing-26', 'ami-rtt-once-22b'])('%s: a good channel', (name) => {
    const { channel, rx, tx } = streamsOf(name);
    expect(channel).toMatchObject(GOOD);
    for (const stream of [rx, tx]) {
      expectSent(stream, SENT);
      expect(stream).toMatchObject({ reports: 14, packetsLost: 0, sequenceRestarts: 0, jitterResets: 0 });
      expect(stream).toMatchObject({ unusedReports: 0, jitterMs: { count: 14, mean: expect.closeTo(2, 6) } });
    }
  });

  test('a round trip of 18 hours is refused, and counted', () => {
    const script = playCase('ami-rtt-once-22b');
    expect(script.board.counters.roundTripsRefused).toBe(1);
    expect(channelOf(script).streams[1]?.rttMs).toMatchObject({ count: 13, max: expect.closeTo(31.2, 6) });
  });

  test("a jump of the sender's clock is no jitter, nor what A.8 keeps of it", () => {
    const { channel, rx, tx } = streamsOf('ami-ts-jump-jitter-34');
    expect(channel).toMatchObject({ ...GOOD, mesMin: expect.closeTo(4.39, 2) });
    // 312 s, 13 s, 572 ms and 26 ms; then 2 ms again.
    expect(rx).toMatchObject({ jitterResets: 4, jitterMs: { count: 10, max: 2, stdev: 0 }, packetsLost: 0 });
    expect(tx).toMatchObject({ jitterResets: 0, jitterMs: { count: 14 } });
  });

  test.each([
    ['ami-reinvite-jump-28', 'rx'],
    ['ami-tx-seq-jump-35', 'tx'],
  ] as const)('%s: 30,000 packets were not lost in a second in which 50 were sent', (name, direction) => {
    const { channel, rx, tx } = streamsOf(name);
    expect(channel).toMatchObject({ ...GOOD, mesMin: expect.closeTo(4.39, 2) });
    const [jumping, other] = direction === 'rx' ? [rx, tx] : [tx, rx];
    expect(jumping).toMatchObject({ packetsLost: 0, lossPercent: 0, sequenceRestarts: 1, reports: 14 });
    // Nothing is known of the second of the jump.
    expectSent(jumping, SENT - 50);
    expect(other).toMatchObject({ packetsLost: 0, sequenceRestarts: 0 });
  });

  test('of packets that come late the last cumulative count tells', () => {
    const { rx, tx } = streamsOf('ami-late-packets-33');
    expect(tx).toMatchObject({ packetsLost: 5, sequenceRestarts: 0, verdict: 'good' });
    expect(tx.lossPercent).toBeCloseTo((100 * 5) / SENT, 1);
    expect(rx.packetsLost).toBe(0);
  });

  test('a count that begins anew takes back nothing', () => {
    const { tx } = streamsOf('ami-counter-reset-32');
    expect(tx).toMatchObject({ packetsLost: 40, sequenceRestarts: 0 });
    expect(tx.lossPercent).toBeCloseTo((100 * 40) / SENT, 1);
  });

  test('a goodbye about nobody says nothing of a stream that never arrived', () => {
    const silent = streamsOf('ami-goodbye-rc0-37');
    const goodbye = streamsOf('ami-goodbye-21');
    for (const { channel, tx } of [silent, goodbye]) {
      expect(channel).toMatchObject({ verdict: 'one-way-rx', mesTx: 1, mesMin: 1 });
      expect(channel.mesRx).toBeGreaterThan(4.35);
      expect(tx).toMatchObject({ lossPercent: 100, packetsReceived: 0, reports: 14 });
    }
    expect(silent.tx).toMatchObject({ unusedReports: 0, packetsLost: SENT });
    expect(goodbye.tx).toMatchObject({ unusedReports: 1, packetsLost: SENT - 50 });
  });

  test('what stands still is dead from then on', () => {
    const { channel, tx } = streamsOf('ami-standstill-21c');
    expect(tx).toMatchObject({ deadReports: 9, reports: 14 });
    // 250 packets had arrived, by the sequence numbers.
    expect(tx.packetsLost).toBeGreaterThanOrEqual(SENT - 250 - 15);
    expect(tx.packetsLost).toBeLessThanOrEqual(SENT - 250);
    expect(channel.mesTx).toBeLessThan(2);
    expect(channel.mesRx).toBeGreaterThan(4.35);
  });
});
