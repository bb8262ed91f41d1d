import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROBLEM } from '../../../src/api/answers/answers.ts';
import { csvLine, prefersCsv } from '../../../src/api/answers/csv.ts';
import { callRecord, channelRecord, intervalRecord, START_MS } from '../history/records.ts';
import { startServer, type TestServer } from './server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
  const hostile = channelRecord('h.1', {
    linkedid: 'hostile',
    callerNumber: '+4930123456',
    callerName: '=cmd|"/c calc"!A0',
    exten: '@SUM(1,2)',
  });
  server.history.record({ kind: 'channel', channel: hostile, resume: null });
  server.history.record({
    kind: 'channel',
    channel: channelRecord('h.2', { linkedid: 'hostile', endpoint: 'PJSIP/bob', startedAtMs: START_MS + 1 }),
    resume: null,
  });
  const part = { endedAtMs: START_MS + 61_250, mes: 4.286_61, faultWhy: null };
  server.history.record({ kind: 'call', call: callRecord('hostile', part) });
  server.history.record({ kind: 'interval', interval: intervalRecord('h.1', 1) });
  for (let n = 0; n < 1100; n++) {
    const startedAtMs = START_MS - 86_400_000 + n;
    server.history.record({ kind: 'call', call: callRecord(`old ${n}`, { startedAtMs, verdict: 'bad' }) });
  }
});
afterAll(() => server.close());

async function csv(path: string, accept = 'text/csv') {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { headers: { accept } });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const HEADER =
  'linkedid,state,started_at,ended_at,duration_s,caller_endpoint,caller_number,caller_name,exten,callee_endpoint,callee_number,callee_name,endpoints,codecs,mes,mes_100,mes_min,verdict,loss_percent,jitter_ms,rtt_ms,fault_place,fault_certainty,fault_why,ended_by,tags,profile,version';

describe('calls as CSV', () => {
  it('have a line each, in which nothing that a stranger sent can run', async () => {
    const { status, headers, text } = await csv('/v1/calls?from=2026-11-20');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(headers.get('vary')).toBe('accept, accept-encoding');
    expect(text).toBe(
      `${HEADER}\r\nhostile,ended,2026-11-20T10:00:00.000Z,2026-11-20T10:01:01.250Z,61.25,PJSIP/alice,+4930123456,` +
        `"'=cmd|""/c calc""!A0","'@SUM(1,2)",PJSIP/bob,100,"Alice ""A"" O'Hara; DROP TABLE calls",` +
        `PJSIP/alice PJSIP/bob,ulaw,4.29,85.7,3.5,good,2,,100.25,caller-network,sure,,,,documented,0.1.0\r\n`,
    );
  });

  it('come all, in order, or as many as are asked for', async () => {
    const lines = (await csv('/v1/calls?verdict=bad')).text.split('\r\n');
    expect(lines).toHaveLength(1102);
    expect(lines[0]).toBe(HEADER);
    expect(lines[1]).toMatch(/^old 1099,up,/);
    expect(lines[1100]).toMatch(/^old 0,up,/);
    expect(lines[1101]).toBe('');
    expect((await csv('/v1/calls?verdict=bad&limit=3')).text.split('\r\n')).toHaveLength(5);
  });

  it('are refused as JSON is', async () => {
    const { status, headers, text } = await csv('/v1/calls?min_mes=4&max_mes=3');
    expect(status).toBe(400);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(PROBLEM.parse(JSON.parse(text))).toMatchObject({ parameter: 'min_mes' });
  });
});

describe('intervals as CSV', () => {
  it('have the names and values of JSON', async () => {
    const { text } = await csv('/v1/channels/h.1/intervals');
    const [names = '', values = '', end] = text.split('\r\n');
    expect(end).toBe('');
    const row = Object.fromEntries(names.split(',').map((name, index) => [name, values.split(',')[index]]));
    expect(row).toMatchObject({
      uniqueid: 'h.1',
      report_number: '1',
      at: '2026-11-20T10:00:05.000Z',
      ssrc: '0xffffffff',
      cumulative_lost_packets: '-1',
      began_at: '',
      mes: '4.35',
      native_mes_100: '',
    });
    expect(names.split(',')).toHaveLength(values.split(',').length);
    expect((await csv('/v1/channels/h.2/intervals')).text).toBe(`${names}\r\n`);
    expect((await csv('/v1/channels/nobody/intervals')).status).toBe(404);
  });
});

describe('what the client gets', () => {
  it.each([
    [undefined, false],
    ['*/*', false],
    ['application/json', false],
    ['text/csv', true],
    ['TEXT/CSV; charset=utf-8', true],
    ['text/csv, */*', false],
    ['text/csv, */*;q=0.5', true],
    ['application/json;q=0.8, text/csv;q=0.9', true],
    ['application/json, text/csv;q=0.9', false],
    ['text/csv;q=0', false],
    ['text/csv;q=x', false],
    ['text/html', false],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', false],
    ['text/*', true],
    ['', false],
  ])('for Accept %j is CSV: %j', (accept, wanted) => {
    expect(prefersCsv(accept)).toBe(wanted);
  });

  it.each([
    ['=1+1', "'=1+1"],
    ['+1-1', "'+1-1"],
    ['-2', "'-2"],
    ['@A1', "'@A1"],
    ['\t=1', '"\'\t\'=1"'],
    ['\r=1', '"\'\r\'=1"'],
    ['a;b', '"a;b"'],
    ['a\tb', '"a\tb"'],
    ['Bob;=cmd|"/c calc"!A0', '"Bob;\'=cmd|""/c calc""!A0"'],
    ['Bob; @SUM(1)', '"Bob;\' @SUM(1)"'],
    ['Bob\t+1', '"Bob\t\'+1"'],
    ['Bob\n=1', '"Bob\n\'=1"'],
    ['Bob";=1', '"Bob"";\'=1"'],
    ['＝1', "'＝1"],
    ['+49', '+49'],
    ['+49 30', "'+49 30"],
    [-2, '-2'],
    [0, '0'],
    [null, ''],
    [true, 'true'],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\nlines', '"two\nlines"'],
    ['\u0639\u0644\u064A', '\u0639\u0644\u064A'],
    [['=a', 'b'], "'=a b"],
  ])('of the value %j is the cell %j', (value, wanted) => {
    expect(csvLine([value])).toBe(`${wanted}\r\n`);
  });
});

/** What a spreadsheet set to this separator makes of a line: quotes count at the beginning of a cell only. */
function cellsOf(text: string, separator: string): string[] {
  const cells: string[] = [];
  let at = 0;
  while (at < text.length) {
    let cell = '';
    if (text[at] === '"') {
      for (at++; at < text.length && !(text[at] === '"' && text[at + 1] !== '"'); at++) {
        cell += text[at] ?? '';
        if (text[at] === '"') at++;
      }
      at++;
    }
    const from = at;
    while (at < text.length && ![separator, '\r', '\n'].includes(text[at] ?? '')) at++;
    cells.push(cell + text.slice(from, at));
    at++;
  }
  return cells;
}

describe('a table', () => {
  it('has no cell that runs, whichever separator the spreadsheet is set to', () => {
    const piece = fc.constantFrom('=1', '+x', '-x', '@x', ';', '\t', ',', '"', '\n', '\r', ' ', 'a', '|', '\uFF1D1');
    const value = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), (values) => {
        for (const separator of [',', ';', '\t']) {
          for (const cell of cellsOf(csvLine(values), separator)) expect(cell).not.toMatch(/^\s*[=+\-@\uFF1D]/);
        }
      }),
      { seed: 17, numRuns: 2000 },
    );
  });
});
