import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PbxEvent } from '../../../src/model/event.ts';
import type { SegmentRecord, StreamRecord } from '../../../src/model/record.ts';
import type { SampleSummary } from '../../../src/model/fields/field.ts';
import type { MesProfile } from '../../../src/model/score.ts';
import { mesProfile } from '../../../src/score/profiles.ts';
import { local, remote, reportBlock, Script, snapshot } from './script.ts';

const PACKETS_PER_REPORT = 250;
/** With fewer received packets there is no E-model. */
const MOST_LOST = PACKETS_PER_REPORT - 5;
const TOLERANCE = 1e-9;

/** What a far end reports of one interval. */
interface Report {
  readonly lost: number;
  readonly jitterTicks: number;
  readonly rttMs: number;
}

const REPORT: fc.Arbitrary<Report> = fc.record({
  lost: fc.integer({ min: 0, max: MOST_LOST }),
  jitterTicks: fc.integer({ min: 0, max: 2000 }),
  rttMs: fc.double({ min: 0.1, max: 3000, noNaN: true }),
});
const REPORTS = fc.array(REPORT, { minLength: 2, maxLength: 12 });

/** With the scale's lower end: what releases without it make of R between 0 and 6.5 rises again below. */
const PROFILES: fc.Arbitrary<MesProfile> = fc
  .constantFrom(
    mesProfile('documented'),
    mesProfile('asterisk-22.10'),
    mesProfile('asterisk-2026.09'),
    mesProfile('custom', { lossUnit: 'percent' }),
  )
  .map((profile) => ({ ...profile, clampBelowOne: true }));

/** Plays the reports of one direction of a ulaw call and returns what the stream amounts to. */
function scoreOf(profile: MesProfile, reports: readonly Report[]): StreamRecord {
  const script = new Script(profile).up('1').codecs('1', 'ulaw');
  let lost = 0;
  for (const [index, report] of reports.entries()) {
    lost += report.lost;
    const block = reportBlock(PACKETS_PER_REPORT * (index + 1), lost, { jitterTicks: report.jitterTicks });
    script.wait(5).rtcp('1', remote(block, { rttMs: report.rttMs }));
  }
  const stream = script.channel('1').streams.find(({ direction }) => direction === 'tx');
  if (stream === undefined) throw new Error('the channel has no tx stream');
  return stream;
}

/** In what the worse one is better, or has no value at all. */
function betterIn(worse: StreamRecord, better: StreamRecord): string[] {
  return (['mes', 'rValue', 'rLq', 'rCq', 'mosLq', 'mosCq'] as const).filter((name) => {
    const [low, high] = [worse[name], better[name]];
    return low === null || high === null || low > high + TOLERANCE;
  });
}

