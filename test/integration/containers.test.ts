import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Service, readCompose, runWords } from '../lab/compose.ts';
import { CommandError, ContainerLab } from '../lab/container-lab.ts';
import { labIsReady } from '../lab/obstacle.ts';
import { REPOSITORY } from '../lab/paths.ts';
import { DEBIAN_TARBALL } from '../lab/root-filesystem.ts';
import { look } from './fixtures/leftovers.ts';
import type { RestCall } from './fixtures/rest.ts';

const DEBIAN = 'localhost/debian';
const WITH_NODE = 'localhost/debian-node';
const LARGEST_BYTES = 60_000_000;
const ENVIRONMENT = { MES_AMI_SECRET: 'of-the-test', MES_HTTP_TOKEN: 'token-of-the-test', DEMO_TALK_SECONDS: '13' };
const { services } = readCompose();

let lab: ContainerLab;

/** Where npm keeps packages, in the image that is built. */
const NPM_CACHE = '/var/cache/npm';

/** npm's own setting on this machine. */
function npmSetting(name: string): string {
  return execFileSync('npm', ['config', 'get', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

/** What the official Node image is, made of what is on this machine: Debian, Node 24, npm and where npm finds packages. */
async function makeNodeImage(): Promise<void> {
  const npm = join(execFileSync('sh', ['-c', 'realpath "$(command -v npm)"'], { encoding: 'utf8' }).trim(), '../..');
  const certificates = npmSetting('cafile');
  const hasCertificates = certificates.startsWith('/');
  const script = [
    'set -e',
    'cp /given/node /usr/local/bin/',
    'mkdir -p /usr/local/lib/node_modules /usr/local/etc',
    'cp -r /given/npm /usr/local/lib/node_modules/',
    'ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm',
    'cd /usr/local/etc',
    `printf 'registry=${npmSetting('registry')}\\nprefer-offline=true\\nfetch-timeout=20000\\nfetch-retries=5\\ncache=${NPM_CACHE}\\n' >npmrc`,
    ...(hasCertificates ? ['cp /given/cafile .', 'echo cafile=/usr/local/etc/cafile >>npmrc'] : []),
  ];
  const given = { node: process.execPath, npm, ...(hasCertificates ? { cafile: certificates } : {}) };
  const volumes = Object.entries(given).flatMap(([name, path]) => ['--volume', `${path}:/given/${name}:ro`]);
  await lab.run('--name', 'node', ...volumes, DEBIAN, 'sh', '-c', script.join('\n'));
  await lab.podman('commit', '--quiet', 'node', WITH_NODE);
  await lab.podman('rm', 'node');
}

async function build(service: Service | undefined, base: string, folders: Record<string, string> = {}): Promise<void> {
  if (service?.build === undefined) throw new Error('compose.yaml does not say how this service is built.');
  const { image } = service;
  const dockerfile = join(REPOSITORY, service.build.dockerfile);
  const once = async (): Promise<void> =>
    lab.build({ context: REPOSITORY, dockerfile, image, args: { BASE: base }, folders });
  // Once more where a registry or a mirror did not answer; a fault of our own shows a second time.
  await once().catch(once);
}

async function start(name: string): Promise<void> {
  const service = services[name];
  if (service === undefined) throw new Error(`compose.yaml has no service ${name}.`);
  await lab.run('--detach', '--name', name, ...runWords(service, ENVIRONMENT));
}

async function isHealthy(name: string): Promise<boolean> {
  return lab.podman('healthcheck', 'run', name).then(
    () => true,
    () => false,
  );
}

/** What the sidecar's REST answers inside, with the token that its environment has. */
async function get<T>(path: string): Promise<T> {
  const script = `const headers = { authorization: 'Bearer ' + process.env.MES_HTTP_TOKEN };
    fetch('http://sidecar:8090${path}', { headers }).then((answer) => answer.text()).then(console.log)`;
  return JSON.parse(await lab.podman('exec', 'sidecar', 'node', '-e', script)) as T;
}

async function endedCalls(): Promise<RestCall[]> {
  return (await get<{ calls: RestCall[] }>('/v1/calls')).calls.filter(({ state }) => state === 'ended');
}

describe.runIf(labIsReady())('the container images', () => {
  beforeAll(async () => {
    lab = await ContainerLab.start(Object.keys(services));
    await lab.podman('import', '--quiet', DEBIAN_TARBALL, DEBIAN);
    await makeNodeImage();
    // What npm has in its cache already need not come over the network again.
    const cache = { [NPM_CACHE]: npmSetting('cache') };
    await Promise.all([build(services['pbx'], DEBIAN), build(services['sidecar'], WITH_NODE, cache)]);
  }, 700_000);
  afterAll(async () => lab?.stop());

  test('the sidecar is small, not root, and has a health check', async () => {
    const sizes = await lab.podman('image', 'inspect', '--format', '{{.Size}}', WITH_NODE, 'asterisk-mes');
    const [base = 0, all = 0] = sizes.trim().split('\n').map(Number);
    expect(all - base).toBeGreaterThan(10_000_000);
    expect(all - base).toBeLessThan(LARGEST_BYTES);
    expect(await lab.run('--rm', '--entrypoint', 'id', 'asterisk-mes')).toMatch(/^uid=10001\(asterisk-mes\)/);
    expect(await lab.podman('image', 'inspect', '--format', '{{.HealthCheck.Test}}', 'asterisk-mes')).toContain(
      'health.js',
    );
  });

  test('the sidecar runs any command, and refuses to be reached from elsewhere without a token', async () => {
    expect(await lab.run('--rm', 'asterisk-mes', '--version')).toMatch(/^\d+\.\d+\.\d+\S*\n$/);
    const open = ['--env', 'MES_AMI_USERNAME=mes', '--env', 'MES_AMI_SECRET=x', '--env', 'MES_HTTP_BIND=0.0.0.0:8090'];
    const refusal = await lab.run('--rm', ...open, 'asterisk-mes').catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(CommandError);
    expect(refusal).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^asterisk-mes: .*MES_HTTP_TOKEN.*\n$/m),
    });
  });

  test('the services of compose.yaml: calls are scored, remembered and billed', async () => {
    await start('pbx');
    await expect.poll(async () => isHealthy('pbx'), { timeout: 30_000, interval: 300 }).toBe(true);
    await start('sidecar');
    await expect.poll(async () => isHealthy('sidecar'), { timeout: 30_000, interval: 300 }).toBe(true);
    await expect
      .poll(async () => get('/readyz'), { timeout: 30_000, interval: 300 })
      .toMatchObject({ status: 'ready' });
    await start('phones');
    let calls: RestCall[] = [];
    const of = (callee: string): RestCall | undefined =>
      calls.find(({ channels }) => channels.some(({ endpoint }) => endpoint === `PJSIP/${callee}`));
    const bothEnded = async (): Promise<boolean> => {
      calls = await endedCalls();
      return of('102') !== undefined && of('104') !== undefined;
    };
    await expect.poll(bothEnded, { timeout: 50_000, interval: 500 }).toBe(true);
    expect(of('102')?.verdict).toBe('good');
    expect(of('102')?.mes).toBeGreaterThan(4.3);
    expect(of('102')?.mes).toBeLessThanOrEqual(4.41);
    // The broken phone: who calls it hears nothing.
    expect(of('104')?.verdict).toMatch(/^one-way-(rx|tx)$/);
    const rows = (await lab.podman('exec', 'pbx', 'cat', '/var/log/asterisk/cdr-custom/mes.csv')).trim().split('\n');
    expect(rows.find((row) => row.includes('"102"'))).toMatch(/,4\.(3|4)\d,.*,good,$/);
  });

  test('the sidecar writes to its volume only, and what is there outlives it', async () => {
    const before = (await endedCalls()).map(({ linkedid }) => linkedid);
    expect(before.length).toBeGreaterThan(0);
    const attempt = await lab
      .podman('exec', 'sidecar', 'touch', '/opt/asterisk-mes/x')
      .catch((error: unknown) => error);
    expect(attempt).toMatchObject({ stderr: expect.stringContaining('Read-only file system') });
    await lab.podman('stop', '--time', '20', 'sidecar');
    expect(await lab.podman('inspect', '--format', '{{.State.ExitCode}}', 'sidecar')).toBe('0\n');
    await lab.podman('rm', 'sidecar');
    await start('sidecar');
    await expect.poll(async () => isHealthy('sidecar'), { timeout: 30_000, interval: 300 }).toBe(true);
    expect((await endedCalls()).map(({ linkedid }) => linkedid)).toEqual(expect.arrayContaining(before));
    expect(await lab.podman('logs', 'sidecar')).not.toContain('of-the-test');
  });

  test('nothing is left', async () => {
    const { directory } = lab;
    await lab.stop();
    expect(look({ host: '127.255.255.1', pids: [], directories: [directory] })).toEqual([]);
    expect(execFileSync('find', ['/sys/fs/cgroup', '-name', '*containers-*'], { encoding: 'utf8' })).not.toContain(
      directory,
    );
  });
});
