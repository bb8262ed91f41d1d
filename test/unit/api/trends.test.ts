import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROBLEM } from '../../../src/api/answers/answers.ts';
import { ENDPOINTS_ANSWER } from '../../../src/api/answers/quality.ts';
import type { Verdict } from '../../../src/model/score.ts';
import { channelRecord, START_MS } from '../history/records.ts';
import { startServer, type TestServer } from './server.ts';

const HOUR_MS = 3_600_000;
const RANGE = 'from=2026-11-20T06:00:00Z&to=2026-11-20T12:00:00Z';

let server: TestServer;
let serial = 0;

/** `hour`: of the day that begins with START_MS less ten hours. */
function recordCalls(endpoint: string, hour: number, count: number, mes: number | null, verdict: Verdict): void {
  for (let n = 0; n < count; n++) {
    const startedAtMs = START_MS + (hour - 10) * HOUR_MS + n * 1000;
    const uniqueid = `call-${++serial}`;
    const part = { linkedid: uniqueid, startedAtMs, endedAtMs: startedAtMs + 500, endpoint, mes, verdict, streams: [] };
    server.history.record({ kind: 'channel', channel: channelRecord(uniqueid, part), resume: null });
  }
}

beforeAll(async () => {
  server = await startServer();
  recordCalls('PJSIP/alice', 6, 25, 4.2, 'good');
  recordCalls('PJSIP/alice', 9, 15, 4.2, 'good');
  recordCalls('PJSIP/alice', 9, 10, 2, 'bad');
  recordCalls('PJSIP/alice', 11, 1, null, 'too-short');
  recordCalls('PJSIP/alice-2', 6, 1, 1, 'bad');
  // As dialled over ISDN: the star is a digit.
  recordCalls('DAHDI/i1/*97', 8, 1, 3, 'bad');
});
afterAll(() => server.close());

async function endpoints(query: string) {
  return ENDPOINTS_ANSWER.parse((await server.get(`/v1/endpoints?${RANGE}&${query}`)).body).endpoints;
}

describe('the trend of an endpoint', () => {
  it('has a stretch for each hour, none where nobody called, and says that calls got worse', async () => {
    const [alice, ...others] = await endpoints('endpoint=PJSIP/alice');
    expect(others).toEqual([]);
    // Of 50 scores the third is the 5th percentile; 35 of 50 verdicts were not bad.
    expect(alice).toMatchObject({ endpoint: 'PJSIP/alice', calls: 51, bad_percent: 20, mes_p5: 2, mes_median: 4.2 });
    const none = { calls: 0, bad_percent: null, mes_p5: null };
    expect(alice?.trend?.buckets).toEqual([
      { starts_at: '2026-11-20T06:00:00.000Z', calls: 25, bad_percent: 0, mes_p5: 4.2 },
      { starts_at: '2026-11-20T07:00:00.000Z', ...none },
      { starts_at: '2026-11-20T08:00:00.000Z', ...none },
      { starts_at: '2026-11-20T09:00:00.000Z', calls: 25, bad_percent: 40, mes_p5: 2 },
      { starts_at: '2026-11-20T10:00:00.000Z', ...none },
      { starts_at: '2026-11-20T11:00:00.000Z', calls: 1, bad_percent: null, mes_p5: null },
    ]);
    // Both together 20 % bad: √(0.2 × 0.8 × 2/25) = 0.113, and 0.4 is 3.5 of it.
    expect(alice?.trend?.course).toBe('worse');
    expect(alice?.trend?.earlier).toEqual({
      calls: 25,
      scored_calls: 25,
      judged_calls: 25,
      bad_calls: 0,
      bad_percent: 0,
      mes_mean: 4.2,
      mes_median: 4.2,
      mes_p5: 4.2,
      mes_p25: 4.2,
      mes_p75: 4.2,
      mes_p95: 4.2,
      mes_worst: 4.2,
      low_calls: 0,
    });
    expect(alice?.trend?.later).toEqual({
      calls: 26,
      scored_calls: 25,
      judged_calls: 25,
      bad_calls: 10,
      bad_percent: 40,
      mes_mean: 3.32,
      mes_median: 4.2,
      mes_p5: 2,
      mes_p25: 2,
      mes_p75: 4.2,
      mes_p95: 4.2,
      mes_worst: 2,
      low_calls: 10,
    });
  });

  it('parts in the middle, at the nearest place where two stretches meet', async () => {
    // The middle is nine o'clock: of stretches of four hours, eight is nearer than twelve.
    const [alice] = await endpoints('endpoint=PJSIP/alice&bucket=4h');
    expect(alice?.trend?.buckets.map(({ starts_at: startsAt, calls }) => [startsAt, calls])).toEqual([
      ['2026-11-20T04:00:00.000Z', 25],
      ['2026-11-20T08:00:00.000Z', 26],
    ]);
    expect([alice?.trend?.earlier.calls, alice?.trend?.later.calls]).toEqual([25, 26]);
    const [day] = await endpoints('endpoint=PJSIP/alice&bucket=1d');
    expect(day?.trend).toMatchObject({ course: null, earlier: { calls: 0 }, later: { calls: 51, low_calls: 10 } });
  });

  it('is of whole names, the worst first, of those only that had calls', async () => {
    const found = await endpoints('endpoint=DAHDI/i1/*97&endpoint=PJSIP/alice&endpoint=PJSIP/nobody');
    expect(found.map(({ endpoint, mes_p5: p5, trend }) => [endpoint, p5, trend?.course])).toEqual([
      ['PJSIP/alice', 2, 'worse'],
      ['DAHDI/i1/*97', 3, null],
    ]);
  });

  it('is of all whose names have a beginning, a star at its end, and of as many as the limit says', async () => {
    const names = async (query: string) => (await endpoints(query)).map(({ endpoint }) => endpoint);
    expect(await names('endpoint=PJSIP/*')).toEqual(['PJSIP/alice-2', 'PJSIP/alice']);
    expect(await names('endpoint=PJSIP/alice*,DAHDI/i1/*97')).toEqual(['PJSIP/alice-2', 'PJSIP/alice', 'DAHDI/i1/*97']);
    expect(await names('endpoint=PJSIP/alice-*')).toEqual(['PJSIP/alice-2']);
    expect(await names('endpoint=SIP/*')).toEqual([]);
    expect(await names('endpoint=PJSIP/*&limit=1')).toEqual(['PJSIP/alice-2']);
    const { body } = await server.get(`/v1/endpoints?${RANGE}&limit=2`);
    expect(ENDPOINTS_ANSWER.parse(body)).toMatchObject({ left_out: 1, endpoints: [{}, {}] });
  });

  it('is not in the ranking of all', async () => {
    expect((await endpoints('')).map((endpoint) => [endpoint.endpoint, 'trend' in endpoint])).toEqual([
      ['PJSIP/alice-2', false],
      ['PJSIP/alice', false],
      ['DAHDI/i1/*97', false],
    ]);
  });

  it.each([
    ['bucket=1h', 'bucket', 'parameter bucket: trends are of endpoints by name; give up to 25 as endpoint=PJSIP/alice'],
    ['endpoint=a&bucket=1m', 'bucket', 'parameter bucket: the range has more than 120 of them; give a longer one'],
    [
      'endpoint=',
      'endpoint',
      'parameter endpoint: "" is not allowed; give an endpoint such as PJSIP/alice, or its beginning and * at its end',
    ],
    [
      'endpoint=a'.concat('&endpoint=a'.repeat(25)),
      'endpoint',
      'parameter endpoint: has more than 25 values; ask in parts',
    ],
    ['endpoint=a&bucket=1h&bucket=2h', 'bucket', 'parameter bucket: is given more than once; give it once'],
  ])('refuses %s', async (query, parameter, detail) => {
    const { status, body } = await server.get(`/v1/endpoints?${RANGE}&${query}`);
    expect(status).toBe(400);
    expect(PROBLEM.parse(body)).toMatchObject({ parameter, detail });
  });
});

