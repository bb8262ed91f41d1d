import { expect, it } from 'vitest';
import { rulesOutServer } from '../../../src/alerting/evidence/other-calls.ts';
import { TrunkCalls } from '../../../src/alerting/evidence/trunk-calls.ts';
import { trunkEvidenceOf } from '../../../src/alerting/evidence/trunk-evidence.ts';
import { trunkPage } from '../../../src/alerts/trunk-page.ts';
import type { CallQuality, CallWithChannels, EndpointWithTrend } from '../../../src/model/ports.ts';
import type { CallRecord } from '../../../src/model/record.ts';
import { callRecord, channelRecord, START_MS, streamRecord } from '../history/records.ts';

const MADE = { atMs: START_MS, host: 'pbx1', timeZone: 'Europe/Berlin' };
const CARRIER = 'PJSIP/carrier';

function quality(part: Partial<CallQuality>): CallQuality {
  const nothing = { calls: 0, scoredCalls: 0, judgedCalls: 0, badCalls: 0, badPercent: null };
  const quantiles = { mesMedian: null, mesP5: null, mesP25: null, mesP75: null, mesP95: null, mesWorst: null };
  return { ...nothing, mesMean: null, ...quantiles, ...part };
}

function trunkQuality(part: Partial<CallQuality>): EndpointWithTrend {
  const half = { ...quality({}), lowCalls: 0 };
  const buckets = [
    { startsAtMs: START_MS, calls: 5, badPercent: 20, mesP5: 2 },
    { startsAtMs: START_MS + 3_600_000, calls: 5, badPercent: 60, mesP5: 1.5 },
  ];
  const own = { endpoint: CARRIER, ownFaultCalls: 3, lossPercent: 3, jitterMeanMs: 4, rttMeanMs: 50 };
  return { ...quality(part), ...own, trend: { buckets, earlier: half, later: half } };
}

/** A phone called over the carrier. */
function callOver(id: string, isBad: boolean, part: Partial<CallRecord> = {}): CallWithChannels {
  const jitter = { last: 9, mean: isBad ? 30 : 10, min: 1, max: isBad ? 80 : 20, stdev: 1, count: isBad ? 10 : 30 };
  const carrier = channelRecord(`${id}.2`, {
    linkedid: `${id}.1`,
    endpoint: CARRIER,
    startedAtMs: START_MS,
    endedAtMs: START_MS + 60_000,
    verdict: isBad ? 'bad' : 'good',
    mes: isBad ? 2 : 4.3,
    sipCallId: `call-${id}`,
    streams: [
      streamRecord({ reports: 10, packetsExpected: 1000, packetsLost: isBad ? 100 : 0, jitterMs: jitter }),
      streamRecord({ direction: 'tx', reporter: 'remote', packetsExpected: null, packetsLost: null }),
    ],
  });
  const phone = channelRecord(`${id}.1`, { linkedid: `${id}.1`, startedAtMs: START_MS });
  const verdict = isBad ? 'bad' : 'good';
  return { ...callRecord(`${id}.1`, { verdict, startedAtMs: START_MS, ...part }), channels: [phone, carrier] };
}

function evidence(
  calls: readonly CallWithChannels[],
  trunk: Partial<CallQuality>,
  all: Partial<CallQuality>,
  left = 0,
) {
  const taken = new TrunkCalls(CARRIER);
  taken.take(calls.slice(0, 400));
  taken.take(calls.slice(400));
  return trunkEvidenceOf({
    endpoint: CARRIER,
    fromMs: START_MS,
    toMs: START_MS + 7_200_000,
    quality: trunkQuality(trunk),
    all: quality(all),
    calls: taken,
    callsLeftOut: left,
    made: MADE,
  });
}

const FOUR_BAD = [
  callOver('1', true, { faultPlace: 'callee-network', faultCertainty: 'sure' }),
  callOver('2', true, { faultPlace: 'caller-network' }),
  callOver('3', true, { faultPlace: 'this-server' }),
  callOver('4', true, { faultPlace: null }),
];

it('sums the directions of a trunk, weighted by packets and reports, and says where its faults lie', () => {
  const made = evidence([...FOUR_BAD, callOver('5', false)], { judgedCalls: 5, badCalls: 4 }, {});
  const [rx, tx] = made.directions;
  // 400 of 5000; 4 calls with 10 samples of 30 ms and one with 30 samples of 10 ms.
  expect(rx).toMatchObject({ calls: 5, reports: 50, packets_expected: 5000, packets_lost: 400, loss_percent: 8 });
  expect(rx?.jitter_ms).toEqual({ mean: 21.4, max: 80 });
  expect(rx?.measured_by).toBe('this server, of what it received');
  // Nobody knows how many packets were expected there: unknown is not 0.
  expect(tx).toMatchObject({ packets_expected: null, packets_lost: null, loss_percent: null });
  // The carrier is the callee: faults on the callee's side are its own.
  expect(made.faults).toEqual({ at_trunk: 1, at_other_side: 1, both: 0, this_server: 1, not_known: 1 });
  expect(made.worst_calls.map(({ linkedid }) => linkedid)).toEqual(['1.1', '2.1', '3.1', '4.1', '5.1']);
  expect(made.worst_calls[0]).toMatchObject({
    sip_call_id: 'call-1',
    fault_certainty: 'sure',
    rx: { loss_percent: 2, jitter_ms: 30 },
  });
});

