import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROBLEM } from '../../../src/api/answers/answers.ts';
import { ENDPOINTS_ANSWER, GROUPS_ANSWER, SUMMARY_ANSWER } from '../../../src/api/answers/quality.ts';
import type { ChannelRecord } from '../../../src/model/record.ts';
import type { Verdict } from '../../../src/model/score.ts';
import { callRecord, channelRecord, START_MS, streamRecord } from '../history/records.ts';
import { startServer, type TestServer } from './server.ts';

const HOUR_MS = 3_600_000;

let server: TestServer;
let serial = 0;

interface Leg {
  readonly endpoint: string;
  readonly mes: number | null;
  readonly verdict: Verdict | null;
  readonly streams?: ChannelRecord['streams'];
}

function recordCall(startedAtMs: number, mes: number | null, verdict: Verdict | null, legs: readonly Leg[]): void {
  const linkedid = `call-${++serial}`;
  server.history.record({ kind: 'call', call: callRecord(linkedid, { startedAtMs, mes, verdict }) });
  for (const [index, leg] of legs.entries()) {
    const part = { linkedid, startedAtMs, streams: [], ...leg };
    server.history.record({ kind: 'channel', channel: channelRecord(`${linkedid}.${index}`, part), resume: null });
  }
}

const NO_SAMPLES = { last: null, mean: null, min: null, max: null, stdev: null, count: 0 };

beforeAll(async () => {
  server = await startServer();
  // Twenty-one calls of alice in the first hour, 2.00, 2.10 … 4.00: the second worst is the 5th percentile (21 × 0.05
  // is 1.05, so rank 2), the eleventh the median.
  for (let n = 0; n <= 20; n++) {
    const mes = 2 + n / 10;
    const verdict = mes < 3.1 ? ('bad' as const) : ('good' as const);
    recordCall(START_MS + n * 1000, mes, verdict, [{ endpoint: 'PJSIP/alice', mes, verdict }]);
  }
  // A trunk that was both legs of one call: one call, the mean of its legs, bad because one of them was.
  const lossy = streamRecord({
    packetsExpected: 100,
    packetsLost: 10,
    jitterMs: { ...NO_SAMPLES, mean: 30, count: 1 },
    rttMs: NO_SAMPLES,
  });
  const clean = streamRecord({
    direction: 'tx',
    packetsExpected: 300,
    packetsLost: 0,
    jitterMs: { ...NO_SAMPLES, mean: 10, count: 3 },
    rttMs: { ...NO_SAMPLES, mean: 80, count: 4 },
  });
  const uncounted = streamRecord({ packetsExpected: 5000, packetsLost: null, rttMs: NO_SAMPLES });
  recordCall(START_MS + 1_900_000, 3.5, 'fair', [
    { endpoint: 'PJSIP/trunk', mes: 3, verdict: 'bad', streams: [lossy, clean] },
    { endpoint: 'PJSIP/trunk', mes: 4, verdict: 'good', streams: [uncounted] },
    { endpoint: 'Local/600@queue', mes: null, verdict: null },
  ]);
  // Without a score: one that nobody answered, one without RTCP, one without media.
  recordCall(START_MS + 2 * HOUR_MS, null, null, [{ endpoint: 'PJSIP/bob', mes: null, verdict: null }]);
  recordCall(START_MS + 2 * HOUR_MS + 1, null, 'no-rtcp', [{ endpoint: 'PJSIP/bob', mes: null, verdict: 'no-rtcp' }]);
  recordCall(START_MS + 2 * HOUR_MS + 2, null, 'no-media', [{ endpoint: 'PJSIP/bob', mes: null, verdict: 'no-media' }]);
});
afterAll(() => server.close());

const RANGE = 'from=2026-11-20T10:00:00Z&to=2026-11-20T13:00:00Z';

