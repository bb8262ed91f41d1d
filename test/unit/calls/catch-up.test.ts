import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ResumableChannel } from '../../../src/model/ports.ts';
import type { HistoryChange, IntervalRecord, SegmentRecord } from '../../../src/model/record.ts';
import { local, remote, reportBlock, Script, sender, snapshot } from './script.ts';

const REPORT_S = 5;
const PACKETS_PER_REPORT = 250;
const UNIQUEIDS = ['1', '2'] as const;

/** One step of a two-party call: most are reports. */
interface Step {
  readonly what: 'rx' | 'tx' | 'hold' | 'unhold' | 'codec' | 'bridge' | 'leave' | 'link-lost' | 'silence';
  readonly uniqueid: (typeof UNIQUEIDS)[number];
  readonly lost: number;
  readonly jitterTicks: number;
  readonly rttMs: number | null;
  /** A sender part with it, that counts so many packets more. */
  readonly sent: number | null;
  readonly opens: 'nothing' | 'ssrc' | 'no-block' | 'standstill';
}

const STEP: fc.Arbitrary<Step> = fc.record({
  what: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom<Step['what'][]>('rx', 'tx') },
    {
      weight: 6,
      arbitrary: fc.constantFrom<Step['what'][]>(
        'hold',
        'unhold',
        'codec',
        'bridge',
        'bridge',
        'leave',
        'leave',
        'link-lost',
        'silence',
      ),
    },
  ),
  uniqueid: fc.constantFrom(...UNIQUEIDS),
  lost: fc.integer({ min: -2, max: 60 }),
  jitterTicks: fc.integer({ min: 0, max: 900 }),
  rttMs: fc.option(fc.double({ min: 0.1, max: 900, noNaN: true })),
  sent: fc.option(fc.integer({ min: 0, max: 400 })),
  opens: fc.constantFrom('nothing', 'nothing', 'nothing', 'nothing', 'ssrc', 'no-block', 'standstill'),
});

/** Where the far ends' counters stand, so that the same steps give the same reports whoever is told of them. */
class Playing {
  readonly #stand = new Map<string, { sequence: number; lost: number; ssrc: number; sent: number; ntpS: number }>();
  #codec = 'ulaw';

  play(script: Script, step: Step): void {
    const { what, uniqueid } = step;
    script.wait(REPORT_S / 2);
    if (what === 'rx' || what === 'tx') this.#report(script, step, what);
    else if (what === 'codec') script.codecs(uniqueid, (this.#codec = this.#codec === 'ulaw' ? 'g722' : 'ulaw'));
    else if (what === 'bridge') for (const each of UNIQUEIDS) script.enter('b', each);
    else if (what === 'leave') script.leave('b', uniqueid);
    else if (what === 'silence') script.wait(4 * REPORT_S);
    else if (what === 'link-lost') script.board.handle({ type: 'link-lost', atMs: script.atMs });
    else script.board.handle({ type: what, atMs: script.atMs, channel: snapshot(uniqueid, { linkedid: '1' }) });
  }

  #report(script: Script, { uniqueid, lost, jitterTicks, rttMs, sent, opens }: Step, direction: 'rx' | 'tx'): void {
    const key = `${uniqueid} ${direction}`;
    const stand = this.#stand.get(key) ?? { sequence: 0, lost: 0, ssrc: 1, sent: 0, ntpS: 1000 };
    this.#stand.set(key, stand);
    if (opens === 'ssrc') Object.assign(stand, { sequence: 0, lost: 0, ssrc: stand.ssrc + 1 });
    if (opens !== 'standstill') stand.sequence += PACKETS_PER_REPORT;
    stand.lost += lost;
    stand.ntpS += REPORT_S;
    stand.sent += sent ?? 0;
    const block =
      opens === 'no-block'
        ? null
        : reportBlock(stand.sequence, stand.lost, { jitterTicks, sourceSsrc: stand.ssrc, fractionLostQ8: 7 });
    const own = sent === null ? {} : { sender: sender(stand.ntpS, stand.sent) };
    const report =
      direction === 'rx'
        ? local(block, own)
        : remote(block, { ...own, ...(rttMs === null ? {} : { rttMs }), nativeMes100: 88 });
    script.rtcp(uniqueid, report);
  }
}

/** What a history would hold. */
class Stored {
  readonly #channels = new Map<string, Extract<HistoryChange, { kind: 'channel' }>>();
  readonly intervals: IntervalRecord[] = [];
  readonly segments = new Map<string, SegmentRecord>();

  take(changes: readonly HistoryChange[]): void {
    for (const change of changes) {
      if (change.kind === 'channel') this.#channels.set(change.channel.uniqueid, change);
      if (change.kind === 'interval') this.intervals.push(change.interval);
      if (change.kind !== 'segment') continue;
      const { uniqueid, direction, segmentNumber } = change.segment;
      this.segments.set(`${uniqueid} ${direction} ${segmentNumber}`, change.segment);
    }
  }

