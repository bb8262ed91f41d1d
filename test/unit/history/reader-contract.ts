import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CallFilter, HistoryReader } from '../../../src/model/ports.ts';
import { at, CONTRACT_NOW_MS, DAY_START_MS, HOUR_MS, MINUTE_MS, rx, samples } from './contract-calls.ts';

const ALL_DAY = { fromMs: DAY_START_MS, toMs: CONTRACT_NOW_MS };
/** Neither end lies at an hour: without c1, with the first of c4's hour. */
const IN_BETWEEN = { fromMs: at(10, 30), toMs: at(11, 30) };

/** What every back end of the history answers about `contract-calls.ts`. Expected figures are worked out by hand. */
export function readerContract(
  name: string,
  open: () => Promise<{ reader: HistoryReader; close: () => Promise<void> }>,
): void {
  describe(`the history on ${name}`, () => {
    let reader: HistoryReader;
    let close = async (): Promise<void> => {};

    beforeAll(async () => {
      ({ reader, close } = await open());
    });
    afterAll(() => close());

    const listed = async (filter: CallFilter): Promise<string[]> =>
      (await reader.calls(filter, 50, null)).calls.map(({ linkedid }) => linkedid);

    test.each<[string, CallFilter, string[]]>([
      ['all, newest first', {}, ['c5', 'c4', 'c3', 'c2', 'c1']],
      ['from a moment on, and before another', { fromMs: at(10, 50), toMs: at(11, 40) }, ['c3', 'c2']],
      ['of an endpoint', { endpoints: ['PJSIP/alice'] }, ['c4', 'c2', 'c1']],
      ['of endpoints of a beginning', { endpoints: ['SIP/*'] }, ['c4', 'c2']],
      ['that an endpoint made', { endpoints: ['PJSIP/bob'], direction: 'from' }, ['c5', 'c3']],
      ['that an endpoint got', { endpoints: ['PJSIP/bob'], direction: 'to' }, ['c1']],
      ['of a verdict or another', { verdicts: ['bad', 'no-rtcp'] }, ['c3', 'c2']],
      ['of a score', { minMes: 3.5, maxMes: 4.2 }, ['c4', 'c1']],
      ['with a score at all', { minMes: 1 }, ['c5', 'c4', 'c2', 'c1']],
      ['of a codec', { codecs: ['g722'] }, ['c2']],
      ['of a number', { numbers: ['+49301'] }, ['c2']],
      ['of numbers of a beginning', { numbers: ['+*'] }, ['c2']],
      ['of a device', { devices: ['Yealink*'] }, ['c1']],
      ['of a phone’s site', { sites: ['Berlin'] }, ['c1']],
      ['of a party by either', { party: { endpoints: ['SIP/trunk'], numbers: ['+49301', '7'] } }, ['c4', 'c2']],
      ['of a fault', { faultPlaces: ['this-server', 'caller-network'] }, ['c4', 'c2']],
      ['that the callee or this server ended', { enders: ['callee', 'server'] }, ['c4', 'c2']],
      ['that the caller ended', { enders: ['caller'] }, []],
      ['of a finding in its audio', { findings: ['echo'] }, ['c2']],
      ['of one of several findings', { findings: ['clipped', 'noisy', 'too-quiet'] }, ['c4', 'c2']],
      ['of a length', { minDurationS: 60, maxDurationS: 120 }, ['c4', 'c1']],
      ['of all of it together', { endpoints: ['PJSIP/*'], verdicts: ['good'], codecs: ['ulaw'], toMs: at(12) }, ['c1']],
      ['of nobody', { endpoints: ["PJSIP/o'hara\\"] }, []],
    ])('lists calls %s', async (_, filter, expected) => {
      expect(await listed(filter)).toEqual(expected);
    });

    test('pages through calls, counts them, and puts them in other orders', async () => {
      const first = await reader.calls({}, 2, null, { isCounted: true });
      expect([first.calls.map(({ linkedid }) => linkedid), first.matching]).toEqual([['c5', 'c4'], 5]);
      const second = await reader.calls({}, 2, first.next);
      expect(second.calls.map(({ linkedid }) => linkedid)).toEqual(['c3', 'c2']);
      const third = await reader.calls({}, 2, second.next);
      expect([third.calls.map(({ linkedid }) => linkedid), third.next]).toEqual([['c1'], null]);
      const ordered = async (order: 'lowest-score' | 'highest-score' | 'lowest-minimum' | 'shortest' | 'longest') =>
        (await reader.calls({}, 3, null, { order })).calls.map(({ linkedid }) => linkedid);
      expect(await ordered('lowest-score')).toEqual(['c2', 'c4', 'c1']);
      expect(await ordered('highest-score')).toEqual(['c5', 'c1', 'c4']);
      expect(await ordered('lowest-minimum')).toEqual(['c2', 'c4', 'c1']);
      expect(await ordered('shortest')).toEqual(['c3', 'c5', 'c4']);
      expect(await ordered('longest')).toEqual(['c2', 'c1', 'c4']);
    });

    test('has a call with its channels and their streams, also by a linkedid that was joined into it', async () => {
      const found = await reader.call('c2');
      expect(found).toMatchObject({
        linkedid: 'c2',
        mes: 2,
        mesMin: 1,
        verdict: 'bad',
        startedAtMs: at(10, 50),
        endedAtMs: at(11),
      });
      expect(found?.channels.map(({ uniqueid, endpoint }) => [uniqueid, endpoint])).toEqual([
        ['c2', 'PJSIP/alice'],
        ['c2-1', 'SIP/trunk'],
      ]);
      expect(found?.channels[0]?.streams).toEqual([rx(27, 300, 20, 30)]);
      expect(found?.channels[0]).toMatchObject({
        onHold: true,
        callerName: 'Alice "A" O\'Hara; DROP TABLE calls',
        phone: { reports: 3 },
      });
      expect((await reader.call('c5-other'))?.linkedid).toBe('c5');
      expect(await reader.call('c9')).toBeNull();
    });

    test('has a channel, its segments and its reports in the order in which they came', async () => {
      const channel = await reader.channel('c1');
      expect(channel).toMatchObject({
        uniqueid: 'c1',
        linkedid: 'c1',
        endpoint: 'PJSIP/alice',
        mes: 4,
        device: 'Yealink T54W 96.86',
      });
      expect(channel?.streams[0]?.jitterMs).toEqual(samples(4, 10));
      expect(await reader.channel('c9')).toBeNull();
      const segments = await reader.segments('c1');
      expect(
        segments.map(({ direction, segmentNumber, openedBy, mes }) => [direction, segmentNumber, openedBy, mes]),
      ).toEqual([
        ['rx', 1, 'start', 4.3866],
        ['rx', 2, 'hold', null],
        ['tx', 1, 'start', 4.2866],
      ]);
      const intervals = await reader.intervals('c1');
      expect(
        intervals?.map(({ direction, reportNumber, reporter, lossPercent, mes }) => [
          direction,
          reportNumber,
          reporter,
          lossPercent,
          mes,
        ]),
      ).toEqual([
        ['rx', 1, 'local', 0.125, 4.35],
        ['tx', 1, 'remote', 0, 4.35],
        ['rx', 2, 'local', 0, null],
      ]);
      expect(await reader.intervals('c9')).toBeNull();
      expect(await reader.intervals('c5')).toEqual([]);
    });

    test('ranks endpoints, the lowest 5th percentile first', async () => {
      const { endpoints, leftOut } = await reader.endpoints(ALL_DAY);
      expect(leftOut).toBe(0);
      expect(endpoints).toMatchObject([
        // 1 and 3.5: the trunk's one stream has 12 of 600 lost, and no jitter known.
        {
          endpoint: 'SIP/trunk',
          calls: 2,
          scoredCalls: 2,
          judgedCalls: 2,
          badCalls: 1,
          badPercent: 50,
          mesMean: 2.25,
          mesMedian: 1,
          mesP5: 1,
          mesWorst: 1,
          lossPercent: 2,
          jitterMeanMs: null,
          rttMeanMs: 100.25,
        },
        // 4, 3 and (3 + 4) / 2; 30 of 600 lost; jitter (4 × 10 + 20 × 30) / 40.
        {
          endpoint: 'PJSIP/alice',
          calls: 3,
          scoredCalls: 3,
          judgedCalls: 3,
          badCalls: 0,
          badPercent: 0,
          mesMean: 3.5,
          mesMedian: 3.5,
          mesP5: 3,
          mesWorst: 3,
          lossPercent: 5,
          jitterMeanMs: 16,
          rttMeanMs: 160,
        },
        // 4.4, not known, and 4.5.
        {
          endpoint: 'PJSIP/bob',
          calls: 3,
          scoredCalls: 2,
          judgedCalls: 2,
          badCalls: 0,
          mesMean: 4.45,
          mesMedian: 4.4,
          mesP5: 4.4,
          mesWorst: 4.4,
          lossPercent: 1,
          jitterMeanMs: 2,
        },
      ]);
      const between = await reader.endpoints(IN_BETWEEN);
      expect(between.endpoints).toMatchObject([
        { endpoint: 'SIP/trunk', calls: 1, mesMean: 1, badCalls: 1, lossPercent: 2 },
        { endpoint: 'PJSIP/alice', calls: 1, mesMean: 3, badCalls: 0, lossPercent: 9, jitterMeanMs: 20 },
        {
          endpoint: 'PJSIP/bob',
          calls: 1,
          scoredCalls: 0,
          judgedCalls: 0,
          badPercent: null,
          mesMean: null,
          mesP5: null,
          lossPercent: null,
          jitterMeanMs: null,
        },
      ]);
    });

    test('groups calls by codec, device and site, and leaves out what is not known', async () => {
      // The trunk's leg alone; both legs of c1, and Alice's of c2: 31 of 700 lost, jitter (4 × 10 + 2 × 5 + 20 × 30) / 45.
      const codecs = await reader.groups?.(ALL_DAY, 'codec');
      expect(codecs).toMatchObject({
        leftOut: 0,
        groups: [
          {
            name: 'g722',
            calls: 1,
            judgedCalls: 1,
            badCalls: 1,
            ownFaultCalls: 0,
            mesMean: 1,
            lossPercent: 2,
            jitterMeanMs: null,
          },
          { name: 'ulaw', calls: 2, judgedCalls: 2, badCalls: 0, mesMean: 3.6, mesP5: 3 },
        ],
      });
      expect(codecs?.groups[1]?.lossPercent).toBeCloseTo(3100 / 700, 9);
      expect(codecs?.groups[1]?.jitterMeanMs).toBeCloseTo(650 / 45, 9);
      // Parts of hours: without c1, and with c1 alone.
      expect((await reader.groups?.(IN_BETWEEN, 'codec'))?.groups).toMatchObject([
        { name: 'g722', calls: 1, badCalls: 1, mesMean: 1, lossPercent: 2, rttMeanMs: 100.25 },
        { name: 'ulaw', calls: 1, badCalls: 0, mesMean: 3, lossPercent: 9, jitterMeanMs: 20 },
      ]);
      const early = { fromMs: at(10, 1), toMs: at(10, 30) };
      expect((await reader.groups?.(early, 'codec'))?.groups).toMatchObject([
        { name: 'ulaw', calls: 1, scoredCalls: 1, mesMean: 4.2, lossPercent: 1 },
      ]);
      for (const [by, groupName] of [
        ['device', 'Yealink T54W 96.86'],
        ['site', 'Berlin'],
      ] as const) {
        const known = [
          { name: groupName, calls: 1, mesMean: 4, mesMedian: 4, badCalls: 0, lossPercent: 1, jitterMeanMs: 4 },
        ];
        expect((await reader.groups?.(ALL_DAY, by))?.groups).toMatchObject(known);
        expect((await reader.groups?.(early, by))?.groups).toMatchObject(known);
        expect((await reader.groups?.(IN_BETWEEN, by))?.groups).toEqual([]);
      }
    });

    test('tells how calls went over time', async () => {
      const hours = await reader.summary({ ...IN_BETWEEN, bucketMs: HOUR_MS });
      expect(hours).toMatchObject([
        {
          startsAtMs: at(10),
          calls: 1,
          scoredCalls: 1,
          judgedCalls: 1,
          badCalls: 1,
          badPercent: 100,
          mesMean: 2,
          mesP5: 2,
        },
        { startsAtMs: at(11), calls: 1, scoredCalls: 0, judgedCalls: 0, badCalls: 0, badPercent: null, mesMean: null },
      ]);
      const days = await reader.summary({ ...ALL_DAY, bucketMs: 24 * HOUR_MS });
      // 4.2, 2 and 3.5 of four calls; then 4.5.
      expect(days).toMatchObject([
        {
          startsAtMs: DAY_START_MS,
          calls: 4,
          scoredCalls: 3,
          judgedCalls: 3,
          badCalls: 1,
          mesMean: 9.7 / 3,
          mesMedian: 3.5,
          mesP5: 2,
          mesWorst: 2,
        },
        { startsAtMs: at(24), calls: 1, mesMean: 4.5 },
      ]);
      expect(days).toHaveLength(2);
      const ofAlice = await reader.summary({ ...ALL_DAY, bucketMs: HOUR_MS, endpoint: 'PJSIP/alice' });
      expect(
        ofAlice.filter(({ calls }) => calls > 0).map(({ startsAtMs, calls, mesMean }) => [startsAtMs, calls, mesMean]),
      ).toEqual([
        [at(10), 2, 3.5],
        [at(11), 1, 3.5],
      ]);
      // Of a call the mean of all its legs there: 4.2; 3; not known; 3.5.
      const ofAny = await reader.summary({ ...ALL_DAY, bucketMs: 12 * HOUR_MS, endpoint: 'PJSIP/*' });
      expect(ofAny.map(({ calls, scoredCalls, mesMean, mesWorst }) => [calls, scoredCalls, mesMean, mesWorst])).toEqual(
        [
          [4, 3, expect.closeTo(10.7 / 3, 9), 3],
          [0, 0, null, null],
          [1, 1, 4.5, 4.5],
        ],
      );
      // Short of an hour at both ends.
      const minutes = await reader.summary({
        fromMs: at(10, 4),
        toMs: at(10, 55),
        bucketMs: 5 * MINUTE_MS,
        endpoint: 'PJSIP/*',
      });
      expect(minutes.filter(({ calls }) => calls > 0).map(({ startsAtMs, mesMean }) => [startsAtMs, mesMean])).toEqual([
        [at(10, 5), 4.2],
        [at(10, 50), 3],
      ]);
    });

    test('has the trends of some endpoints', async () => {
      const trends = await reader.trends({
        fromMs: at(10),
        toMs: at(12),
        bucketMs: HOUR_MS,
        endpoints: ['PJSIP/alice', 'SIP/trunk', 'SIP/none'],
      });
      expect(trends).toMatchObject([
        {
          endpoint: 'SIP/trunk',
          calls: 2,
          trend: { earlier: { calls: 1, mesP5: 1, lowCalls: 1 }, later: { calls: 1, mesP5: 3.5, lowCalls: 0 } },
        },
        {
          endpoint: 'PJSIP/alice',
          lossPercent: 5,
          trend: {
            earlier: { calls: 2, mesMean: 3.5, lowCalls: 1 },
            later: { calls: 1, mesMean: 3.5, lowCalls: 0 },
            buckets: [
              { startsAtMs: at(10), calls: 2, badPercent: 0, mesP5: 3 },
              { startsAtMs: at(11), calls: 1, badPercent: 0, mesP5: 3.5 },
            ],
          },
        },
      ]);
      expect(trends).toHaveLength(2);
    });
  });
}
