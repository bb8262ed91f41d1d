import { TokenCheck } from '../../src/api/gate/token.ts';
import { serveRoutes } from '../../src/api/server.ts';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dashboardAssets } from '../../src/dashboard/assets.ts';
import { FleetGateway } from '../../src/fleet/gateway.ts';
import { FleetHistory } from '../../src/fleet/read/fleet-history.ts';
import type { Scope } from '../../src/fleet/read/scope.ts';
import { listPbxs } from '../../src/fleet/read/pbxs.ts';
import { fleetRoutes } from '../../src/fleet/rest/fleet-routes.ts';
import { type FleetReader, newPbx, newReader, readFleetSettings } from '../../src/fleet/settings.ts';
import { FleetStore } from '../../src/fleet/store.ts';
import type { HistoryReader } from '../../src/model/ports.ts';
import { type ClickHouse, startShards } from '../lab/clickhouse.ts';
import { type SteppedPbx, startPbx } from '../lab/fleet-pbx.ts';
import { labIsReady } from '../lab/obstacle.ts';
import { makeRunDirectory } from '../lab/paths.ts';
import { openBrowser, openPage } from './fixtures/browser.ts';
import { CONTRACT_CHANGES, CONTRACT_NOW_MS } from '../unit/history/contract-calls.ts';
import { readerContract } from '../unit/history/reader-contract.ts';

/** What of any answer is looked at. */
interface Answer {
  readonly shards: unknown;
  readonly calls: readonly { readonly pbx: string; readonly linkedid: string }[];
  readonly next_cursor: string;
  readonly intervals: unknown;
  readonly endpoints: readonly object[];
  readonly buckets: readonly { readonly calls: number }[];
  readonly pbxs: readonly Readonly<Record<string, unknown>>[];
  readonly pbx: string;
  readonly code: string;
  readonly detail: string;
  readonly parameter: string;
  readonly paths: Readonly<
    Record<string, { readonly get: { readonly parameters: readonly { readonly name: string }[] } }>
  >;
}

