/** `npm test` runs this first: it installs and builds what the tests with a real Asterisk need, or says what is missing. */
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { labObstacle, wayAround } from './obstacle.ts';
import {
  BARE_SUITES,
  type BuildOptions,
  RELEASES,
  type Release,
  ensureBareDebian,
  ensureDebianTarball,
  ensureRootFilesystem,
  ensureS3Server,
} from './root-filesystem.ts';

/** Debian packages, each with a program of its own. */
type Tools = Readonly<Record<string, string>>;

/** What builds a root file system, and two of the phones: all that the demo needs. */
const BUILD_TOOLS: Tools = { mmdebstrap: '/usr/bin/mmdebstrap', 'baresip-core': '/usr/bin/baresip' };
/** What the demo of a fleet needs as well. */
const STORE_TOOLS: Tools = { 'clickhouse-server': '/usr/sbin/clickhouse-server' };
/** What the tests need beside it: to capture, to look at pages, to check what is shipped, and README's own commands. */
const TEST_TOOLS: Tools = {
  tcpdump: '/usr/bin/tcpdump',
  tshark: '/usr/bin/tshark',
  chromium: '/usr/bin/chromium',
  podman: '/usr/bin/podman',
  runc: '/usr/sbin/runc',
  iproute2: '/usr/sbin/ip',
  systemd: '/usr/bin/systemd-analyze',
  curl: '/usr/bin/curl',
  openssl: '/usr/bin/openssl',
  'sip-tester': '/usr/bin/sipp',
  'linphone-cli': '/usr/bin/linphonec',
  'espeak-ng': '/usr/bin/espeak-ng',
  libspandsp2: '/usr/share/doc/libspandsp2',
  age: '/usr/bin/age',
  'python3-aiosmtpd': '/usr/bin/aiosmtpd',
  'python3-prometheus-client': '/usr/lib/python3/dist-packages/prometheus_client',
  'libcap2-bin': '/usr/sbin/setcap',
  lintian: '/usr/bin/lintian',
  'man-db': '/usr/bin/man',
  tmux: '/usr/bin/tmux',
  ...STORE_TOOLS,
  'libzookeeper-java': '/usr/share/java/zookeeper.jar',
  'default-jre-headless': '/usr/bin/java',
};

const NO_DAEMONS = '/usr/sbin/policy-rc.d';

/** Installs the Debian packages that are not here. Throws one plain sentence. */
function installTools(tools: Tools, progress: (line: string) => void): void {
  const missing = Object.keys(tools).filter((name) => !existsSync(tools[name] ?? ''));
  if (missing.length === 0) return;
  progress(`Installing ${missing.join(' and ')} …`);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Packages of servers start them; the tests start their own (deb-systemd-invoke asks this script).
  const isOurs = !existsSync(NO_DAEMONS);
  if (isOurs) writeFileSync(NO_DAEMONS, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    execFileSync('apt-get', ['update', '-q'], { stdio: 'pipe', env: environment });
    execFileSync('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...missing], {
      stdio: 'pipe',
      env: environment,
    });
  } catch {
    throw new Error(`apt-get could not install ${missing.join(' and ')}; install them by hand and try again.`);
  } finally {
    if (isOurs) rmSync(NO_DAEMONS, { force: true });
  }
}

/** Makes the lab ready to start for these releases; throws one plain sentence where it cannot. */
export async function prepareLab(
  releases: readonly Release[],
  options: { readonly progress: (line: string) => void; readonly signal?: AbortSignal; readonly isFleet?: boolean },
): Promise<void> {
  installTools(options.isFleet === true ? { ...BUILD_TOOLS, ...STORE_TOOLS } : BUILD_TOOLS, options.progress);
  for (const release of releases) await ensureRootFilesystem(release, options);
}

/** Builds everything that the tests run on, the longest first and as many at a time as there are processors for. */
async function buildAll({ progress, signal }: Required<BuildOptions>): Promise<void> {
  const failed = new AbortController();
  const options = { progress, signal: AbortSignal.any([signal, failed.signal]) };
  const waiting = [
    () => ensureS3Server(options),
    ...RELEASES.map((release) => () => ensureRootFilesystem(release, options)),
    () => ensureDebianTarball(options),
    ...BARE_SUITES.map((suite) => () => ensureBareDebian(suite, options)),
  ];
  const builder = async (): Promise<void> => {
    for (let build = waiting.shift(); build !== undefined; build = waiting.shift()) await build();
  };
  let reason: unknown;
  const builders = Array.from({ length: availableParallelism() }, () =>
    builder().catch((error: unknown) => {
      reason ??= error;
      failed.abort();
    }),
  );
  await Promise.all(builders);
  if (reason !== undefined) throw reason;
}

async function main(): Promise<void> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  let problem = labObstacle();
  if (problem === undefined) {
    try {
      installTools({ ...BUILD_TOOLS, ...TEST_TOOLS }, say);
      await buildAll({ progress: say, signal: stop.signal });
      return;
    } catch (error) {
      if (stop.signal.aborted) {
        process.exitCode = 130;
        return;
      }
      problem = error instanceof Error ? error.message : String(error);
    }
  }
  say(`The tests with a real Asterisk (test/integration) are skipped: ${problem}.`);
  say(wayAround('npm test'));
  // In CI nobody notices a skip, so there it is a failure.
  if (process.env['CI'] !== undefined && process.env['CI'] !== '') process.exitCode = 1;
}

if (import.meta.main) await main();
