import { describe, expect, test } from 'vitest';
import { replayChannel } from '../../../src/calls/again/replay.ts';
import type { Direction } from '../../../src/model/report.ts';
import type { StreamRecord } from '../../../src/model/record.ts';
import { local, remote, reportBlock, Script, sender } from './script.ts';

const FIRST_SEQUENCE = 30_000;

/** One report: what the receiver had seen of all that was sent by then. */
interface Told {
  readonly atS: number;
  readonly sent: number;
  readonly lost?: number;
  readonly fractionLostQ8?: number;
}

/** A channel of which only one direction reports: the receiver `reports`, and the sender tells its `counts`. */
function play(
  direction: Direction,
  reports: readonly Told[],
  counts: readonly Pick<Told, 'atS' | 'sent'>[],
): StreamRecord | undefined {
  return playScript(direction, reports, counts)
    .channel('1')
    .streams.find((stream) => stream.direction === direction);
}

function playScript(
  direction: Direction,
  reports: readonly Told[],
  counts: readonly Pick<Told, 'atS' | 'sent'>[],
): Script {
  const script = new Script().up('1').codecs('1', 'ulaw');
  const startedAtMs = script.atMs;
  const happenings = [
    ...reports.map((report) => ({ ...report, isReport: true })),
    ...counts.map((count) => ({ ...count, isReport: false })),
  ].toSorted((one, other) => one.atS - other.atS);
  for (const { atS, sent, isReport, ...of } of happenings) {
    script.wait(atS - (script.atMs - startedAtMs) / 1000);
    const { lost = 0, fractionLostQ8 = 0 } = of as Told;
    const block = reportBlock(FIRST_SEQUENCE + sent - 1, lost, { fractionLostQ8 });
    const byReceiver = direction === 'rx' ? local : remote;
    const bySender = direction === 'rx' ? remote : local;
    script.rtcp(
      '1',
      isReport
        ? byReceiver(block)
        : bySender(null, { sender: sender(atS, sent), ...(direction === 'tx' ? { senderSsrc: 0xabc } : {}) }),
    );
  }
  return script;
}

/** Packets of 60 ms by a moment. */
const sixty = (atS: number): number => Math.floor(atS / 0.06);

describe('what the first report expected is known better later', () => {
  test.each(['rx', 'tx'] as const)(
    '60 ms packets (%s): the next count of the sender takes back what was too much',
    (direction) => {
      const stream = play(
        direction,
        [
          { atS: 5, sent: sixty(5) },
          { atS: 10, sent: sixty(10), lost: 4, fractionLostQ8: 12 },
        ],
        [{ atS: 7.5, sent: sixty(7.5) }],
      );
      // 4 of 166. Of 333, at 50 a second until the first report, they would be half as many.
      expect(stream?.packetsLost).toBe(4);
      expect(Math.abs(Number(stream?.packetsExpected) - sixty(10))).toBeLessThanOrEqual(4);
      expect(stream?.lossPercent).toBeCloseTo((100 * 4) / sixty(10), 0);
    },
  );

  test('silence suppression: 40 packets in the first 5 s, and all the time after', () => {
    const stream = play(
      'rx',
      [
        { atS: 5, sent: 40 },
        { atS: 10, sent: 290, lost: 10, fractionLostQ8: 10 },
      ],
      [
        { atS: 7.5, sent: 165 },
        { atS: 12.5, sent: 415 },
      ],
    );
    expect(Math.abs(Number(stream?.packetsExpected) - 290)).toBeLessThanOrEqual(3);
  });

  test('who reports faster than the sender counts waits for the count', () => {
    const stream = play(
      'rx',
      [1, 2, 3, 4, 5, 6].map((atS) => ({ atS, sent: sixty(atS), lost: atS < 4 ? 0 : 2 })),
      [{ atS: 5.5, sent: sixty(5.5) }],
    );
    expect(Math.abs(Number(stream?.packetsExpected) - sixty(6))).toBeLessThanOrEqual(5);
  });

  test('a sender that counts nothing: its pace from then on is what is known of the time before', () => {
    const reports = [
      { atS: 5, sent: sixty(5) },
      { atS: 10, sent: sixty(10), lost: 4, fractionLostQ8: 12 },
    ];
    expect(Math.abs(Number(play('rx', reports, [])?.packetsExpected) - sixty(10))).toBeLessThanOrEqual(2);
  });

  test('a first report of ours that lost some tells by its fraction how many it can have expected at most', () => {
    // 2 of 83: 2 × 256 / 83 = 6.17, told as 6; 2 × 256 / 6 = 85.
    const first = [{ atS: 5, sent: sixty(5), lost: 2, fractionLostQ8: 6 }];
    expect(play('rx', first, [])).toMatchObject({ packetsExpected: 85, packetsLost: 2 });
  });

  test.each(['rx', 'tx'] as const)('what was right from the beginning stays (%s)', (direction) => {
    const stream = play(
      direction,
      [
        { atS: 5, sent: 250 },
        { atS: 10, sent: 500, lost: 4, fractionLostQ8: 4 },
      ],
      [{ atS: 7.5, sent: 375 }],
    );
    expect(stream).toMatchObject({ packetsExpected: 500, packetsLost: 4 });
  });

  test('numbers that were lost before they came to this server are not taken back', () => {
    // A tenth of what came in was lost on its way: 225 of 250 numbers are sent on in 5 s, and each gap is a loss to the far end.
    const stream = play(
      'tx',
      [
        { atS: 5, sent: 250, lost: 25, fractionLostQ8: 25 },
        { atS: 10, sent: 500, lost: 50, fractionLostQ8: 25 },
      ],
      [
        { atS: 2.5, sent: 112 },
        { atS: 7.5, sent: 338 },
      ],
    );
    expect(stream?.lossPercent).toBeGreaterThan(9.7);
    expect(stream?.lossPercent).toBeLessThan(10.3);
  });

  test('scored again from what is stored it is the same', () => {
    const reports = [5, 10, 15].map((atS) => ({ atS, sent: sixty(atS), lost: atS - 5 }));
    const script = playScript('rx', reports, [{ atS: 7.5, sent: sixty(7.5) }]);
    const channel = script.channel('1');
    const [rx] = channel.streams;
    // The count of the sender came with a report about the other direction.
    const all = [...script.intervals('1', 'rx'), ...script.intervals('1', 'tx')];
    const whole = replayChannel({ channel, segments: [], intervals: all }, script.rules);
    expect(whole.state.rx.total.packetsExpected).toBe(rx?.packetsExpected);
    expect(Math.abs(Number(rx?.packetsExpected) - sixty(15))).toBeLessThanOrEqual(3);
    expect(whole.state.scores.mesRx).toBe(channel.mesRx);
  });
});
