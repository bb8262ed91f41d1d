import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TokenCheck } from '../../src/api/gate/token.ts';
import { serveRoutes } from '../../src/api/server.ts';
import { FleetGateway } from '../../src/fleet/gateway.ts';
import { KIND_NAMES, KINDS, type KindName } from '../../src/fleet/kinds.ts';
import { fleetRoutes } from '../../src/fleet/rest/fleet-routes.ts';
import { newPbx, readFleetSettings } from '../../src/fleet/settings.ts';
import { FleetStore } from '../../src/fleet/store.ts';
import { type ClickHouse, startShards } from '../lab/clickhouse.ts';
import { labIsReady } from '../lab/obstacle.ts';
import { makeRunDirectory } from '../lab/paths.ts';
import '../unit/fixed-seed.ts';

const DATABASE = 'mes_strangers';
const NOW_MS = Date.now();
const STARTED_MS = NOW_MS - 60_000;

/** A PBX with a good token that means harm, beside an honest one. */
describe.runIf(labIsReady())('a fleet with a stranger among its PBXs', () => {
  const folder = makeRunDirectory('fleet-strangers');
  const keys = { honest: newPbx('honest', 'north'), stranger: newPbx('stranger', '') } as const;
  const { pbxs } = readFleetSettings(keys.honest.lines + keys.stranger.lines, 'fleet.conf');
  let clickhouse: ClickHouse;
  let store: FleetStore;
  let gateway: FleetGateway;
  let batches: string;
  let rest: string;
  const problems: string[] = [];
  const stops: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    mkdirSync(folder, { recursive: true });
    const [one] = await startShards(join(folder, 'clickhouse'), 1);
    if (one === undefined) throw new Error('no ClickHouse');
    clickhouse = one;
    stops.push(() => one.kill());
    store = new FleetStore({
      database: DATABASE,
      cluster: null,
      isReplicated: false,
      shards: [[one.url]],
      username: 'default',
      password: '',
      bounds: { seconds: 2, memoryBytes: 500_000_000, rows: 1_000_000 },
    });
    await store.migrate();
    gateway = new FleetGateway({
      store,
      pbxs,
      nowMs: () => NOW_MS,
      onProblem: (sentence) => problems.push(sentence),
      blockMs: 100,
      mostRows: 30_000,
    });
    batches = `${await gateway.listen({ host: '127.0.0.1', port: 0 })}/v1/fleet/batches`;
    const api = serveRoutes(
      fleetRoutes({
        store,
        database: DATABASE,
        clock: { nowMs: () => NOW_MS },
        known: () => ({ pbxs, readers: [] }),
        counters: () => gateway.counters,
      }),
      { tokenCheck: new TokenCheck(null) },
    );
    rest = await api.listen({ host: '127.0.0.1', port: 0 });
    stops.push(
      () => store.close(),
      () => gateway.close(),
      () => api.close(),
    );
  });
  afterAll(async () => {
    for (const stop of stops.toReversed()) await stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function send(
    who: keyof typeof keys,
    body: string | Buffer,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; body: Readonly<Record<string, unknown>> }> {
    const response = await fetch(batches, {
      method: 'POST',
      headers: { authorization: `Bearer ${keys[who].token}`, 'content-type': 'application/x-ndjson', ...headers },
      body,
    });
    return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> };
  }

  function line(kind: KindName, row: Readonly<Record<string, unknown>>, part: object = {}): string {
    return JSON.stringify({ sequence: 1, kind, version: NOW_MS, call_started_at_ms: STARTED_MS, row, ...part });
  }

  /** Strange values of every type, among them those that JSON has and ClickHouse has not. */
  const strange = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(
      '\0',
      '\ud800',
      "'; DROP TABLE mes_calls --",
      '{"a":1}',
      '[[',
      '{"media":{}}',
      '<script>',
      '\\N',
      'null',
      'nan',
    ),
    fc.double({ noNaN: true }),
    fc.integer(),
    fc.constantFrom(-1, 1.5, 1e300, -1e300, 2 ** 53, 9_007_199_254_740_991, -9_007_199_254_740_991, 1e-320, 0),
    fc.constantFrom<unknown>(null, true, [], {}, [1, 2], ['a'], { a: 1 }),
  );
  /** A row that would be right, with some of its cells strange. */
  const row = fc
    .tuple(
      fc.constantFrom(...KIND_NAMES),
      fc.array(fc.tuple(fc.nat(200), strange), { maxLength: 4 }),
      fc.constantFrom('s1', 's2', 's3'),
    )
    .map(([name, cells, someId]) => {
      // An alias hides the call of its name.
      const id = name === 'aliases' ? 'joined' : someId;
      const kind = KINDS[name];
      const usual = Object.fromEntries(
        [...kind.key, ...kind.required].map((column) => {
          const type = (kind.columns as ReadonlyMap<string, string>).get(column);
          const value = { TEXT: id, REAL: 1.5, INTEGER: STARTED_MS, COUNTS: [4] }[type ?? 'TEXT'];
          return [column, column === 'direction' ? 'rx' : column === 'span_ms' ? 3_600_000 : value];
        }),
      );
      const columns = [...kind.columns.keys()];
      const odd = Object.fromEntries(cells.map(([index, value]) => [columns[index % columns.length] ?? '', value]));
      return line(name, { ...usual, ...odd });
    });

  const ADDRESSES = [
    '/v1/calls?limit=500',
    '/v1/calls?fields=summary&count=yes',
    '/v1/calls?sort=mes',
    '/v1/calls/s1?pbx=stranger',
    '/v1/calls/s2?pbx=stranger',
    '/v1/channels/s1?pbx=stranger',
    '/v1/channels/s1/intervals?pbx=stranger',
    '/v1/channels/s1/audio-statistics?pbx=stranger',
    '/v1/channels/s1/voip-metrics?pbx=stranger',
    '/v1/endpoints?from=-2d&to=2027-12-01T00:00:00Z',
    '/v1/summary?from=-2d',
    '/v1/summary?from=-2d&endpoint=s*&bucket=2h',
    '/v1/pbxs',
    '/metrics',
  ];

  test('whatever it sends is refused in a sentence or stored, holds up no other PBX, and spoils no answer', async () => {
    const lines = fc.sample(row, 400);
    const call = line('calls', { linkedid: 's1', started_at_ms: STARTED_MS });
    for (const channel of ['s1', 's2', 's3'])
      lines.push(
        line('calls', { linkedid: channel }),
        line('channels', { linkedid: channel, uniqueid: channel, endpoint: 's', started_at_ms: STARTED_MS }),
      );
    // At the same time, so that its rows lie in one block with the other's.
    const answers = await Promise.all([
      ...lines.map((text) => send('stranger', text)),
      ...Array.from({ length: 20 }, (_, index) => send('honest', call.replaceAll('s1', `h${index}`))),
    ]);
    const ofStranger = answers.slice(0, lines.length);
    const refused = ofStranger.filter(({ status }) => status !== 200);
    const sentences = refused.map(({ status, body }) => `${status} ${String(body['detail'])}`);
    expect(sentences.filter((sentence) => !/^400 line 1: [^\n]{5,120}$/.test(sentence))).toEqual([]);
    expect(answers.slice(lines.length).map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(problems).toEqual([]);
    expect(refused.length).toBeGreaterThan(50);
    expect(lines.length - refused.length).toBeGreaterThan(100);
    for (const address of ADDRESSES) {
      const response = await fetch(`${rest}${address}`);
      expect([address, response.status, response.status === 200 ? '' : await response.text()]).toEqual([
        address,
        200,
        '',
      ]);
    }
    const { calls } = (await (await fetch(`${rest}/v1/calls?limit=500&pbx=honest`)).json()) as { calls: object[] };
    expect(calls).toHaveLength(20);
    expect(await clickhouse.query(`SELECT DISTINCT pbx FROM ${DATABASE}.mes_calls ORDER BY pbx`)).toBe(
      'honest\nstranger',
    );
  });

  test.each<[string, string | Buffer, Readonly<Record<string, string>>, number, RegExp]>([
    [
      'names another PBX',
      line('calls', { linkedid: 'x', pbx: 'honest' }),
      {},
      400,
      /^line 1: a row may not say its pbx; the token does$/,
    ],
    [
      'names another PBX beside the row',
      line('calls', { linkedid: 'x' }, { pbx: 'honest' }),
      {},
      400,
      /^line 1: "pbx" is not allowed/,
    ],
    [
      'has a clock that is a year off',
      line('calls', { linkedid: 'x' }, { call_started_at_ms: NOW_MS + 366 * 86_400_000 }),
      {},
      400,
      /set the PBX's clock$/,
    ],
    [
      'sends a million rows',
      gzipSync(`${line('calls', { linkedid: 'x' })}\n`.repeat(1_000_000)),
      { 'content-encoding': 'gzip' },
      400,
      /^it cannot be unpacked; send gzip, 32 MB of text at most$/,
    ],
    [
      'sends 20,001 rows',
      gzipSync(
        Array.from({ length: 20_001 }, (_, index) => line('calls', { linkedid: 'x' }, { sequence: index })).join('\n'),
      ),
      { 'content-encoding': 'gzip' },
      400,
      /^more than 20000 rows; send them in parts$/,
    ],
    [
      'sends a bomb',
      gzipSync(Buffer.alloc(300_000_000)),
      { 'content-encoding': 'gzip' },
      400,
      /^it cannot be unpacked; send gzip, 32 MB of text at most$/,
    ],
    [
      'sends nine megabytes',
      Buffer.alloc(9_000_000, 'x'),
      {},
      413,
      /^the request cannot be read; send gzipped lines of JSON, 8 MB at most$/,
    ],
    [
      'sends half of a gzip',
      gzipSync(line('calls', { linkedid: 'x' })).subarray(0, 40),
      { 'content-encoding': 'gzip' },
      400,
      /^it cannot be unpacked/,
    ],
    ['sends nothing', '', {}, 400, /^there is no row/],
    ['sends another type', '{}', { 'content-type': 'text/html' }, 415, /^the request cannot be read/],
  ])('which %s is told in one sentence', async (_, body, headers, status, detail) => {
    const before = await clickhouse.query(`SELECT count() FROM ${DATABASE}.mes_calls`);
    const answer = await send('stranger', body, headers);
    expect([answer.status, answer.body['detail']]).toEqual([status, expect.stringMatching(detail)]);
    expect(await clickhouse.query(`SELECT count() FROM ${DATABASE}.mes_calls`)).toBe(before);
    expect(process.memoryUsage().rss).toBeLessThan(1_500_000_000);
  });

  test('a text comes back as it was sent, whatever ClickHouse takes for an end of a cell', async () => {
    const text = String.raw`\N \t \x41 "'` + '\t\n\r\0\b\f\v|\u2028ä😀';
    const id = 'texts\t1';
    expect((await send('honest', line('calls', { linkedid: id, profile: text, mes: 1e-7 }))).status).toBe(200);
    const sql = `SELECT profile, mes, verdict FROM ${DATABASE}.mes_calls WHERE linkedid = 'texts\\t1' FORMAT JSONEachRow`;
    expect(JSON.parse(await clickhouse.query(sql))).toEqual({ profile: text, mes: 1e-7, verdict: null });
  });

  test('a store that is behind is 503, with nothing stored and nothing held without a bound', async () => {
    const many = (from: number): string =>
      Array.from({ length: 4000 }, (_, index) =>
        line('calls', { linkedid: `m${from + index}` }, { sequence: index + 1 }),
      ).join('\n');
    clickhouse.pause();
    const sent = Promise.all(Array.from({ length: 12 }, (_, index) => send('honest', many(index * 4000))));
    await expect.poll(() => gateway.counters['busy'] ?? 0, { timeout: 20_000 }).toBeGreaterThan(0);
    expect(gateway.counters['waiting_rows']).toBeLessThanOrEqual(30_000);
    const asked = await fetch(`${rest}/v1/summary?from=-1d`);
    expect([asked.status, ((await asked.json()) as { code: string }).code]).toEqual([503, 'MES_ERR_FLEET_NO_ANSWER']);
    clickhouse.resume();
    const answers = await sent;
    const kept = answers.filter(({ status }) => status === 200).length;
    expect(answers.filter(({ status }) => status === 503).length).toBe(12 - kept);
    // What was refused is sent again.
    await expect
      .poll(
        async () => {
          const again = await Promise.all(
            answers.map(async ({ status }, index) => (status === 200 ? null : send('honest', many(index * 4000)))),
          );
          for (const [index, one] of again.entries()) if (one?.status === 200) answers[index] = one;
          return answers.every(({ status }) => status === 200);
        },
        { timeout: 60_000, interval: 500 },
      )
      .toBe(true);
    expect(
      await clickhouse.query(`SELECT uniqExact(linkedid) FROM ${DATABASE}.mes_calls WHERE startsWith(linkedid, 'm')`),
    ).toBe('48000');
  });

  test('a question that is too much is refused, and says what to do', async () => {
    await clickhouse.query(
      `INSERT INTO ${DATABASE}.mes_calls (pbx_id, pbx, site, row_version, call_started_at_ms, linkedid)
        SELECT 1, 'honest', '', 1, ${STARTED_MS} + number % 1000, toString(number) FROM numbers(1500000)`,
    );
    const response = await fetch(`${rest}/v1/calls?sort=mes`);
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      code: 'MES_ERR_FLEET_TOO_MUCH',
      detail: 'this question is too much for ClickHouse; ask for a shorter time or fewer PBXs',
    });
  });
});