describe('a call with worse reports has no better score, by any profile', () => {
  test('more loss, in any of the reports', () => {
    fc.assert(
      fc.property(PROFILES, REPORTS, fc.nat(), fc.nat({ max: PACKETS_PER_REPORT }), (profile, reports, which, more) => {
        const worse = reports.map((report, index) =>
          index === which % reports.length ? { ...report, lost: Math.min(MOST_LOST, report.lost + more) } : report,
        );
        expect(betterIn(scoreOf(profile, worse), scoreOf(profile, reports))).toEqual([]);
      }),
    );
  });

  test('more delay, in any of the reports', () => {
    fc.assert(
      fc.property(PROFILES, REPORTS, fc.nat(), fc.nat({ max: 3000 }), (profile, reports, which, moreMs) => {
        const worse = reports.map((report, index) =>
          index === which % reports.length ? { ...report, rttMs: report.rttMs + moreMs } : report,
        );
        expect(betterIn(scoreOf(profile, worse), scoreOf(profile, reports))).toEqual([]);
      }),
    );
  });

  // In all of them alike: the formula multiplies the mean by the deviation, and one report alone may bring that down.
  // Within what a network can do: jitter above 1 s, or twenty times what it was, is a jump of a clock and no sample.
  test('more jitter, in all of the reports', () => {
    const jittery = REPORT.chain((report) =>
      fc.integer({ min: 100, max: 1000 }).map((jitterTicks) => ({ ...report, jitterTicks })),
    );
    const reportsOf = fc.array(jittery, { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(PROFILES, reportsOf, fc.integer({ min: 1, max: 8 }), (profile, reports, times) => {
        const worse = reports.map((report) => ({ ...report, jitterTicks: report.jitterTicks * times }));
        expect(betterIn(scoreOf(profile, worse), scoreOf(profile, reports))).toEqual([]);
      }),
    );
  });
});

describe('sessions', () => {
  type Step = Report & { readonly opens: 'nothing' | 'ssrc' | 'codec' };
  const STEPS: fc.Arbitrary<Step[]> = fc.array(
    fc.tuple(REPORT, fc.constantFrom('nothing', 'nothing', 'ssrc', 'codec')).map(([report, opens]) => ({
      ...report,
      opens,
    })),
    { minLength: 1, maxLength: 20 },
  );

  function play(steps: readonly Step[]): { segments: SegmentRecord[]; stream: StreamRecord } {
    const script = new Script().up('1').codecs('1', 'ulaw');
    let sourceSsrc = 1;
    let codec = 'ulaw';
    let sequence = 0;
    let lost = 0;
    for (const { opens, lost: lostNow, jitterTicks, rttMs } of steps) {
      if (opens === 'codec') script.codecs('1', (codec = codec === 'ulaw' ? 'g722' : 'ulaw'));
      if (opens === 'ssrc') [sourceSsrc, sequence, lost] = [sourceSsrc + 1, 0, 0];
      sequence += PACKETS_PER_REPORT;
      lost += lostNow;
      const fractionLostQ8 = Math.min(255, Math.round((lostNow * 256) / PACKETS_PER_REPORT));
      const block = reportBlock(sequence, lost, { jitterTicks, sourceSsrc, fractionLostQ8 });
      script.wait(5).rtcp('1', remote(block, { rttMs }));
    }
    const byNumber = new Map<number, SegmentRecord>();
    for (const change of script.stored()) {
      if (change.kind === 'segment' && change.segment.direction === 'tx')
        byNumber.set(change.segment.segmentNumber, change.segment);
    }
    const stream = script.channel('1').streams.find(({ direction }) => direction === 'tx');
    if (stream === undefined) throw new Error('the channel has no tx stream');
    return { segments: [...byNumber.values()], stream };
  }

  /** Mean and population deviation of all samples, from those of the parts: the textbook's sums of x and of x². */
  function together(parts: readonly SampleSummary[]): { count: number; mean: number; stdev: number } {
    const count = parts.reduce((sum, part) => sum + part.count, 0);
    const mean = parts.reduce((sum, part) => sum + Number(part.mean) * part.count, 0) / count;
    const squares = parts.reduce(
      (sum, part) => sum + (Number(part.stdev) ** 2 + Number(part.mean) ** 2) * part.count,
      0,
    );
    return { count, mean, stdev: Math.sqrt(Math.max(0, squares / count - mean ** 2)) };
  }

  test('merged give what one pass over all reports gives', () => {
    fc.assert(
      fc.property(STEPS, (steps) => {
        const { segments, stream } = play(steps);
        const sum = (of: (segment: SegmentRecord) => number | null): number =>
          segments.reduce((total, segment) => total + Number(of(segment)), 0);
        expect(sum(({ reports }) => reports)).toBe(steps.length);
        const counts = ['reports', 'packetsLost', 'packetsExpected', 'duplicates'] as const;
        expect(counts.map((name) => sum((segment) => segment[name]))).toEqual(
          counts.map((name) => Number(stream[name])),
        );
        for (const name of ['rttMs', 'jitterMs'] as const) {
          const parts = segments.map((segment) => segment[name]);
          const { count, mean, stdev } = together(parts);
          expect(stream[name].count).toBe(count);
          expect(stream[name].mean).toBeCloseTo(mean, 6);
          // The root of a difference of large squares keeps half of their digits.
          expect(stream[name].stdev).toBeCloseTo(stdev, 3);
          expect(stream[name].min).toBe(Math.min(...parts.map((part) => Number(part.min))));
          expect(stream[name].max).toBe(Math.max(...parts.map((part) => Number(part.max))));
          expect(stream[name].last).toBe(parts.at(-1)?.last);
        }
      }),
    );
  });
});

describe('order', () => {
  const START_MS = 1_700_000_000_000;

  /** The events of a call of its own: one channel, its reports both ways, and its end. */
  function eventsOf(uniqueid: string, reports: readonly Report[]): PbxEvent[] {
    const channel = snapshot(uniqueid);
    let lost = 0;
    const told = reports.flatMap((report, index): PbxEvent[] => {
      const atMs = START_MS + 5000 * (index + 1);
      lost += report.lost;
      const block = reportBlock(PACKETS_PER_REPORT * (index + 1), lost, { jitterTicks: report.jitterTicks });
      return [
        { type: 'rtcp', atMs, channel, report: local(block) },
        { type: 'rtcp', atMs, channel, report: remote(block, { rttMs: report.rttMs }) },
      ];
    });
    return [
      { type: 'channel', atMs: START_MS, channel },
      { type: 'codecs', atMs: START_MS, uniqueid, codecs: { rx: 'ulaw', tx: 'g722' } },
      ...told,
      { type: 'hangup', atMs: START_MS + 100_000, channel },
    ];
  }

  function play(events: readonly PbxEvent[]): unknown {
    const script = new Script();
    for (const event of events) script.board.handle(event);
    const last = new Map<string, unknown>();
    for (const change of script.stored()) {
      if (change.kind === 'interval') {
        const { uniqueid, direction, reportNumber } = change.interval;
        last.set(`interval ${uniqueid} ${direction} ${reportNumber}`, change.interval);
      }
      if (change.kind === 'segment') {
        const { uniqueid, direction, segmentNumber } = change.segment;
        last.set(`segment ${uniqueid} ${direction} ${segmentNumber}`, change.segment);
      }
      if (change.kind === 'channel') last.set(`channel ${change.channel.uniqueid}`, change.channel);
      if (change.kind === 'call') last.set(`call ${change.call.linkedid}`, change.call);
    }
    return Object.fromEntries([...last].toSorted(([one], [other]) => (one < other ? -1 : 1)));
  }

  test('of the events of calls that have nothing to do with each other does not matter', () => {
    fc.assert(
      fc.property(REPORTS, REPORTS, fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }), (one, other, firsts) => {
        const first = eventsOf('1', one);
        const second = eventsOf('2', other);
        const whole = play([...first, ...second]);
        const mixed: PbxEvent[] = [];
        const queues: [PbxEvent[], PbxEvent[]] = [[...first], [...second]];
        for (const isFirst of firsts) {
          const next = queues[isFirst ? 0 : 1].shift() ?? queues[isFirst ? 1 : 0].shift();
          if (next !== undefined) mixed.push(next);
        }
        expect(mixed).toHaveLength(first.length + second.length);
        expect(Object.keys(whole as object).length).toBeGreaterThan(10);
        expect(play(mixed)).toEqual(whole);
      }),
    );
  });

  test('of the two reports of one moment, ours and theirs, does not matter for what they add up to', () => {
    fc.assert(
      fc.property(REPORTS, (reports) => {
        const events = eventsOf('1', reports);
        const swapped = events.toSorted((a, b) => a.atMs - b.atMs || rank(b) - rank(a));
        const streams = (of: readonly PbxEvent[]) => {
          const script = new Script();
          for (const event of of) script.board.handle(event);
          return script.channel('1').streams.map(({ mes, rValue, mosLq, mosCq, packetsLost, rttMs, jitterMs }) => ({
            mes,
            rValue,
            mosLq,
            mosCq,
            packetsLost,
            rttMs,
            jitterMs,
          }));
        };
        expect(swapped).not.toEqual(events);
        expect(streams(swapped)).toEqual(streams(events));
      }),
    );
  });

  /** Theirs before ours; what is no report stays where it is. */
  function rank(event: PbxEvent): number {
    return event.type === 'rtcp' && event.report.reporter === 'remote' ? 1 : 0;
  }
});