describe('the ranking of endpoints', () => {
  it('has the lowest 5th percentile first, of calls as each endpoint had them, without Local channels', async () => {
    const { status, body } = await server.get(`/v1/endpoints?${RANGE}`);
    expect(status).toBe(200);
    expect(ENDPOINTS_ANSWER.parse(body)).toEqual({
      from: '2026-11-20T10:00:00.000Z',
      to: '2026-11-20T13:00:00.000Z',
      endpoints: [
        {
          endpoint: 'PJSIP/alice',
          calls: 21,
          scored_calls: 21,
          judged_calls: 21,
          bad_calls: 11,
          bad_percent: 52.38,
          mes_mean: 3,
          mes_median: 3,
          mes_p5: 2.1,
          // 2.0, 2.1 … 4.0: ranks 6, 16 and 20 of 21.
          mes_p25: 2.5,
          mes_p75: 3.5,
          mes_p95: 3.9,
          own_fault_calls: 0,
          mes_worst: 2,
          loss_percent: null,
          jitter_mean_ms: null,
          rtt_mean_ms: null,
        },
        {
          endpoint: 'PJSIP/trunk',
          calls: 1,
          scored_calls: 1,
          judged_calls: 1,
          bad_calls: 1,
          bad_percent: 100,
          mes_mean: 3.5,
          mes_median: 3.5,
          mes_p5: 3.5,
          mes_p25: 3.5,
          mes_p75: 3.5,
          mes_p95: 3.5,
          own_fault_calls: 0,
          mes_worst: 3.5,
          // 10 of 400; (30 + 3 × 10) / 4; the only round trips that there are.
          loss_percent: 2.5,
          jitter_mean_ms: 15,
          rtt_mean_ms: 80,
        },
        {
          endpoint: 'PJSIP/bob',
          calls: 3,
          scored_calls: 0,
          judged_calls: 1,
          bad_calls: 1,
          bad_percent: 100,
          mes_mean: null,
          mes_median: null,
          mes_p5: null,
          mes_p25: null,
          mes_p75: null,
          mes_p95: null,
          mes_worst: null,
          own_fault_calls: 0,
          loss_percent: null,
          jitter_mean_ms: null,
          rtt_mean_ms: null,
        },
      ],
      left_out: 0,
    });
  });

  it('counts a call at the start of the range and none at its end, and the last day by default', async () => {
    const counted = async (query: string): Promise<[string, number][]> => {
      const { endpoints } = ENDPOINTS_ANSWER.parse((await server.get(`/v1/endpoints${query}`)).body);
      return endpoints.map(({ endpoint, calls }) => [endpoint, calls]);
    };
    expect(await counted('?from=2026-11-20T10:00:20Z&to=2026-11-20T10:31:40Z')).toEqual([['PJSIP/alice', 1]]);
    expect(await counted('?from=2026-11-20T10:00:19Z&to=2026-11-20T10:00:20Z')).toEqual([['PJSIP/alice', 1]]);
    // It is eleven o'clock: bob has not called yet.
    expect(await counted('')).toEqual([
      ['PJSIP/alice', 21],
      ['PJSIP/trunk', 1],
    ]);
    expect(await counted('?to=2026-11-20T10:00:00Z')).toEqual([]);
  });

  it('is bounded, the worst stay', async () => {
    const many = await startServer();
    for (let n = 0; n < 1003; n++) {
      const channel = channelRecord(`c${n}`, { endpoint: `SIP/stranger-${n}`, mes: n === 1002 ? 1.5 : 4, streams: [] });
      many.history.record({ kind: 'channel', channel, resume: null });
    }
    const answer = ENDPOINTS_ANSWER.parse((await many.get('/v1/endpoints?from=2026-11-20')).body);
    expect(answer.endpoints).toHaveLength(1000);
    expect(answer.endpoints[0]?.endpoint).toBe('SIP/stranger-1002');
    expect(answer.left_out).toBe(3);
    await many.close();
  });
});