describe('as CSV', () => {
  const csv = async (path: string): Promise<string> => String((await server.get(path, { accept: 'text/csv' })).body);
  const QUALITY =
    'calls,scored_calls,judged_calls,bad_calls,bad_percent,mes_mean,mes_median,mes_p5,mes_p25,mes_p75,mes_p95,mes_worst';
  const MEDIA = 'own_fault_calls,loss_percent,jitter_mean_ms,rtt_mean_ms';

  it('the ranking has a line for each endpoint', async () => {
    expect(await csv(`/v1/endpoints?${RANGE}`)).toBe(
      `endpoint,${QUALITY},${MEDIA}\r\nPJSIP/alice-2,1,1,1,1,100,1,1,1,1,1,1,1,0,,,\r\n` +
        'PJSIP/alice,51,50,50,10,20,3.76,4.2,2,4.2,4.2,4.2,2,0,,,\r\nDAHDI/i1/*97,1,1,1,1,100,3,3,3,3,3,3,3,0,,,\r\n',
    );
  });

  it('endpoints by name have the two halves and the word for them', async () => {
    expect(await csv(`/v1/endpoints?${RANGE}&endpoint=PJSIP/alice&endpoint=DAHDI/i1/*97`)).toBe(
      `endpoint,${QUALITY},${MEDIA},course,earlier_calls,earlier_bad_percent,earlier_mes_p5,later_calls,later_bad_percent,later_mes_p5\r\n` +
        'PJSIP/alice,51,50,50,10,20,3.76,4.2,2,4.2,4.2,4.2,2,0,,,,worse,25,0,4.2,26,40,2\r\n' +
        'DAHDI/i1/*97,1,1,1,1,100,3,3,3,3,3,3,3,0,,,,,1,100,3,0,,\r\n',
    );
  });

  it('the summary has a line for each stretch, what is not known is empty', async () => {
    expect(await csv(`/v1/summary?${RANGE}&bucket=6h&endpoint=PJSIP/alice`)).toBe(
      `starts_at,${QUALITY}\r\n2026-11-20T06:00:00.000Z,51,50,50,10,20,3.76,4.2,2,4.2,4.2,4.2,2\r\n`,
    );
    expect(await csv(`/v1/summary?from=2026-11-20T00:00:00Z&to=2026-11-20T06:00:00Z&bucket=6h`)).toBe(
      `starts_at,${QUALITY}\r\n2026-11-20T00:00:00.000Z,0,0,0,0,,,,,,,,\r\n`,
    );
  });
});
