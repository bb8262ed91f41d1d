import { describe, expect, test } from 'vitest';
import type { PhoneHearing, PhoneReport } from '../../../src/model/phones/phone-report.ts';
import { noteHeard } from '../../../src/stats/phone-hearing.ts';
import { readPhoneReport } from '../../../src/wire/vq-report/report.ts';

interface Said {
  readonly kind?:
    | 'VQSessionReport: CallTerm'
    | 'VQIntervalReport'
    | 'VQAlertReport: Type=NLR Severity=Critical Dir=local';
  /** Seconds after noon; of both none where a phone gives no times. */
  readonly from?: number;
  readonly to?: number;
  readonly lines?: readonly string[];
}

const AGENT = 'Yealink SIP-T54W 96.86.0.100';
const noon = (s: number): string => new Date(Date.UTC(2026, 10, 30, 12, 0, s)).toISOString();

function said({ kind = 'VQIntervalReport', from, to, lines = [] }: Said): PhoneReport {
  const times = from === undefined || to === undefined ? [] : [`Timestamps: START=${noon(from)} STOP=${noon(to)}`];
  const report = readPhoneReport([kind, 'CallID: leg', 'LocalMetrics:', ...times, ...lines].join('\r\n'));
  if (report === undefined) throw new Error('the test writes no report');
  return report;
}

function heard(...all: readonly Said[]): PhoneHearing | null {
  return all.reduce<PhoneHearing | null>((before, one) => noteHeard(before, said(one), AGENT), null);
}

const loss = (nlr: number, jdr: number): string => `PacketLoss: NLR=${nlr} JDR=${jdr}`;

describe('what a phone says', () => {
  test('intervals that follow one another are weighted by their time, and the newest delay counts', () => {
    // 10 s of 2 % and 30 s of 6 %: (10 × 2 + 30 × 6) / 40 = 5 %. Thrown away: (10 × 1 + 30 × 3) / 40 = 2.5 %.
    const sum = heard(
      { from: 0, to: 10, lines: [loss(2, 1), 'Delay: RTD=80', 'QualityEst: MOSLQ=4.0'] },
      { from: 10, to: 40, lines: [loss(6, 3), 'Delay: RTD=140', 'QualityEst: MOSLQ=3.2'] },
    );
    expect(sum).toMatchObject({ networkLossPercent: 5, discardPercent: 2.5, roundTripDelayMs: 140, reports: 2 });
    expect(sum?.mosLq).toBeCloseTo(3.4, 10);
    expect(sum).toMatchObject({ startAtMs: Date.parse(noon(0)), stopAtMs: Date.parse(noon(40)), userAgent: AGENT });
  });

  test('intervals that all begin with the call, as Linphone sends them, are not added up', () => {
    const sum = heard({ from: 0, to: 10, lines: [loss(8, 4)] }, { from: 0, to: 20, lines: [loss(4, 2)] });
    expect(sum).toMatchObject({ networkLossPercent: 4, discardPercent: 2, reports: 2 });
  });

  test('the report of the whole session takes the place of its intervals, but for what it leaves out', () => {
    const sum = heard(
      { from: 0, to: 10, lines: [loss(8, 4)] },
      { from: 10, to: 20, lines: [loss(2, 4)] },
      { kind: 'VQSessionReport: CallTerm', from: 0, to: 21, lines: ['PacketLoss: NLR=1.5', 'QualityEst: MOSCQ=3.9'] },
    );
    expect(sum).toMatchObject({ networkLossPercent: 1.5, discardPercent: 4, mosCq: 3.9, reports: 3 });
  });

  test('what comes late and is of an earlier time changes nothing but the count', () => {
    const session: Said = { kind: 'VQSessionReport: CallTerm', from: 0, to: 60, lines: [loss(1, 0)] };
    expect(heard(session, { from: 20, to: 30, lines: [loss(50, 50)] })).toMatchObject({
      networkLossPercent: 1,
      discardPercent: 0,
      reports: 2,
    });
  });

  test('a second session after the first, as after a new offer, is added by its time', () => {
    const kind = 'VQSessionReport: CallTerm';
    const sum = heard({ kind, from: 0, to: 30, lines: [loss(0, 0)] }, { kind, from: 30, to: 60, lines: [loss(4, 8)] });
    expect(sum).toMatchObject({ networkLossPercent: 2, discardPercent: 4 });
  });

  test('without times the newest counts', () => {
    expect(heard({ lines: [loss(9, 9)] }, { lines: [loss(1, 2)] })).toMatchObject({
      networkLossPercent: 1,
      discardPercent: 2,
      startAtMs: null,
    });
  });

  test('what is not known stays unknown, also beside what is', () => {
    const sum = heard({ from: 0, to: 10, lines: ['Delay: RTD=80'] }, { from: 10, to: 20, lines: [loss(2, 1)] });
    expect(sum).toMatchObject({ networkLossPercent: 2, roundTripDelayMs: 80, mosLq: null, burstLossPercent: null });
  });

  test('an alert is no measurement of the call, and video is not heard', () => {
    const alert: Said = {
      kind: 'VQAlertReport: Type=NLR Severity=Critical Dir=local',
      from: 0,
      to: 2,
      lines: [loss(90, 0)],
    };
    const video: Said = { from: 0, to: 10, lines: ['SessionDesc: PT=96 PD=VP8 SR=90000', loss(70, 70)] };
    expect(heard(alert, video)).toBeNull();
    expect(heard({ from: 0, to: 10, lines: [loss(1, 0)] }, alert, video)).toMatchObject({
      networkLossPercent: 1,
      reports: 1,
    });
  });
});