describe.runIf(labIsReady())('the fleet’s store, read', () => {
  const folder = makeRunDirectory('fleet-reader');
  const names = ['berlin', 'bonn', 'ulm'] as const;
  const keys = new Map(names.map((name) => [name, newPbx(name, name === 'ulm' ? 'south' : 'north')] as const));
  const { pbxs } = readFleetSettings([...keys.values()].map(({ lines }) => lines).join('\n'), 'fleet.conf');
  let shards: ClickHouse[];
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    mkdirSync(folder, { recursive: true });
    shards = await startShards(join(folder, 'clickhouse'), 2);
  });
  afterAll(async () => {
    for (const stop of stops.toReversed()) await stop();
    await Promise.all(shards.map((shard) => shard.kill()));
    rmSync(folder, { recursive: true, force: true });
  });

  /** PBXs that ship into a database of two shards. */
  async function fleet(
    database: string,
    ...wanted: readonly (typeof names)[number][]
  ): Promise<{ store: FleetStore; pbxs: SteppedPbx[]; within: (scope: Scope) => FleetHistory }> {
    const store = new FleetStore({
      database,
      cluster: 'fleet',
      isReplicated: false,
      shards: shards.map(({ url }) => [url]),
      username: 'default',
      password: '',
    });
    await store.migrate();
    const problems: string[] = [];
    const gateway = new FleetGateway({
      store,
      pbxs,
      nowMs: () => CONTRACT_NOW_MS,
      onProblem: (sentence) => problems.push(sentence),
      blockMs: 5,
    });
    const url = await gateway.listen({ host: '127.0.0.1', port: 0 });
    stops.push(
      () => store.close(),
      () => gateway.close(),
    );
    const started: SteppedPbx[] = [];
    for (const name of wanted) {
      const token = keys.get(name)?.token ?? '';
      const pbx = await startPbx({
        url,
        token,
        path: join(folder, `${database}-${name}.sqlite`),
        nowMs: CONTRACT_NOW_MS,
      });
      stops.push(() => pbx.close());
      started.push(pbx);
    }
    return { store, pbxs: started, within: (scope) => new FleetHistory(store, database, scope, CONTRACT_NOW_MS) };
  }

  readerContract('ClickHouse', async () => {
    const {
      pbxs: [one, other],
      within,
    } = await fleet('mes_contract', 'berlin', 'bonn');
    // The other PBX has the same calls under the same ids: nothing of them may be seen.
    for (const pbx of [one, other]) {
      await pbx?.record(CONTRACT_CHANGES);
      await pbx?.ship();
    }
    const ask = (): HistoryReader => within([{ pbxs: ['berlin'] }]);
    return {
      reader: {
        calls: (...asked) => ask().calls(...asked),
        call: (linkedid) => ask().call(linkedid),
        channel: (uniqueid) => ask().channel(uniqueid),
        segments: (uniqueid) => ask().segments(uniqueid),
        intervals: (uniqueid) => ask().intervals(uniqueid),
        endpoints: (range) => ask().endpoints(range),
        trends: (query) => ask().trends(query),
        summary: (query) => ask().summary(query),
      },
      close: async () => {},
    };
  });

  test('an id that two PBXs have is of neither until it is said which', async () => {
    const { pbxs: both, within } = await fleet('mes_two', 'bonn', 'ulm');
    for (const pbx of both) {
      await pbx.record(CONTRACT_CHANGES);
      await pbx.ship();
    }
    await expect(within([]).call('c1')).rejects.toMatchObject({ name: 'AmbiguousError', pbxs: ['bonn', 'ulm'] });
    await expect(within([]).channel('c1')).rejects.toMatchObject({ pbxs: ['bonn', 'ulm'] });
    const fromSouth = within([{ sites: ['south'] }]);
    expect(await fromSouth.call('c1')).toMatchObject({ pbx: 'ulm', site: 'south', mes: 4.2 });
    expect(await fromSouth.segments('c1')).toHaveLength(3);
    expect(fromSouth.shards).toEqual({ answered: 2, of: 2 });
    // What the token allows and what is asked for hold together.
    const allowed = within([{ pbxs: ['b*'] }, { pbxs: ['ulm', 'bonn'] }]);
    expect(await allowed.call('c1')).toMatchObject({ pbx: 'bonn' });
    expect(await within([{ pbxs: ['b*'] }, { pbxs: ['ulm'] }]).call('c1')).toBeNull();
    // Calls of the same moment and id are told apart on the border of two pages.
    const seen: (string | undefined)[] = [];
    let cursor = null;
    do {
      const page = await within([]).calls({ endpoints: ['SIP/trunk'] }, 1, cursor);
      seen.push(...page.calls.map(({ linkedid, pbx }) => `${linkedid} ${pbx}`));
      cursor = page.next;
    } while (cursor !== null);
    expect(seen).toEqual(['c4 ulm', 'c4 bonn', 'c2 ulm', 'c2 bonn']);
    const { endpoints } = await within([]).endpoints({ fromMs: 0, toMs: CONTRACT_NOW_MS });
    expect(endpoints.map(({ endpoint, pbx, site, calls }) => [endpoint, pbx, site, calls])).toEqual([
      ['SIP/trunk', 'bonn', 'north', 2],
      ['SIP/trunk', 'ulm', 'south', 2],
      ['PJSIP/alice', 'bonn', 'north', 3],
      ['PJSIP/alice', 'ulm', 'south', 3],
      ['PJSIP/bob', 'bonn', 'north', 3],
      ['PJSIP/bob', 'ulm', 'south', 3],
    ]);
    const [day] = await within([]).summary({ fromMs: 0, toMs: CONTRACT_NOW_MS, bucketMs: CONTRACT_NOW_MS });
    // Twice 4.2, 2, 3.5 and 4.5, and one that is not known.
    expect(day).toMatchObject({ calls: 10, scoredCalls: 8, badCalls: 2, mesMean: 3.55 });
  });

  describe('over REST', () => {
    let rest: {
      url: string;
      get: (path: string, token?: string, accept?: string) => Promise<{ status: number; body: Answer; text: string }>;
    };
    let made: Awaited<ReturnType<typeof fleet>>;
    let readers: readonly FleetReader[];
    const acme = newReader('acme', { pbxs: ['b*'] });
    const south = newReader('south', { sites: ['south'] });

    beforeAll(async () => {
      made = await fleet('mes_rest', 'bonn', 'ulm');
      for (const pbx of made.pbxs) {
        await pbx.record(CONTRACT_CHANGES);
        await pbx.ship();
      }
      ({ readers } = readFleetSettings(acme.lines + south.lines, 'fleet.conf'));
      const tokenCheck = new TokenCheck('main', 'fleet.conf');
      tokenCheck.changeReaders(new Map(readers.map(({ tokenSha256, name }) => [tokenSha256, name])));
      const table = fleetRoutes({
        store: made.store,
        database: 'mes_rest',
        clock: { nowMs: () => CONTRACT_NOW_MS },
        known: () => ({ pbxs, readers }),
        counters: () => ({ rows: 7 }),
      });
      const api = serveRoutes(table, { tokenCheck, files: dashboardAssets({ isFleet: true }) });
      const url = await api.listen({ host: '127.0.0.1', port: 0 });
      stops.push(() => api.close());
      rest = {
        url,
        get: async (path, token = 'main', accept = 'application/json') => {
          const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}`, accept } });
          const text = await response.text();
          const isJson = response.headers.get('content-type')?.includes('json') === true;
          return { status: response.status, body: (isJson ? JSON.parse(text) : {}) as Answer, text };
        },
      };
    });

    const calls = async (query: string, token?: string): Promise<string[]> => {
      const { status, body } = await rest.get(`/v1/calls?${query}`, token);
      expect(status).toBe(200);
      return body.calls.map((call) => `${call.pbx} ${call.linkedid}`);
    };

    test('calls are of all PBXs, of one, or of a site', async () => {
      expect(await calls('to=2026-11-20T11:00:00Z')).toEqual(['ulm c2', 'bonn c2', 'ulm c1', 'bonn c1']);
      expect(await calls('to=2026-11-20T11:00:00Z&pbx=bonn')).toEqual(['bonn c2', 'bonn c1']);
      expect(await calls('to=2026-11-20T11:00:00Z&pbx=u*,x')).toEqual(['ulm c2', 'ulm c1']);
      expect(await calls('verdict=bad&site=south&fields=summary')).toEqual(['ulm c2']);
      expect(await calls('device_site=Berlin&pbx=bonn')).toEqual(['bonn c1']);
      expect(await calls('pbx=nobody')).toEqual([]);
      expect((await rest.get('/v1/calls')).body.shards).toEqual({ answered: 2, of: 2 });
      expect((await rest.get('/v1/calls?pbx=ulm')).body.shards).toEqual({ answered: 1, of: 1 });
      const page = await rest.get('/v1/calls?limit=3&sort=-started_at');
      const next = await rest.get(`/v1/calls?limit=3&cursor=${page.body.next_cursor}`);
      expect([...page.body.calls, ...next.body.calls].map(({ linkedid, pbx }) => `${linkedid} ${pbx}`)).toEqual([
        'c5 ulm',
        'c5 bonn',
        'c4 ulm',
        'c4 bonn',
        'c3 ulm',
        'c3 bonn',
      ]);
      const csv = await rest.get('/v1/calls?pbx=bonn&verdict=bad', 'main', 'text/csv');
      expect(
        csv.text
          .split('\r\n')
          .slice(0, 2)
          .map((line) => line.split(',').slice(0, 3)),
      ).toEqual([
        ['pbx', 'site', 'linkedid'],
        ['bonn', 'north', 'c2'],
      ]);
    });

    test('one call, its channels and their reports want to know whose, where two PBXs have the id', async () => {
      const unclear = await rest.get('/v1/calls/c1');
      expect([unclear.status, unclear.body.code, unclear.body.parameter]).toEqual([
        409,
        'MES_ERR_FLEET_PBX_NEEDED',
        'pbx',
      ]);
      expect(unclear.body.detail).toBe('more than one PBX has this id; say which with pbx, such as bonn, ulm');
      const call = await rest.get('/v1/calls/c1?pbx=ulm');
      expect(call.body).toMatchObject({
        pbx: 'ulm',
        site: 'south',
        linkedid: 'c1',
        mes: 4.2,
        ratings: [],
        channels: [{ pbx: 'ulm' }, {}],
      });
      expect(call.body).not.toHaveProperty('tags');
      expect((await rest.get('/v1/channels/c1/intervals?pbx=ulm')).body.intervals).toHaveLength(3);
      expect((await rest.get('/v1/channels/c1/audio-statistics?pbx=ulm')).status).toBe(200);
      expect((await rest.get('/v1/channels/c1/voip-metrics?pbx=ulm')).status).toBe(200);
      expect((await rest.get('/v1/calls/c9?pbx=ulm')).status).toBe(404);
    });

    test('endpoints and summary are told apart by PBX', async () => {
      const range = 'from=2026-11-20T00:00:00Z&to=2026-11-21T12:00:00Z';
      const { body } = await rest.get(`/v1/endpoints?${range}`);
      expect(body.endpoints.slice(0, 2)).toMatchObject([
        { pbx: 'bonn', site: 'north', endpoint: 'SIP/trunk', calls: 2, mes_p5: 1 },
        { pbx: 'ulm', site: 'south', endpoint: 'SIP/trunk', calls: 2 },
      ]);
      const trends = await rest.get(`/v1/endpoints?${range}&endpoint=SIP/*&site=south`);
      expect(trends.body.endpoints).toMatchObject([
        { pbx: 'ulm', endpoint: 'SIP/trunk', trend: { later: { calls: 0 } } },
      ]);
      const all = await rest.get(`/v1/summary?${range}&bucket=2d`);
      expect(all.body.buckets.reduce((sum, { calls: n }) => sum + n, 0)).toBe(10);
      const one = await rest.get(`/v1/summary?${range}&bucket=2d&pbx=ulm`);
      expect(one.body.buckets.reduce((sum, { calls: n }) => sum + n, 0)).toBe(5);
    });

    test('the PBXs: heard of, silent, never; with how their calls go', async () => {
      const { body } = await rest.get('/v1/pbxs');
      expect(body.pbxs.map(({ pbx, site, state }) => [pbx, site, state])).toEqual([
        ['berlin', 'north', 'never'],
        ['bonn', 'north', 'up'],
        ['ulm', 'south', 'up'],
      ]);
      expect(body.pbxs[2]).toMatchObject({
        release: '1.2.3',
        asterisk_version: '22.10.1',
        calls_up: 7,
        silent_since: null,
        problem: null,
        outbox_dropped: 0,
        // Within 24 hours of the next day's noon: c5 alone.
        last_day: { calls: 1, judged_calls: 1, bad_percent: 0, mes_mean: 4.5 },
        week_before: { calls: 0, judged_calls: 0, bad_percent: null, mes_mean: null },
      });
      const later = await listPbxs(made.store, 'mes_rest', pbxs, [], CONTRACT_NOW_MS + 3_600_000);
      expect(later.pbxs.map(({ state }) => state)).toEqual(['never', 'silent', 'silent']);
      expect(later.pbxs[1]).toMatchObject({ callsUp: null, lagMs: null, silentSinceMs: later.pbxs[1]?.lastHeardAtMs });
    });

    test('a reader sees its own PBXs, whatever it asks for', async () => {
      expect(await calls('verdict=bad', acme.token)).toEqual(['bonn c2']);
      expect(await calls('verdict=bad&pbx=*', acme.token)).toEqual(['bonn c2']);
      expect(await calls('verdict=bad&pbx=ulm&site=south', acme.token)).toEqual([]);
      expect(await calls('verdict=bad', south.token)).toEqual(['ulm c2']);
      expect((await rest.get('/v1/calls/c1', acme.token)).body.pbx).toBe('bonn');
      expect((await rest.get('/v1/calls/c1?pbx=ulm', acme.token)).status).toBe(404);
      expect((await rest.get('/v1/channels/c1/intervals?pbx=ulm', acme.token)).status).toBe(404);
      expect((await rest.get('/v1/pbxs', south.token)).body.pbxs.map(({ pbx }) => pbx)).toEqual(['ulm']);
      expect((await rest.get('/metrics', south.token)).text).not.toMatch(/bonn|berlin|gateway/);
      expect((await rest.get('/v1/calls', 'guess')).status).toBe(401);
      expect((await rest.get('/v1/calls', 'guess')).body.detail).toContain('of [http] in fleet.conf');
      const kept = readers;
      readers = [];
      expect(await calls('verdict=bad', acme.token)).toEqual([]);
      readers = kept;
    });

    test('metrics say of each PBX what is known, and of what is not known nothing', async () => {
      const { text } = await rest.get('/metrics');
      expect(text).toContain('asterisk_mes_fleet_pbx_up{pbx="ulm",site="south"} 1');
      expect(text).toContain('asterisk_mes_fleet_pbx_up{pbx="berlin",site="north"} 0');
      expect(text).toContain('asterisk_mes_fleet_pbx_bad_ratio{pbx="ulm",site="south"} 0');
      expect(text).not.toContain('pbx_bad_ratio{pbx="berlin"');
      expect(text).toContain('asterisk_mes_fleet_shards_answered 2');
      expect(text).toContain('asterisk_mes_fleet_gateway_rows 7');
    });

    test('the page leads from the PBXs to the calls of one, and from there to a call that two PBXs have', async () => {
      const browser = await openBrowser();
      try {
        const { page, complaints } = await openPage(browser, rest.url);
        await page.locator('dialog input').fill('main');
        await page.locator('dialog button').click();
        await page.locator('tbody tr').first().waitFor();
        expect(await page.locator('tbody th').allTextContents()).toEqual(['berlin north', 'bonn north', 'ulm south']);
        expect(await page.locator('tbody tr', { hasText: 'berlin' }).textContent()).toContain('never heard of');
        expect(await page.locator('nav a').allTextContents()).toEqual(['PBXs', 'Calls', 'Endpoints', 'Trends']);
        await page.locator('tbody th a', { hasText: 'ulm' }).click();
        await page.locator('.scope select').waitFor();
        expect(await page.locator('.scope select').inputValue()).toBe('pbx=ulm');
        await page.goto(`${rest.url}/#/calls`);
        await page.locator('tbody tr').first().waitFor();
        expect(await page.locator('tbody .of-pbx').allTextContents()).toEqual(Array.from({ length: 5 }, () => 'ulm '));
        await page.locator('.scope select').selectOption('site=north');
        await page.locator('tbody .of-pbx', { hasText: 'bonn' }).first().waitFor();
        await page.locator('tbody a').first().click();
        await page.locator('.one-call h1').waitFor();
        expect(page.url()).toContain('#/call/c5?pbx=bonn');
        // But for the answer to the first request, which came without a token.
        expect(complaints.filter((complaint) => !complaint.includes('401'))).toEqual([]);
      } finally {
        await browser.close();
      }
    });

    test('describes itself, with pbx and site everywhere', async () => {
      const { body } = await rest.get('/openapi.json');
      for (const path of [
        '/v1/calls',
        '/v1/calls/{linkedid}',
        '/v1/endpoints',
        '/v1/summary',
        '/v1/pbxs',
        '/v1/channels/{uniqueid}/intervals',
      ]) {
        const parameters = (body.paths[path]?.get.parameters ?? []).map(({ name }) => name);
        expect([path, parameters.includes('pbx'), parameters.includes('site')]).toEqual([path, true, true]);
      }
      expect((await rest.get('/v1/calls?tag=x')).body.code).toBe('MES_ERR_PARAMETER_UNKNOWN');
      expect((await rest.get("/v1/calls?pbx=a'b")).status).toBe(400);
      expect((await rest.get('/readyz')).body).toEqual({ status: 'ready', shards: { answered: 2, of: 2 } });
    });

    test('a shard that is down is said, and none is no empty list', async () => {
      await shards[1]?.kill();
      const { body } = await rest.get('/v1/calls?verdict=bad');
      expect(body.shards).toEqual({ answered: 1, of: 2 });
      expect((await rest.get('/readyz')).status).toBe(503);
      expect((await rest.get('/v1/calls', 'main', 'text/csv')).status).toBe(503);
      await shards[0]?.kill();
      const gone = await rest.get('/v1/calls');
      expect([gone.status, gone.body.code]).toEqual([503, 'MES_ERR_FLEET_NO_ANSWER']);
      expect((await rest.get('/metrics')).text).toContain('asterisk_mes_fleet_shards_answered 0');
      await Promise.all(shards.map((shard) => shard.start()));
    });
  });
});