it('holds it against all other calls, and says nothing that chance explains', () => {
  const own = { judgedCalls: 4, badCalls: 4, badPercent: 100 };
  const made = evidence(FOUR_BAD, own, { judgedCalls: 104, badCalls: 6 });
  // 4 of 4 against 2 of 100: C(6,4) of C(104,4) ways = 15 / 4,598,126.
  expect(made.others).toMatchObject({ judged_calls: 100, bad_calls: 2, bad_percent: 2 });
  expect(made.others.p_value).toBeCloseTo(15 / 4_598_126, 9);
  expect(made.what_rules_out_this_server).toMatch(/^Of the calls over this trunk 100 % were bad, of all 100 other/);
  // Others as bad as it: the fault may well be here.
  const same = evidence(FOUR_BAD, own, { judgedCalls: 104, badCalls: 104 });
  expect(same.what_rules_out_this_server).toBeNull();
  // Better than the others.
  const better = evidence(
    [callOver('5', false)],
    { judgedCalls: 1, badPercent: 0 },
    { judgedCalls: 101, badCalls: 60 },
  );
  expect(better.what_rules_out_this_server).toBeNull();
});

it('is a page in which no name is a tag, that says what is left out', () => {
  const hostile = callOver('6', true);
  const [phone, carrier] = hostile.channels;
  if (phone === undefined || carrier === undefined) throw new Error('two channels');
  const named = { ...hostile, channels: [phone, { ...carrier, callerNumber: '<script>alert(1)</script>' }] };
  const page = trunkPage(evidence([named], { judgedCalls: 1, badCalls: 1, badPercent: 100 }, { judgedCalls: 1 }, 7));
  expect(page).toContain('<h1>Calls over PJSIP/carrier</h1>');
  expect(page).toContain('2026-11-20 11:00:00 to 2026-11-20 13:00:00 (Europe/Berlin)');
  expect(page).not.toContain('<script>');
  expect(page).toContain('&lt;script&gt;');
  expect(page).toContain('7 older calls were too many to look at one by one');
  expect(page.match(/<rect /g)).toHaveLength(2);
  expect(page).toContain('Call-ID call-6');
});

it('says what other calls did at the time, and never that a server at fault is not', () => {
  const others = { calls: 6, judgedCalls: 5, badCalls: 0 };
  expect(rulesOutServer({ faultPlace: 'caller-network', faultWhy: 'It came with gaps.' }, others)).toBe(
    'It came with gaps. At the same time 5 other calls went through this server, and none of them was bad.',
  );
  expect(rulesOutServer({ faultPlace: null, faultWhy: null }, { calls: 4, judgedCalls: 4, badCalls: 0 })).toBeNull();
  expect(rulesOutServer({ faultPlace: null, faultWhy: null }, { calls: 9, judgedCalls: 9, badCalls: 1 })).toBeNull();
  expect(rulesOutServer({ faultPlace: 'this-server', faultWhy: 'It was busy.' }, others)).toBeNull();
});

it('lists the hundred worst of any number of calls, and counts all', () => {
  const good = Array.from({ length: 900 }, (_, n) => callOver(`g${n}`, false));
  const bad = Array.from({ length: 30 }, (_, n) => callOver(`b${n}`, true));
  // The bad ones are spread over the parts in which they come.
  const calls = good.flatMap((call, n) => (n % 30 === 0 ? [call, ...bad.slice(n / 30, n / 30 + 1)] : [call]));
  const made = evidence(calls, { judgedCalls: 930, badCalls: 30 }, { judgedCalls: 930, badCalls: 30 });
  expect(made.worst_calls).toHaveLength(100);
  expect(made.worst_calls.filter(({ verdict }) => verdict === 'bad')).toHaveLength(30);
  expect(made.worst_calls.slice(0, 30).every(({ verdict }) => verdict === 'bad')).toBe(true);
  // 30 calls lose 100 of their 1000 packets.
  expect(made.directions[0]).toMatchObject({ calls: 930, packets_expected: 930_000, packets_lost: 3000 });
  expect(made.others).toMatchObject({ judged_calls: 0, bad_calls: 0 });
});
