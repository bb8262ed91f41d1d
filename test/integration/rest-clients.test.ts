import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLog } from '../../src/app/state/log.ts';
import { startSidecar } from '../../src/app/sidecar.ts';
import { readSettings } from '../../src/config/read-settings.ts';
import { callRecord, channelRecord, START_MS, streamRecord } from '../unit/history/records.ts';
import { startServer, type TestServer } from '../unit/api/server.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const REDOCLY = createRequire(import.meta.url).resolve('@redocly/cli/bin/cli.js');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');
/** It asks nobody for news, and tells nobody that it ran. */
const QUIET = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', NO_COLOR: '1' };

interface Family {
  readonly name: string;
  readonly type: string;
  readonly samples: readonly {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number | null;
    readonly exemplar: { readonly labels: Readonly<Record<string, string>>; readonly value: number } | null;
  }[];
}

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  /** All that it printed. */
  readonly said: string;
}

async function end(program: string, parts: readonly string[], cwd: string, input = ''): Promise<Ended> {
  const child = spawn(program, parts, { cwd, env: QUIET, timeout: 60_000 });
  child.stdin.end(input);
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { status: status as number | null, stdout, said: `${stdout}${stderr}` };
}

/** What a program prints; throws all of it where the program fails. */
async function run(program: string, parts: readonly string[], cwd: string, input = ''): Promise<string> {
  const { status, stdout, said } = await end(program, parts, cwd, input);
  if (status !== 0) throw new Error(said);
  return stdout;
}

/** A client in its own words, as somebody would write it who has the document alone. */
const USE = `
import { configure, getCalls, getCallsByLinkedid } from './client.ts';
import type { CallWithRatings } from './client.ts';

configure({ serverUrl: process.argv[2] ?? '' });
const { calls } = await getCalls({ query: { verdict: ['bad', 'poor'], limit: 5 } });
const found: CallWithRatings = await getCallsByLinkedid({ path: { linkedid: calls[0]?.linkedid ?? '' } });
const score: number | null | undefined = found.channels[0]?.streams[0]?.mes;
// @ts-expect-error a score is a number, or not known
const wrong: string = found.mes;
const refused = await getCallsByLinkedid({ path: { linkedid: 'nobody' } }).then(
  () => 0,
  (error: { status: number }) => error.status,
);
process.stdout.write(JSON.stringify({ linkedids: calls.map(({ linkedid }) => linkedid), score, refused, wrong }));
`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Of a sidecar that looks for an Asterisk, with everything on that has addresses of its own. */
async function documentOfSidecar(folder: string): Promise<{ readonly paths: Readonly<Record<string, object>> }> {
  const [ami, agi, http] = await Promise.all([freePort(), freePort(), freePort()]);
  const conf = join(folder, 'mes.conf');
  await writeFile(
    conf,
    `[ami]\nport = ${ami}\nusername = mes\nsecret = secret\n[agi]\nbind = 127.0.0.1:${agi}\n` +
      `[http]\nbind = 127.0.0.1:${http}\n[history]\npath = ${join(folder, 'mes.sqlite')}\n[ratings]\nenabled = yes\n` +
      '[alert:loss]\nwhat = loss\n',
  );
  const sidecar = await startSidecar(await readSettings(conf, {}), createLog('silent'));
  try {
    const answer = await fetch(`http://127.0.0.1:${http}/openapi.json`);
    return (await answer.json()) as { paths: Record<string, object> };
  } finally {
    await sidecar.stop();
  }
}

/** Where fields and parameters stand that nobody describes. */
function undescribed(part: unknown, where = ''): string[] {
  if (typeof part !== 'object' || part === null) return [];
  return Object.entries(part).flatMap(([key, value]: [string, Record<string, unknown>]) => {
    const here = `${where}.${key}`;
    if (key === 'properties') {
      const fields = Object.entries(value).filter(([, field]) => {
        return !('description' in (field as object)) && !('$ref' in (field as object));
      });
      return [...fields.map(([name]) => `${where}.${name}`), ...undescribed(value, where)];
    }
    const isParameter = where.endsWith('.parameters') && (value['description'] ?? value['name']) === value['name'];
    return [...(isParameter ? [`${here} ${String(value['name'])}`] : []), ...undescribed(value, here)];
  });
}

