import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HEALTH_ANSWER, PROBLEM, READY_ANSWER } from '../../../src/api/answers/answers.ts';
import { errorsOnly } from '../../../src/app/state/log.ts';
import { callRecord } from '../history/records.ts';
import { startServer, WELL, type Answer, type TestServer } from './server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
  server.history.record({ kind: 'call', call: callRecord('known') });
});
afterAll(() => server.close());

function problem({ status, headers, body }: Answer) {
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json(; charset=utf-8)?$/);
  const document = PROBLEM.parse(body);
  expect(document.status).toBe(status);
  return document;
}

/** Sends bytes as they are, and gives back all that comes until the server hangs up. */
async function raw(bytes: string): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  socket.end(bytes);
  return text(socket);
}

describe('a request that is wrong', () => {
  const TIMES = 'give an ISO 8601 time such as 2026-11-20T10:00:00Z, or -1h, -30m, -7d, -45s';
  it.each([
    [
      '?form=-1h',
      'form',
      'unknown parameter "form"; known are from, to, party, endpoint, direction, codec, number, device, site, verdict, fault_place, ended_by, finding, rated, rating, issue, max_mes, min_mes, min_duration_s, max_duration_s, tag, sort, fields, count, limit, cursor',
    ],
    [
      '?__proto__=1',
      '__proto__',
      'unknown parameter "__proto__"; known are from, to, party, endpoint, direction, codec, number, device, site, verdict, fault_place, ended_by, finding, rated, rating, issue, max_mes, min_mes, min_duration_s, max_duration_s, tag, sort, fields, count, limit, cursor',
    ],
    ['?from=yesterday', 'from', `parameter from: "yesterday" is not allowed; ${TIMES}`],
    ['?from=2026-02-30', 'from', `parameter from: "2026-02-30" is not allowed; ${TIMES}`],
    ['?from=2026-11-20T25:00:00Z', 'from', `parameter from: "2026-11-20T25:00:00Z" is not allowed; ${TIMES}`],
    ['?to=', 'to', `parameter to: "" is not allowed; ${TIMES}`],
    ['?to=-0s', 'to', `parameter to: "-0s" is not allowed; ${TIMES}`],
    ['?to=-1w', 'to', `parameter to: "-1w" is not allowed; ${TIMES}`],
    ['?from=-1h&to=-2h', 'from', 'parameter from: it is later than to; give an earlier time'],
    ['?from=-1h&from=-2h', 'from', 'parameter from: is given more than once; give it once'],
    ['?limit=0', 'limit', 'parameter limit: "0" is not allowed; give a whole number from 1 to 500'],
    ['?limit=501', 'limit', 'parameter limit: "501" is not allowed; give a whole number from 1 to 500'],
    ['?limit=1e2', 'limit', 'parameter limit: "1e2" is not allowed; give a whole number from 1 to 500'],
    [
      '?number=',
      'number',
      `parameter number: "" is not allowed; give a caller's or connected number, or its beginning as stored and * at its end`,
    ],
    ['?max_mes=5', 'max_mes', 'parameter max_mes: "5" is not allowed; give an opinion from 1 to 4.5'],
    ['?min_mes=NaN', 'min_mes', 'parameter min_mes: "NaN" is not allowed; give an opinion from 1 to 4.5'],
    ['?min_mes=4&max_mes=3', 'min_mes', 'parameter min_mes: it is above max_mes; give a lower one'],
    [
      '?verdict=great',
      'verdict',
      'parameter verdict: "great" is not allowed; give one of good, fair, poor, bad, no-media, no-rtcp, one-way-rx, one-way-tx, too-short, bad-or-worse, poor-or-worse, any-one-way',
    ],
    [
      '?endpoint=*bob',
      'endpoint',
      'parameter endpoint: "*bob" is not allowed; give an endpoint such as PJSIP/alice, or its beginning and * at its end',
    ],
    [
      '?codec=%00',
      'codec',
      'parameter codec: "\\u0000" is not allowed; give a codec\'s name as Asterisk writes it, such as ulaw',
    ],
  ])('such as /v1/calls%s is told which parameter and what is allowed', async (query, parameter, detail) => {
    const code = detail.startsWith('unknown') ? 'MES_ERR_PARAMETER_UNKNOWN' : 'MES_ERR_PARAMETER_VALUE';
    const document = problem(await server.get(`/v1/calls${query}`));
    expect(document).toMatchObject({ type: 'about:blank', title: 'Bad Request', status: 400, parameter, code });
    expect(document.detail).toBe(detail);
  });

  // Not base64url; not JSON; not our pair; a pair of other types; padded; an empty list; too long.
  it.each(['x', 'bm90IGpzb24', 'WzEsMl0', 'WyJhIiwieCJd', 'WzEsIngiXQ==', 'W10', 'A'.repeat(700)])(
    'such as the cursor %s is told where cursors come from',
    async (cursor) => {
      const document = problem(await server.get(`/v1/calls?cursor=${cursor}`));
      expect(document).toMatchObject({ status: 400, parameter: 'cursor' });
      expect(document.detail).toMatch(
        /^parameter cursor: ".+" is not allowed; give the next_cursor of the page before, unchanged$/,
      );
    },
  );

  it.each(['/v1/calls/known', '/v1/channels/x', '/v1/channels/x/voip-metrics', '/healthz', '/readyz'])(
    'has its unknown parameter refused at %s too',
    async (path) => {
      const document = problem(await server.get(`${path}?verbose=1`));
      expect(document).toMatchObject({
        status: 400,
        detail: 'unknown parameter "verbose"; this address takes none',
        parameter: 'verbose',
      });
    },
  );

  it.each([
    ['/v1/calls/unknown', 'no call of this id is known; it may be older than the history is kept'],
    ['/v1/channels/unknown', 'no channel of this id is known; it may be older than the history is kept'],
    ['/v1/channels/unknown/intervals', 'no channel of this id is known; it may be older than the history is kept'],
    ['/v1/phones', 'there is nothing at this address; the calls are at /v1/calls'],
    ['/v1/calls/', 'no call of this id is known; it may be older than the history is kept'],
  ])('to %s finds nothing', async (path, detail) => {
    const code = detail.startsWith('no ') ? 'MES_ERR_NO_SUCH_ID' : 'MES_ERR_NO_SUCH_ADDRESS';
    expect(problem(await server.get(path))).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail,
      code,
    });
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('by %s is told to read', async (method) => {
    const init = { method, ...(method === 'OPTIONS' ? {} : { body: '<x/>', headers: { 'content-type': 'text/xml' } }) };
    const response = await fetch(`http://127.0.0.1:${server.port}/v1/calls/known`, init);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
    expect(problem({ status: response.status, headers: response.headers, body: await response.json() })).toMatchObject({
      status: 405,
      detail: 'this address does not take this method; use GET',
    });
  });

  it('in its escapes is refused as a problem document', async () => {
    expect(problem(await server.get('/v1/calls/%zz'))).toMatchObject({ status: 400 });
    expect(problem(await server.get(`/v1/calls/${'x'.repeat(500)}`))).toMatchObject({ status: 414 });
  });

  it('in its very HTTP, or too large, is refused and the connection closed', async () => {
    const nonsense = await raw('HELLO\r\n\r\n');
    expect(nonsense).toMatch(/^HTTP\/1\.1 400 Bad Request\r\nContent-Type: application\/problem\+json\r\n/);
    expect(PROBLEM.parse(JSON.parse(nonsense.split('\r\n\r\n')[1] ?? ''))).toMatchObject({ status: 400 });
    const large = await raw(`GET /v1/calls?endpoint=${'x'.repeat(9000)} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(large).toMatch(/^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/);
    expect((await server.get('/v1/calls/known')).status).toBe(200);
  });
});

describe('health', () => {
  it('is ok while the process serves, ready only when Asterisk is connected and the history writable', async () => {
    const healthz = await server.get('/healthz');
    expect(healthz.status).toBe(200);
    expect(HEALTH_ANSWER.parse(healthz.body)).toEqual({
      status: 'ok',
      capture: { status: 'off', problem: null },
      counters: { rtcp_events: 12, dropped: 0 },
    });
    expect(READY_ANSWER.parse((await server.get('/readyz')).body)).toEqual({
      status: 'ready',
      ari_connected: null,
      asterisk_version: '22.10.1',
    });

    const amiProblem = 'Asterisk does not answer at 127.0.0.1:5038; start it';
    server.health = { ...WELL, amiConnected: false, amiProblem };
    expect(problem(await server.get('/readyz'))).toMatchObject({ status: 503, detail: amiProblem });
    expect((await server.get('/healthz')).status).toBe(200);
    server.health = { ...WELL, amiConnected: false, historyWritable: false, historyProblem: 'the disk is full' };
    expect(problem(await server.get('/readyz')).detail).toBe(
      'there is no connection to Asterisk (AMI); the disk is full',
    );
    server.health = WELL;
  });
});

describe('a token', () => {
  it('is asked for everywhere but at /healthz, and never shown', async () => {
    const guarded = await startServer({ token: 'open-sesame' });
    try {
      for (const authorization of [
        '',
        'Bearer wrong',
        'Bearer open-sesam',
        'Bearer',
        'Basic open-sesame',
        'Bearer a b',
      ]) {
        for (const path of ['/v1/calls', '/v1/live', '/readyz', '/nowhere', '/v1/calls?nonsense=1']) {
          const answer = await guarded.get(path, { authorization });
          expect(problem(answer)).toEqual({
            type: 'about:blank',
            title: 'Unauthorized',
            status: 401,
            detail: 'a token is needed; send "Authorization: Bearer" and the token of [http] in mes.conf',
            code: 'MES_ERR_TOKEN',
          });
          expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="asterisk-mes"');
        }
      }
      expect((await guarded.get('/healthz')).status).toBe(200);
      expect((await guarded.get('/v1/calls', { authorization: 'Bearer open-sesame' })).status).toBe(200);
      expect((await guarded.get('/readyz', { authorization: 'bearer open-sesame' })).status).toBe(200);
    } finally {
      await guarded.close();
    }
  });
});

describe('a failure of our own', () => {
  it.each([
    ['info', [['error', 'a request failed', 'the history is closed']]],
    ['error', [['error', 'a request failed', 'the history is closed']]],
    ['silent', []],
  ])('is a 500 without a word of the inside, which a log of level %s has', async (level, logged) => {
    const lines: string[] = [];
    const log = pino(
      { level, formatters: { level: (label) => ({ level: label }) } },
      { write: (line) => lines.push(line) },
    );
    const broken = await startServer({ logger: errorsOnly(log) });
    await broken.history.close();
    problem(await broken.get('/v1/calls?limit=0'));
    expect(lines).toEqual([]);
    const document = problem(await broken.get('/v1/calls'));
    const entries = lines.map((line) => JSON.parse(line) as { level: string; msg: string; err: { message: string } });
    expect(entries.map((entry) => [entry.level, entry.msg, entry.err.message])).toEqual(logged);
    expect(document).toEqual({
      type: 'about:blank',
      title: 'Internal Server Error',
      status: 500,
      detail: 'the server failed on this request; its log says why',
      code: 'MES_ERR_SERVER',
    });
    await broken.close();
  });

  it('is not in the log, where clients have gone while their requests waited', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'error' }, { write: (line) => lines.push(line) });
    const left = await startServer({ logger: errorsOnly(log) });
    const socket = connect(left.port, '127.0.0.1');
    // Who asks for more before the answer is cut off.
    socket.write('GET /v1/summary HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(2));
    await once(socket, 'close');
    expect((await left.get('/v1/calls')).status).toBe(200);
    expect(lines).toEqual([]);
    await left.close();
  });
});
