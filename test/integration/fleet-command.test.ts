import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { freePort } from '../lab/addresses.ts';
import { startShards } from '../lab/clickhouse.ts';
import { labIsReady } from '../lab/obstacle.ts';
import { makeRunDirectory, REPOSITORY } from '../lab/paths.ts';
import { asteriskMes } from '../unit/cli/command.ts';

const folder = makeRunDirectory('fleet-command');
const config = join(folder, 'fleet.conf');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.runIf(labIsReady())('asterisk-mes fleet', () => {
  test('adds a PBX, starts beside a ClickHouse, takes its rows and ends in good order', async () => {
    mkdirSync(folder, { recursive: true });
    const [clickhouse] = await startShards(join(folder, 'clickhouse'), 1);
    if (clickhouse === undefined) throw new Error('no ClickHouse');
    const port = await freePort('127.0.0.1', 29_100);
    const httpPort = await freePort('127.0.0.1', port + 1);
    writeFileSync(
      config,
      `[gateway]\nbind = 127.0.0.1:${port}\n[http]\nbind = 127.0.0.1:${httpPort}\n[store]\nshards = ${clickhouse.url}\n`,
      { mode: 0o600 },
    );

    const added = await asteriskMes(['fleet', '--config', config, 'add-pbx', 'office-berlin', '--site', 'Berlin']);
    expect([added.status, added.stderr]).toEqual([0, '']);
    const token = /^token = (\S{32})$/m.exec(added.stdout)?.[1] ?? '';
    const text = readFileSync(config, 'utf8');
    expect(text).toMatch(/\n\[pbx:office-berlin\]\ntoken_sha256 = [0-9a-f]{64}\nsite = Berlin\n$/);
    expect(text).not.toContain(token);
    expect(statSync(config).mode & 0o777).toBe(0o600);
    const again = await asteriskMes(['fleet', '--config', config, 'add-pbx', 'office-berlin']);
    expect(again.status).toBe(1);
    expect(again.stderr).toMatch(
      /^asterisk-mes: \S+ has a PBX office-berlin already; take its section out first[^\n]*\n$/,
    );

    const reader = await asteriskMes(['fleet', '--config', config, 'add-reader', 'acme', '--pbxs', 'office-*']);
    expect([reader.status, reader.stderr]).toEqual([0, '']);
    const readerToken = /^(\S{32})$/m.exec(reader.stdout)?.[1] ?? '';
    expect(readFileSync(config, 'utf8')).toMatch(/\n\[reader:acme\]\ntoken_sha256 = [0-9a-f]{64}\npbxs = office-\*\n$/);

    const gateway = spawn(process.execPath, [join(REPOSITORY, 'src/asterisk-mes.js'), 'fleet', '--config', config], {
      stdio: 'pipe',
    });
    let said = '';
    gateway.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
    try {
      await expect.poll(() => said, { timeout: 30_000 }).toContain('"the fleet\'s gateway listens on');
      const startedAtMs = Date.now();
      const response = await fetch(`http://127.0.0.1:${port}/v1/fleet/batches`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
        body: JSON.stringify({
          sequence: 4,
          kind: 'calls',
          version: startedAtMs,
          call_started_at_ms: startedAtMs,
          row: { linkedid: '1.1', mes: 4.2 },
        }),
      });
      expect([response.status, await response.json()]).toEqual([200, { acked_to: 4 }]);
      expect(await clickhouse.query('SELECT pbx, site, linkedid, mes FROM mes.mes_calls')).toBe(
        'office-berlin\tBerlin\t1.1\t4.2',
      );
      const ask = async (path: string, given: string): Promise<Response> =>
        fetch(`http://127.0.0.1:${httpPort}${path}`, { headers: { authorization: `Bearer ${given}` } });
      const call = await ask('/v1/calls/1.1', readerToken);
      expect([call.status, await call.json()]).toMatchObject([200, { pbx: 'office-berlin', site: 'Berlin', mes: 4.2 }]);
      expect((await ask('/v1/calls', token)).status).toBe(401);
      expect(await (await ask('/', '')).text()).toContain('<html data-fleet');
      // Who is taken out of the settings is shut out with the next signal.
      const without = readFileSync(config, 'utf8').replace(/\[pbx:office-berlin\][^[]*/, '');
      writeFileSync(config, without);
      gateway.kill('SIGHUP');
      await expect.poll(() => said, { timeout: 10_000 }).toContain('fleet.conf was read again: 0 PBXs, 1 readers');
      const refused = await fetch(`http://127.0.0.1:${port}/v1/fleet/batches`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
        body: '{}',
      });
      expect(refused.status).toBe(401);
      // The last reader cannot be taken out: then everybody here could read everything.
      writeFileSync(config, without.replace(/\[reader:acme\][^[]*/, ''));
      gateway.kill('SIGHUP');
      await expect.poll(() => said, { timeout: 10_000 }).toContain('no token would be left');
      expect((await ask('/v1/calls', '')).status).toBe(401);
      gateway.kill('SIGTERM');
      const [status] = (await once(gateway, 'exit')) as [number | null];
      expect(status).toBe(0);
    } finally {
      gateway.kill('SIGKILL');
      await clickhouse.kill();
    }
  });

  test.each([
    [
      ['fleet', '--config', '/nowhere/fleet.conf'],
      1,
      /^asterisk-mes: \/nowhere\/fleet\.conf cannot be read; name the gateway's settings with --config\n$/,
    ],
    [['fleet', 'add-reader', 'a'], 2, /^asterisk-mes: say which PBXs with --pbxs or --sites[^\n]*\n$/],
    [['fleet', 'add-reader', 'a', '--pbxs', 'b;c'], 2, /^asterisk-mes: --pbxs: give names of PBXs[^\n]*\n$/],
    [['fleet', 'add-pbx', 'a b'], 2, /^asterisk-mes: a name has up to 64 letters[^\n]*\n$/],
  ])('%j is refused in one sentence', async (words, expected, sentence) => {
    const { status, stdout, stderr } = await asteriskMes(words);
    expect([status, stdout]).toEqual([expected, '']);
    expect(stderr).toMatch(sentence);
  });
});