describe('the summary', () => {
  it('has a row for each hour, also where there was no call', async () => {
    const summary = SUMMARY_ANSWER.parse((await server.get(`/v1/summary?${RANGE}`)).body);
    expect({ ...summary, buckets: [] }).toEqual({
      from: '2026-11-20T10:00:00.000Z',
      to: '2026-11-20T13:00:00.000Z',
      bucket_s: 3600,
      endpoint: null,
      buckets: [],
    });
    const nothing = {
      mes_mean: null,
      mes_median: null,
      mes_p5: null,
      mes_p25: null,
      mes_p75: null,
      mes_p95: null,
      mes_worst: null,
    };
    expect(summary.buckets).toEqual([
      {
        starts_at: '2026-11-20T10:00:00.000Z',
        calls: 22,
        scored_calls: 22,
        judged_calls: 22,
        bad_calls: 11,
        bad_percent: 50,
        // (63 + 3.5) / 22; ranks 11 and 2 of 22.
        mes_mean: 3.02,
        mes_median: 3,
        mes_p5: 2.1,
        // 3.5 comes twice: ranks 6, 17 and 21 of 22.
        mes_p25: 2.5,
        mes_p75: 3.5,
        mes_p95: 3.9,
        mes_worst: 2,
      },
      {
        starts_at: '2026-11-20T11:00:00.000Z',
        calls: 0,
        scored_calls: 0,
        judged_calls: 0,
        bad_calls: 0,
        bad_percent: null,
        ...nothing,
      },
      {
        starts_at: '2026-11-20T12:00:00.000Z',
        calls: 3,
        scored_calls: 0,
        judged_calls: 1,
        bad_calls: 1,
        bad_percent: 100,
        ...nothing,
      },
    ]);
  });

  it('is aligned to whole stretches, the first and last of which the range may cut', async () => {
    const query = '/v1/summary?from=2026-11-20T10:00:10Z&to=2026-11-20T10:31:41Z&bucket=15m';
    const { buckets } = SUMMARY_ANSWER.parse((await server.get(query)).body);
    expect(buckets.map(({ starts_at: startsAt, calls }) => [startsAt, calls])).toEqual([
      ['2026-11-20T10:00:00.000Z', 11],
      ['2026-11-20T10:15:00.000Z', 0],
      ['2026-11-20T10:30:00.000Z', 1],
    ]);
  });

  it.each([
    ['PJSIP/trunk', [1, 1, 3.5]],
    ['PJSIP/*', [25, 13, 3]],
    ['PJSIP/nobody', [0, 0, null]],
    ["'; DROP TABLE calls; --", [0, 0, null]],
  ])('of the endpoint %s has its calls and its own scores only', async (endpoint, wanted) => {
    const query = `/v1/summary?${RANGE}&bucket=1d&endpoint=${encodeURIComponent(endpoint)}`;
    const summary = SUMMARY_ANSWER.parse((await server.get(query)).body);
    expect(summary.endpoint).toBe(endpoint);
    expect(summary.buckets.map((day) => [day.calls, day.bad_calls, day.mes_median])).toEqual([wanted]);
  });

  it.each([
    [
      '?bucket=30s',
      'bucket',
      'parameter bucket: "30s" is not allowed; give the length of a stretch, at least 1m, such as 15m, 1h or 1d',
    ],
    ['?from=-400d&bucket=1m', 'bucket', 'parameter bucket: the range has more than 3000 of them; give a longer one'],
    ['?from=-1h&to=-2h', 'from', 'parameter from: it is later than to; give an earlier time'],
    ['?codec=ulaw', 'codec', 'unknown parameter "codec"; known are from, to, bucket, endpoint'],
  ])('refuses %s and names the parameter', async (query, parameter, detail) => {
    const { status, body } = await server.get(`/v1/summary${query}`);
    expect(status).toBe(400);
    expect(PROBLEM.parse(body)).toMatchObject({ parameter, detail });
  });

  it('of a range that reaches back before 1970 begins there', async () => {
    const { buckets } = SUMMARY_ANSWER.parse((await server.get('/v1/summary?from=-36500d&bucket=36500d')).body);
    expect(buckets.map(({ starts_at: startsAt, calls }) => [startsAt, calls])).toEqual([
      ['1970-01-01T00:00:00.000Z', 22],
    ]);
  });
});

describe('devices, sites and codecs', () => {
  const groups = async (query: string) => GROUPS_ANSWER.parse((await server.get(`/v1/groups?${RANGE}${query}`)).body);

  it('have the calls of their channels, each once, and whose fault they were', async () => {
    const from = (linkedid: string, device: string | null, codec: string) => ({
      kind: 'channel' as const,
      channel: channelRecord(linkedid === 'two' ? 'two' : `${linkedid}.b`, {
        linkedid: 'two',
        startedAtMs: START_MS + 2 * HOUR_MS,
        endpoint: `SIP/${linkedid}`,
        device,
        site: null,
        mes: 2,
        verdict: 'bad',
        streams: [streamRecord({ codec, packetsExpected: 200, packetsLost: 50, rttMs: NO_SAMPLES })],
      }),
      resume: null,
    });
    server.history.record(from('two', 'Snom D785 10.1', 'opus'));
    server.history.record(from('other', 'Mobile', 'speex'));
    const call = callRecord('two', {
      startedAtMs: START_MS + 2 * HOUR_MS,
      mes: 2,
      verdict: 'bad',
      faultPlace: 'callee-phone',
    });
    server.history.record({ kind: 'call', call });
    const devices = await groups('&by=device');
    expect(devices.by).toBe('device');
    const known = devices.groups.filter(({ name }) => !name.startsWith('Yealink'));
    expect(known.map(({ name, calls, own_fault_calls: own, loss_percent: loss }) => [name, calls, own, loss])).toEqual([
      ['Mobile', 1, 1, 25],
      ['Snom D785 10.1', 1, 0, 25],
    ]);
    // Twenty-one of alice, one of a trunk, three of bob, by the device that channels have unless they say otherwise.
    expect(devices.groups.find(({ name }) => name.startsWith('Yealink'))?.calls).toBe(25);
    const codecs = await groups('&by=codec');
    expect(codecs.groups.map(({ name, calls }) => [name, calls])).toEqual([
      ['opus', 1],
      ['speex', 1],
      ['ulaw', 1],
    ]);
    expect((await groups('&by=site&limit=1')).groups.map(({ name }) => name)).toEqual(['Berlin']);
  });

  it('are asked for by a word that is known', async () => {
    const { status, body } = await server.get('/v1/groups?by=colour');
    expect([status, (body as { parameter: string }).parameter]).toEqual([400, 'by']);
  });
});