  resumable(): ResumableChannel[] {
    return [...this.#channels.values()].flatMap(({ channel, resume }) => {
      if (resume === null) return [];
      const counted = new Map([
        ['rx', resume.rxReports],
        ['tx', resume.txReports],
      ]);
      const laterIntervals = this.intervals.filter(
        ({ uniqueid, direction, reportNumber }) =>
          uniqueid === channel.uniqueid && reportNumber > (counted.get(direction) ?? 0),
      );
      return [{ channel, resume: resume.state, laterIntervals }];
    });
  }
}

/**
 * Plays the steps up to a crash, a restart with what was stored, and the others; `storesAll` stores every state with every
 * report. Returns what is known right after the restart and in the end, and how many reports the restart counted.
 */
function playWithCrash(before: readonly Step[], after: readonly Step[], storesAll: boolean) {
  const script = new Script();
  const stored = new Stored();
  const playing = new Playing();
  const store = (from: Script): void => stored.take(storesAll ? from.drain() : from.drain(from.atMs));
  for (const uniqueid of UNIQUEIDS) script.up(uniqueid, { linkedid: '1' }).codecs(uniqueid, 'ulaw');
  store(script);
  for (const step of before) {
    playing.play(script, step);
    store(script);
  }
  const again = new Script();
  again.atMs = script.atMs;
  const resumable = stored.resumable();
  again.board.restore(resumable);
  const restarted = again.board.liveChannels();
  for (const step of after) {
    playing.play(again, step);
    store(again);
  }
  stored.take(again.drain());
  const caughtUp = resumable.reduce((sum, { laterIntervals }) => sum + laterIntervals.length, 0);
  const { intervals, segments } = stored;
  return { restarted, ended: again.board.liveChannels(), intervals, segments, caughtUp };
}

describe('a restart', () => {
  test('from a state of some reports ago and those reports is one from the last state', () => {
    let caughtUp = 0;
    fc.assert(
      fc.property(
        fc.array(STEP, { minLength: 4, maxLength: 24 }),
        fc.array(STEP, { minLength: 1, maxLength: 6 }),
        (before, after) => {
          const whole = playWithCrash(before, after, true);
          const caught = playWithCrash(before, after, false);
          expect(whole.caughtUp).toBe(0);
          caughtUp += caught.caughtUp;
          expect(caught.restarted).toEqual(whole.restarted);
          expect(caught.ended).toEqual(whole.ended);
          expect(caught.intervals).toEqual(whole.intervals);
          expect(caught.segments).toEqual(whole.segments);
        },
      ),
      { numRuns: 300 },
    );
    expect(caughtUp).toBeGreaterThan(300);
  });

  test('numbers no report twice when some before the last stored ones were given up', () => {
    const script = new Script().up('1');
    const first = script.drain();
    for (let n = 1; n <= 6; n++) script.wait(5).rtcp('1', remote(reportBlock(250 * n, 10 * n)));
    const intervals = script
      .drain(script.atMs)
      .flatMap((change) => (change.kind === 'interval' ? change.interval : []));
    expect(intervals.map(({ reportNumber }) => reportNumber)).toEqual([1, 2, 3, 4, 5, 6]);
    const stored = new Stored();
    stored.take([
      ...first,
      ...intervals
        .filter(({ reportNumber }) => ![2, 3, 4].includes(reportNumber))
        .map((interval) => ({ kind: 'interval' as const, interval })),
    ]);
    const again = new Script();
    again.atMs = script.atMs;
    again.board.restore(stored.resumable());
    again.wait(5).rtcp('1', remote(reportBlock(1750, 70)));
    const tx = again.channel('1').streams.find(({ direction }) => direction === 'tx');
    // The three that are gone count in the one after them; before the first report 50 packets a second were expected.
    expect(tx).toMatchObject({ reports: 7, packetsLost: 70, packetsExpected: 1750 });
    expect(again.intervals('1', 'tx').map(({ reportNumber }) => reportNumber)).toEqual([7]);
  });

  test('knows codecs that were told after the first report from the later ones', () => {
    const script = new Script().up('1');
    const stored = new Stored();
    stored.take(script.drain(script.atMs));
    const report = (n: number): void => {
      script.wait(5).rtcp('1', remote(reportBlock(250 * n, 10 * n, { jitterTicks: 80 }), { rttMs: 40 }));
      script.rtcp('1', local(reportBlock(250 * n, 0, { jitterTicks: 160 })));
    };
    report(1);
    script.codecs('1', 'g729', 'opus');
    const changes = script.drain(script.atMs);
    expect(changes.map(({ kind }) => kind)).toEqual(['interval', 'interval', 'scores']);
    report(2);
    stored.take([...changes, ...script.drain(script.atMs)]);
    const again = new Script();
    again.board.restore(stored.resumable());
    expect(again.channel('1').streams.map(({ codec }) => codec)).toEqual(['g729', 'opus']);
    expect(again.board.liveChannels()).toEqual(script.board.liveChannels());
  });
});