describe('programs that others wrote', () => {
  let server: TestServer;
  let folder: string;
  let origin: string;

  beforeAll(async () => {
    server = await startServer();
    origin = `http://127.0.0.1:${server.port}`;
    // Under the project, so that the compiler finds the types of Node.
    folder = await mkdtemp(join(ROOT, '.lab/client-'));
    for (const [linkedid, verdict, mes] of [
      ['1.1', 'bad', 1.25],
      ['1.2', 'good', 4.3],
    ] as const) {
      const channel = channelRecord(linkedid, {
        linkedid,
        verdict,
        mes,
        endedAtMs: START_MS + 60_000,
        streams: [streamRecord({ mes })],
      });
      server.history.record({ kind: 'channel', channel, resume: null });
      server.history.record({
        kind: 'call',
        call: callRecord(linkedid, { verdict, mes, endedAtMs: START_MS + 60_000 }),
      });
      server.metrics.channelEnded(channel);
    }
    await server.history.calls({}, 1, null);
    await writeFile(join(folder, 'openapi.json'), JSON.stringify((await server.get('/openapi.json')).body));
  });
  afterAll(async () => {
    await server?.close();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  test("Prometheus' strict parser reads /metrics as OpenMetrics, with its exemplars", async () => {
    const { body } = await server.get('/metrics', { accept: 'application/openmetrics-text; version=1.0.0' });
    const parser = join(import.meta.dirname, 'fixtures/open-metrics.py');
    const families = JSON.parse(await run('/usr/bin/python3', [parser], ROOT, String(body))) as Family[];
    const of = (name: string): Family | undefined => families.find((family) => family.name === `asterisk_mes_${name}`);
    expect(families.length).toBeGreaterThan(20);
    expect(of('channels')?.type).toBe('counter');
    expect(of('score')?.type).toBe('histogram');
    expect(of('live_channels')?.type).toBe('gauge');
    expect(of('channels')?.samples).toEqual(
      [
        ['bad', '1.1'],
        ['good', '1.2'],
      ].map(([verdict, linkedid]) => ({
        name: 'asterisk_mes_channels_total',
        labels: { verdict, endpoint_group: 'PJSIP/alice' },
        value: 1,
        exemplar: { labels: { linkedid }, value: 1 },
      })),
    );
    const scored = of('score')?.samples.flatMap(({ exemplar }) => (exemplar === null ? [] : [exemplar]));
    expect(scored).toEqual([
      { labels: { linkedid: '1.1' }, value: 1.25 },
      { labels: { linkedid: '1.2' }, value: 4.3 },
    ]);
    // It is strict: what comes twice is an error.
    const twice = `${String(body).replace('# EOF\n', '')}${String(body)}`;
    await expect(run('/usr/bin/python3', [parser], ROOT, twice)).rejects.toThrow(/Clashing name|duplicate|Duplicate/);
  });

  test('redocly has nothing to say against the description of a sidecar that does all it can', async () => {
    const document = await documentOfSidecar(folder);
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining(['/v1/ratings/summary', '/v1/alerts', '/v1/trunks', '/v1/calls/{linkedid}/notes']),
    );
    expect(undescribed(document)).toEqual([]);
    const { '/v1/tags': tags } = document.paths;
    const bare = JSON.parse(JSON.stringify(tags).replaceAll('"description"', '"words"')) as object;
    expect(undescribed(bare, '/v1/tags')).toEqual(
      expect.arrayContaining(['/v1/tags.get.parameters.0 limit', expect.stringMatching(/\.tags\.items\.calls$/)]),
    );
    const rules = async (described: object): Promise<string[]> => {
      await writeFile(join(folder, 'whole.json'), JSON.stringify(described));
      const told = await end(process.execPath, [REDOCLY, 'lint', 'whole.json', '--format=json'], folder);
      return (JSON.parse(told.stdout) as { problems: { ruleId: string }[] }).problems.map(({ ruleId }) => ruleId);
    };
    expect(await rules(document)).toEqual([]);
    const { '/healthz': one, ...others } = document.paths;
    expect(await rules({ ...document, paths: { ...others, '/healthz/': one } })).toEqual(['no-path-trailing-slash']);
  });

  test('a client that redocly makes of the description passes the compiler, and asks', async () => {
    await run(
      process.execPath,
      [REDOCLY, 'generate-client', 'openapi.json', '-o', 'client.ts', '--import-ext', 'ts'],
      folder,
    );
    await writeFile(join(folder, 'use.ts'), USE);
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          target: 'es2024',
          lib: ['es2024', 'dom', 'dom.iterable'],
          module: 'nodenext',
          types: ['node'],
          strict: true,
          noEmit: true,
          allowImportingTsExtensions: true,
          skipLibCheck: true,
        },
        include: ['*.ts'],
      }),
    );
    expect(await run(process.execPath, [TSC, '--project', folder], ROOT)).toBe('');
    // The compiler has seen it; Node only takes the types away.
    const said = await run(process.execPath, [join(folder, 'use.ts'), origin], folder);
    expect(JSON.parse(said)).toEqual({ linkedids: ['1.1'], score: 1.25, refused: 404, wrong: 1.25 });
  });
});
