import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, startLab } from '../lab/lab.ts';
import { labIsReady } from '../lab/obstacle.ts';
import { REPOSITORY, makeRunDirectory } from '../lab/paths.ts';
import { SidecarProcess } from '../lab/sidecar-process.ts';
import type { RestCall } from './fixtures/rest.ts';

const CAPTURE = join(REPOSITORY, 'test/golden/pcap/22-bursty.pcap');
/** A user's shell: the project's own programs are not on its path. */
const PATH = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .join(delimiter);

const folder = makeRunDirectory('package');
const application = join(folder, 'application');
const installed = join(application, 'node_modules/.bin/asterisk-mes');

function npm(words: readonly string[], cwd: string): string {
  const quiet = ['--silent', '--no-audit', '--no-fund', '--no-update-notifier'];
  return execFileSync('npm', [...words, ...quiet], { cwd, encoding: 'utf8', env: { ...process.env, PATH } }).trim();
}

function run(...words: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [installed, ...words], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

beforeAll(() => {
  mkdirSync(application);
  // Without it npm takes the repository around it for the project.
  writeFileSync(join(application, 'package.json'), '{ "private": true }\n');
  const tarball = npm(['pack', '--pack-destination', folder], REPOSITORY);
  npm(['install', '--omit=dev', '--prefer-offline', join(folder, tarball)], application);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the npm package', () => {
  test('holds JavaScript, what belongs on the PBX and nothing of the workshop', () => {
    const root = join(application, 'node_modules/asterisk-mes');
    const files = execFileSync('find', [root, '-type', 'f', '-printf', '%P\n'], { encoding: 'utf8' })
      .trim()
      .split('\n');
    expect(files).toEqual(
      expect.arrayContaining([
        'src/asterisk-mes.js',
        'dist/cli/main.js',
        'dist/history/thread/writer-worker.js',
        'dist/asterisk/ari-worker.js',
        'dist/asterisk/ari-worker.licences.txt',
        'dist/dashboard/client/main.js',
        'asterisk-conf/mes.conf',
        'docker/grafana/alerts.yml',
        'README.md',
        'LICENSE',
        'CHANGELOG.md',
      ]),
    );
    expect(files.filter((name) => name.endsWith('.ts') || /^(test|\.ci|docker\/npm)\//.test(name))).toEqual([]);
  });

  test('brings no package that overrides would have had to replace, and npm finds its tree whole', () => {
    const tree = JSON.parse(npm(['ls', '--all', '--json'], application)) as object;
    const text = JSON.stringify(tree);
    expect(text).toContain('"better-sqlite3"');
    expect(text).not.toMatch(/"(request|ari-client|swagger-client)"|"problems"/);
  });

  test('computes a score', () => {
    const known = '--rtt-ms 150 --jitter-ms 20 --jitter-stdev-ms 5 --lost-packets 0 --json';
    const { status, stdout, stderr } = run('score', ...known.split(' '));
    expect([status, stderr]).toEqual([0, '']);
    // By hand: 150 + 20 · 2 · 5 / 3 + 10 = 226.67 ms; 93.2 - (226.67 - 120) / 10 = 82.53.
    const score = JSON.parse(stdout) as Record<string, number>;
    expect(score['effective_latency_ms']).toBeCloseTo(226.67, 0);
    expect(score['r_value']).toBeCloseTo(82.53, 1);
  });

  test('reads a capture', () => {
    const { status, stdout } = run('analyze', CAPTURE, '--json');
    expect(status).toBe(0);
    const { streams } = JSON.parse(stdout) as { streams: { codec: string }[] };
    expect(streams.map(({ codec }) => codec)).toEqual(['ulaw', 'ulaw']);
  });

  test('on an older Node says so in one line and exits 1', () => {
    // Simulated by the version that Node gives; that Node 20 can read the file was seen by hand.
    const older = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.19.0" } })';
    const words = ['--import', `data:text/javascript,${encodeURIComponent(older)}`, installed, 'score'];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toBe('asterisk-mes needs Node.js 24 or newer; this is 20.19.0.\n');
  });
});

describe.runIf(labIsReady())('the npm package on a real Asterisk', () => {
  let lab: Lab;
  let sidecar: SidecarProcess;
  beforeAll(async () => {
    lab = await startLab({ release: '22', phones: [{ name: 'alice' }, { name: 'bob' }] });
    sidecar = await SidecarProcess.start(lab, {
      httpHost: lab.pbx.host,
      httpPort: await lab.freePort(),
      entry: installed,
    });
  });
  afterAll(async () => {
    await sidecar?.stop();
    await lab?.stop();
  });

  test('scores a call and remembers it, with ARI', async () => {
    await expect
      .poll(async () => (await fetch(`${sidecar.url}/metrics`)).text(), { timeout: 30_000 })
      .toContain('asterisk_mes_ari_connected 1');
    const call = await lab.call('alice', 'bob');
    await sleep(3500);
    await call.hangup('caller');
    const ended = async (): Promise<RestCall | undefined> =>
      (await sidecar.get<{ calls: RestCall[] }>('/v1/calls')).calls.find(({ state }) => state === 'ended');
    await expect.poll(async () => (await ended())?.verdict, { timeout: 30_000 }).toBe('good');
    expect((await ended())?.mes).toBeGreaterThan(4.3);
    expect((await ended())?.mes).toBeLessThanOrEqual(4.41);
  });

  test('serves the dashboard with everything that it names', async () => {
    const page = await (await fetch(`${sidecar.url}/`)).text();
    const named = [...page.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path]) => path);
    expect(named.length).toBeGreaterThan(20);
    const answers = await Promise.all(named.map(async (path) => fetch(`${sidecar.url}${path}`)));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    const scripts = await Promise.all(answers.map(async (answer) => answer.text()));
    expect(scripts.filter((text) => /from '[^']+\.ts'|from 'uplot'/.test(text))).toEqual([]);
  });
});
