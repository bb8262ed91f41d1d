import type { CallEnder } from '../../../src/model/call-end.ts';
import type { FaultPlace } from '../../../src/model/fault.ts';
import type { SampleSummary } from '../../../src/model/fields/field.ts';
import type { ChannelRecord, HistoryChange, StreamRecord } from '../../../src/model/record.ts';
import type { Verdict } from '../../../src/model/score.ts';
import { callRecord, channelRecord, intervalRecord, segmentRecord, streamRecord } from './records.ts';

/** 2026-11-20T00:00:00Z, when a day begins. */
export const DAY_START_MS = 1_795_132_800_000;
export const HOUR_MS = 3_600_000;
export const MINUTE_MS = 60_000;
/** What time it is when questions are asked: the next day at noon. */
export const CONTRACT_NOW_MS = DAY_START_MS + 36 * HOUR_MS;

/** A moment of the contract's first day; hours go on beyond 24. */
export const at = (hour: number, minute = 0): number => DAY_START_MS + hour * HOUR_MS + minute * MINUTE_MS;

interface Leg {
  readonly endpoint: string;
  readonly mes: number | null;
  readonly verdict: Verdict | null;
  readonly part?: Partial<ChannelRecord>;
  readonly streams?: readonly StreamRecord[];
}

export const samples = (mean: number, count: number): SampleSummary => ({
  last: mean,
  mean,
  min: mean,
  max: mean,
  stdev: 0,
  count,
});

export const rx = (lost: number, expected: number, jitterMs: number, reports: number): StreamRecord =>
  streamRecord({
    direction: 'rx',
    packetsLost: lost,
    packetsExpected: expected,
    jitterMs: samples(jitterMs, reports),
    rttMs: samples(jitterMs * 10, reports),
  });

export function call(
  linkedid: string,
  startedAtMs: number,
  seconds: number,
  {
    mes,
    verdict,
    mesMin = mes,
    faultPlace = 'none',
    endedBy = null,
    findings = null,
    legs,
  }: {
    readonly mes: number | null;
    readonly verdict: Verdict | null;
    readonly mesMin?: number | null;
    readonly faultPlace?: FaultPlace;
    readonly endedBy?: CallEnder | null;
    readonly findings?: string | null;
    readonly legs: readonly Leg[];
  },
): HistoryChange[] {
  const endedAtMs = startedAtMs + seconds * 1000;
  return [
    {
      kind: 'call',
      call: callRecord(linkedid, { startedAtMs, endedAtMs, mes, mesMin, verdict, faultPlace, endedBy, findings }),
    },
    ...legs.map(({ endpoint, streams = [], part, ...score }, index): HistoryChange => ({
      kind: 'channel',
      resume: null,
      channel: channelRecord(index === 0 ? linkedid : `${linkedid}-${index}`, {
        linkedid,
        endpoint,
        startedAtMs: startedAtMs + index,
        endedAtMs,
        callerNumber: '100',
        connectedNumber: '200',
        device: null,
        site: null,
        ...score,
        streams,
        ...part,
      }),
    })),
  ];
}

/** Five calls of two days, in the order in which they are recorded. */
export const CONTRACT_CHANGES: readonly HistoryChange[] = [
  // 10:05, 2 minutes, good. Alice lost 3 of 300 packets, Bob 1 of 100.
  ...call('c1', at(10, 5), 120, {
    mes: 4.2,
    verdict: 'good',
    legs: [
      {
        endpoint: 'PJSIP/alice',
        mes: 4,
        verdict: 'good',
        streams: [rx(3, 300, 4, 10)],
        part: { device: 'Yealink T54W 96.86', site: 'Berlin' },
      },
      {
        endpoint: 'PJSIP/bob',
        mes: 4.4,
        verdict: 'good',
        streams: [rx(1, 100, 2, 5)],
        part: { callerNumber: '200', connectedNumber: '100' },
      },
    ],
  }),
  // 10:50, 10 minutes, bad: the trunk.
  ...call('c2', at(10, 50), 600, {
    mes: 2,
    verdict: 'bad',
    mesMin: 1,
    faultPlace: 'this-server',
    endedBy: 'callee',
    findings: 'noisy echo',
    legs: [
      { endpoint: 'PJSIP/alice', mes: 3, verdict: 'poor', streams: [rx(27, 300, 20, 30)] },
      {
        endpoint: 'SIP/trunk',
        mes: 1,
        verdict: 'bad',
        streams: [streamRecord({ direction: 'rx', codec: 'g722' })],
        part: { connectedNumber: '+49301' },
      },
    ],
  }),
  // 11:10, a second, nobody knows how it was.
  ...call('c3', at(11, 10), 1, {
    mes: null,
    verdict: 'no-rtcp',
    legs: [
      { endpoint: 'PJSIP/bob', mes: null, verdict: 'no-rtcp' },
      { endpoint: 'Local/600@queue', mes: null, verdict: null },
    ],
  }),
  // 11:40, poor. Alice has two legs in it.
  ...call('c4', at(11, 40), 60, {
    mes: 3.5,
    verdict: 'poor',
    faultPlace: 'caller-network',
    endedBy: 'server',
    findings: 'too-quiet',
    legs: [
      { endpoint: 'PJSIP/alice', mes: 3, verdict: 'poor' },
      { endpoint: 'PJSIP/alice', mes: 4, verdict: 'good' },
      { endpoint: 'SIP/trunk', mes: 3.5, verdict: 'poor' },
    ],
  }),
  // The next day at 9, with another call that was joined into it.
  ...call('c5', at(33), 30, {
    mes: 4.5,
    verdict: 'good',
    legs: [{ endpoint: 'PJSIP/bob', mes: 4.5, verdict: 'good' }],
  }),
  { kind: 'call', call: callRecord('c5-other', { startedAtMs: at(33, 1), endedAtMs: at(33, 1) + 1000 }) },
  { kind: 'call-merged', fromLinkedid: 'c5-other', intoLinkedid: 'c5' },
  { kind: 'segment', segment: segmentRecord('c1', 1, { openedBy: 'start', mes: 4.3866 }) },
  { kind: 'segment', segment: segmentRecord('c1', 2, { openedBy: 'hold', mes: null }) },
  { kind: 'segment', segment: segmentRecord('c1', 1, { direction: 'tx' }) },
  // Of one that came between two others, with the same time.
  {
    kind: 'interval',
    interval: intervalRecord('c1', 1, { atMs: at(10, 6), channelReportNumber: 1, lossPercent: 0.125 }),
  },
  { kind: 'interval', interval: intervalRecord('c1', 2, { atMs: at(10, 6), channelReportNumber: 3, mes: null }) },
  {
    kind: 'interval',
    interval: intervalRecord('c1', 1, { atMs: at(10, 6), channelReportNumber: 2, direction: 'tx', reporter: 'remote' }),
  },
];
