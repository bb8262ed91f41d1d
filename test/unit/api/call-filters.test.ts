import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CALLS_ANSWER, CALLS_SUMMARY_ANSWER, PROBLEM } from '../../../src/api/answers/answers.ts';
import type { CallRecord } from '../../../src/model/record.ts';
import { callRecord, channelRecord, START_MS, streamRecord } from '../history/records.ts';
import { NOW_MS, startServer, type TestServer } from './server.ts';

let server: TestServer;

/** A call of two legs: the first has the linkedid as its uniqueid, as Asterisk has it. */
function record(linkedid: string, from: string, to: string, part: Partial<CallRecord>, codec = 'ulaw'): void {
  const startedAtMs = part.startedAtMs ?? START_MS;
  const legs = [
    { uniqueid: linkedid, endpoint: from, callerNumber: from.replace(/^.*\//, ''), connectedNumber: '999' },
    { uniqueid: `${linkedid}.b`, endpoint: to, callerNumber: to.replace(/^.*\//, ''), connectedNumber: '998' },
  ];
  for (const { uniqueid, ...leg } of legs) {
    const streams = [streamRecord({ codec })];
    const channel = channelRecord(uniqueid, {
      linkedid,
      startedAtMs,
      endedAtMs: part.endedAtMs ?? null,
      streams,
      ...leg,
    });
    server.history.record({ kind: 'channel', channel, resume: null });
  }
  server.history.record({ kind: 'call', call: callRecord(linkedid, part) });
}

beforeAll(async () => {
  server = await startServer();
  const at = (minute: number, lengthS: number | null) => ({
    startedAtMs: START_MS + minute * 60_000,
    endedAtMs: lengthS === null ? null : START_MS + minute * 60_000 + lengthS * 1000,
  });
  record('good', 'PJSIP/214', 'PJSIP/trunk', { ...at(0, 30), mes: 4.3, verdict: 'good', faultPlace: 'none' });
  record('fair', 'PJSIP/trunk', 'SIP/214', { ...at(1, 90), mes: 3.7, verdict: 'fair', faultPlace: 'none' }, 'alaw');
  record('poor', 'PJSIP/2140', 'PJSIP/bob', {
    ...at(2, 61),
    mes: 3.2,
    verdict: 'poor',
    faultPlace: 'caller-network',
    endedBy: 'caller',
  });
  record('bad', 'PJSIP/bob', 'PJSIP/trunk', {
    ...at(3, 600),
    mes: 1.5,
    verdict: 'bad',
    faultPlace: 'callee-network',
    endedBy: 'server',
  });
  record(
    'silent',
    'PJSIP/bob',
    'PJSIP/carol',
    { ...at(4, 5), mes: null, verdict: 'no-media', faultPlace: null },
    'opus',
  );
  const oneWay = { ...at(5, 45), mes: 4.1, faultPlace: 'this-server' as const };
  record('deaf', 'PJSIP/carol', 'PJSIP/214', { ...oneWay, verdict: 'one-way-rx' });
  record('mute', 'PJSIP/carol', 'PJSIP/dave', {
    ...at(6, null),
    mes: 2.2,
    verdict: 'one-way-tx',
    faultPlace: null,
  });
  // It is up, and by now its reports tell where the fault lies.
  const now = callRecord('mute', { mes: 2.2, verdict: 'one-way-tx', faultPlace: 'both-networks' });
  server.history.record({ kind: 'scores', scores: { ...now, channels: [] } });
});
afterAll(() => server.close());

async function found(query: string): Promise<string[]> {
  const { status, body } = await server.get(`/v1/calls?${query}`);
  expect([query, status]).toEqual([query, 200]);
  return CALLS_ANSWER.parse(body).calls.map(({ linkedid }) => linkedid);
}

describe('filters of calls', () => {
  it.each([
    ['verdict=bad', ['bad']],
    ['verdict=bad,poor', ['bad', 'poor']],
    ['verdict=bad&verdict=poor', ['bad', 'poor']],
    ['verdict=bad-or-worse', ['mute', 'deaf', 'silent', 'bad']],
    ['verdict=poor-or-worse', ['mute', 'deaf', 'silent', 'bad', 'poor']],
    ['verdict=any-one-way', ['mute', 'deaf']],
    ['verdict=any-one-way,fair', ['mute', 'deaf', 'fair']],
    ['verdict=bad-or-worse&max_mes=3', ['mute', 'bad']],
    ['verdict=one-way-rx', ['deaf']],
    ['fault_place=this-server', ['deaf']],
    ['fault_place=callee-network,both-networks', ['mute', 'bad']],
    ['fault_place=none&verdict=fair', ['fair']],
    ['ended_by=server', ['bad']],
    ['ended_by=caller,server', ['bad', 'poor']],
    ['ended_by=callee', []],
    ['ended_by=caller&verdict=bad', []],
    ['codec=alaw,opus', ['silent', 'fair']],
    ['endpoint=PJSIP/214', ['deaf', 'good']],
    ['endpoint=PJSIP/214,SIP/214', ['deaf', 'fair', 'good']],
    ['endpoint=PJSIP/21*&endpoint=SIP/*', ['deaf', 'poor', 'fair', 'good']],
    ['endpoint=214', []],
    ['endpoint=PJSIP/214&direction=from', ['good']],
    ['endpoint=PJSIP/214&direction=to', ['deaf']],
    ['endpoint=PJSIP/trunk&direction=to&verdict=bad-or-worse', ['bad']],
    ['party=214', ['deaf', 'fair', 'good']],
    ['party=214*', ['deaf', 'poor', 'fair', 'good']],
    ['party=PJSIP/2140', ['poor']],
    ['party=998&verdict=good,bad', ['bad', 'good']],
    ['party=nobody', []],
    ['number=998&number=2140&verdict=poor', ['poor']],
    ['min_duration_s=61', ['bad', 'poor', 'fair']],
    ['max_duration_s=44.9', ['silent', 'good']],
    ['min_duration_s=45&max_duration_s=61&verdict=any-one-way,poor', ['deaf', 'poor']],
  ])('%s', async (query, expected) => {
    expect(await found(query)).toEqual(expected);
  });

  it('sort one page, what is not known last, and do not go on from it', async () => {
    expect(await found('sort=mes')).toEqual(['bad', 'mute', 'poor', 'fair', 'deaf', 'good', 'silent']);
    expect(await found('sort=-mes&limit=2')).toEqual(['good', 'deaf']);
    expect(await found('sort=-duration_s')).toEqual(['bad', 'fair', 'poor', 'deaf', 'good', 'silent', 'mute']);
    expect(await found('sort=duration_s&verdict=good,fair')).toEqual(['good', 'fair']);
    expect(await found('sort=-started_at&limit=1')).toEqual(['mute']);
    expect((await server.get('/v1/calls?sort=mes&limit=2')).body).toMatchObject({ next_cursor: null });
    const { next_cursor: cursor } = CALLS_ANSWER.parse((await server.get('/v1/calls?limit=1')).body);
    const { status, body } = await server.get(`/v1/calls?sort=mes&cursor=${cursor}`);
    expect([status, PROBLEM.parse(body).parameter]).toEqual([400, 'cursor']);
  });

  it('count on request', async () => {
    expect((await server.get('/v1/calls?verdict=bad,poor&count=yes&limit=1')).body).toMatchObject({ matching: 2 });
    expect((await server.get('/v1/calls?count=yes')).body).toMatchObject({ matching: 7 });
    expect((await server.get('/v1/calls')).body).not.toHaveProperty('matching');
  });

  it.each([
    ['verdict=bad,', 'verdict'],
    ['verdict=bad,great', 'verdict'],
    ['fault_place=here', 'fault_place'],
    ['ended_by=nobody', 'ended_by'],
    ['direction=from', 'direction'],
    ['endpoint=PJSIP/214&direction=in', 'direction'],
    ['min_duration_s=9&max_duration_s=3', 'min_duration_s'],
    ['min_duration_s=-1', 'min_duration_s'],
    ['sort=verdict', 'sort'],
    ['count=no', 'count'],
    [`codec=${'a,'.repeat(25)}a`, 'codec'],
  ])('refuse %s', async (query, parameter) => {
    const { status, body } = await server.get(`/v1/calls?${query}`);
    expect([status, PROBLEM.parse(body).parameter]).toEqual([400, parameter]);
  });
});

describe('a call in short', () => {
  it('has who, when and how good, in a fifth of the size', async () => {
    const whole = await server.get('/v1/calls?limit=7');
    const short = await server.get('/v1/calls?limit=7&fields=summary');
    const { calls } = CALLS_SUMMARY_ANSWER.parse(short.body);
    expect(calls.map(({ linkedid }) => linkedid)).toEqual(
      CALLS_ANSWER.parse(whole.body).calls.map(({ linkedid }) => linkedid),
    );
    expect(calls.at(-1)).toMatchObject({
      linkedid: 'good',
      mes: 4.3,
      duration_s: 30,
      codecs: ['ulaw'],
      channels: [{ endpoint: 'PJSIP/214', caller_number: '214' }, { endpoint: 'PJSIP/trunk' }],
    });
    expect(JSON.stringify(short.body).length * 3).toBeLessThan(JSON.stringify(whole.body).length);
    expect(JSON.stringify(short.body).length / 7).toBeLessThan(1200);
  });
});

describe('a call that has ended', () => {
  it('has an ETag, by which the same is not sent again', async () => {
    const first = await server.get('/v1/calls/good');
    const tag = first.headers.get('etag') ?? '';
    expect(tag).toMatch(/^W\/"[\w-]{20,}"$/);
    const again = await server.get('/v1/calls/good', { 'if-none-match': `"other", ${tag}` });
    expect([again.status, again.body]).toEqual([304, '']);
    expect((await server.get('/v1/calls/good', { 'if-none-match': 'W/"other"' })).status).toBe(200);
    expect((await server.get('/v1/calls/bad')).headers.get('etag')).not.toBe(tag);
    expect((await server.get('/v1/calls/mute')).headers.get('etag')).toBeNull();
    const changed = callRecord('good', { startedAtMs: START_MS, endedAtMs: START_MS + 30_000, mes: 2 });
    server.history.record({ kind: 'call', call: changed });
    expect((await server.get('/v1/calls/good', { 'if-none-match': tag })).status).toBe(200);
  });
});

describe('a list', () => {
  it('gives as many as its limit says, and as CSV a name for the file', async () => {
    const csv = async (path: string) => {
      const { headers } = await server.get(path, { accept: 'text/csv' });
      return headers.get('content-disposition');
    };
    const range = `from=${new Date(START_MS).toISOString()}&to=${new Date(NOW_MS).toISOString()}`;
    const { body } = await server.get(`/v1/endpoints?${range}&limit=2`);
    expect((body as { endpoints: object[] }).endpoints).toHaveLength(2);
    expect(await csv('/v1/calls')).toBe('attachment; filename="calls.csv"');
    expect(await csv(`/v1/endpoints?${range}`)).toBe('attachment; filename="endpoints.csv"');
    expect(await csv('/v1/channels/good.b/intervals?limit=3')).toBe('attachment; filename="intervals-good.b.csv"');
  });
});
