import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { spawnConfined } from './confined.ts';
import { machineDebianMirror } from './package-mirror.ts';
import { LAB_HOME, ownedName, sweepOrphans } from './paths.ts';

/** Asterisk's major release. */
export type Release = '22' | '16';

export const RELEASES = ['22', '16'] as const satisfies readonly Release[];

/** The Debian suites that carry these releases. */
const SUITES: Readonly<Record<Release, string>> = { '22': 'forky', '16': 'bullseye' };

const ASTERISK = 'asterisk,asterisk-modules,asterisk-core-sounds-en-gsm,ca-certificates';
/** Our own Debian package is installed beside Asterisk 22, and needs parts of systemd. */
const PACKAGES: Readonly<Record<Release, string>> = {
  '22': `${ASTERISK},systemd-standalone-sysusers,systemd-standalone-tmpfiles`,
  '16': ASTERISK,
};

/** The suite of Asterisk 22, which the demo's PBX image is made from. */
export const DEBIAN_TARBALL = join(LAB_HOME, `debian-${SUITES['22']}.tar`);

const STAMP = 'lab-stamp.json';

/** A root file system with an Asterisk in it, ready to chroot into. */
export interface RootFilesystem {
  readonly release: Release;
  readonly path: string;
  /** As Asterisk prints it: `22.10.1+dfsg+~cs6.17.60671434-1`. */
  readonly asteriskVersion: string;
  /** Where its modules are, seen from inside. */
  readonly modulesDirectory: string;
  readonly uid: number;
  readonly gid: number;
}

export interface BuildOptions {
  readonly progress?: (line: string) => void;
  /** Stops the build; nothing of it is left. */
  readonly signal?: AbortSignal;
}

interface Stamp {
  readonly suite: string;
  readonly packages: string;
  readonly asteriskVersion: string;
}

/** The root file system of a release if it is built already, else undefined. */
export function findRootFilesystem(release: Release): RootFilesystem | undefined {
  const path = rootPath(release);
  const stamp = readStamp(path);
  if (stamp?.suite !== SUITES[release] || stamp.packages !== PACKAGES[release]) return undefined;
  return describe(release, path, stamp.asteriskVersion);
}

/** Gives the root file system of a release, building it where it is missing (about 20 s). Throws one plain sentence. */
export async function ensureRootFilesystem(release: Release, options: BuildOptions = {}): Promise<RootFilesystem> {
  mkdirSync(LAB_HOME, { recursive: true });
  sweepOrphans(LAB_HOME);
  const found = findRootFilesystem(release);
  if (found !== undefined) return found;
  const path = rootPath(release);
  const building = join(LAB_HOME, ownedName(`building-${release}`));
  try {
    options.progress?.(`Building the Asterisk ${release} root file system (Debian ${SUITES[release]}) …`);
    await bootstrap({ suite: SUITES[release], packages: PACKAGES[release], target: building }, options);
    const asteriskVersion = versionInside(building);
    const stamp: Stamp = { suite: SUITES[release], packages: PACKAGES[release], asteriskVersion };
    writeFileSync(join(building, STAMP), `${JSON.stringify(stamp)}\n`);
    // Another process may have built it first; an outdated tree is replaced.
    if (findRootFilesystem(release) === undefined) {
      rmSync(path, { recursive: true, force: true });
      renameSync(building, path);
    }
    options.progress?.(`Asterisk ${asteriskVersion} is ready.`);
    return describe(release, path, asteriskVersion);
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
}

/** A bare Debian as an archive, to make container images of. Throws one plain sentence. */
export async function ensureDebianTarball(options: BuildOptions = {}): Promise<string> {
  mkdirSync(LAB_HOME, { recursive: true });
  if (existsSync(DEBIAN_TARBALL)) return DEBIAN_TARBALL;
  const building = join(LAB_HOME, ownedName('building-debian'));
  mkdirSync(building);
  try {
    options.progress?.(`Building a bare Debian ${SUITES['22']} …`);
    const target = join(building, 'debian.tar');
    await bootstrap({ suite: SUITES['22'], packages: 'ca-certificates', target }, options);
    renameSync(target, DEBIAN_TARBALL);
    return DEBIAN_TARBALL;
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
}

/** Debian releases that the package is installed on. */
export const BARE_SUITES = ['bookworm', 'trixie'] as const;
export type BareSuite = (typeof BARE_SUITES)[number];

/** What a bare Debian has beside its essential packages, so that the package installs without an index of others: systemd, or parts of it. */
const BARE_PACKAGES: Readonly<Record<BareSuite, readonly string[]>> = {
  bookworm: ['systemd', 'bash-completion'],
  trixie: ['systemd-standalone-sysusers', 'systemd-standalone-tmpfiles', 'bash-completion'],
};

/** The root file system of a Debian without Asterisk and Node.js, building it where it is missing (about 10 s). Throws one plain sentence. */
export async function ensureBareDebian(suite: BareSuite, options: BuildOptions = {}): Promise<string> {
  mkdirSync(LAB_HOME, { recursive: true });
  const packages = BARE_PACKAGES[suite];
  // One with other packages has another name.
  const path = join(LAB_HOME, `bare-${suite}-${packages[0]}`);
  if (existsSync(path)) return path;
  const building = join(LAB_HOME, ownedName(`building-${suite}`));
  try {
    options.progress?.(`Building a bare Debian ${suite} …`);
    await bootstrap({ suite, packages: packages.join(','), target: building }, options);
    renameSync(building, path);
    return path;
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
}

/** Where Debian's Ceph is once it is built: its radosgw is an S3 server that checks signatures. Of trixie, the first with dbstore. */
export const S3_ROOT = join(LAB_HOME, 's3-trixie');

export async function ensureS3Server(options: BuildOptions = {}): Promise<string> {
  mkdirSync(LAB_HOME, { recursive: true });
  if (existsSync(S3_ROOT)) return S3_ROOT;
  const building = join(LAB_HOME, ownedName('building-s3'));
  try {
    options.progress?.('Building an S3 server from Debian trixie …');
    await bootstrap({ suite: 'trixie', packages: 'radosgw,ca-certificates', target: building }, options);
    renameSync(building, S3_ROOT);
    return S3_ROOT;
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
}

interface Bootstrap {
  readonly suite: string;
  readonly packages: string;
  /** A folder to make, or an archive where the name ends in `.tar`. */
  readonly target: string;
}

async function bootstrap({ suite, packages, target }: Bootstrap, options: BuildOptions): Promise<void> {
  const mirror = machineDebianMirror();
  if (mirror === undefined) throw new Error("No apt source on this machine names Debian's main archive; add one.");
  options.signal?.throwIfAborted();
  // A snapshot mirror's index is older than its own expiry date.
  const anyAge = '--aptopt=Acquire::Check-Valid-Until "false"';
  // No fsync, as in Debian's container images: .lab can be built again.
  const quick = '--dpkgopt=force-unsafe-io';
  const patient = '--aptopt=Acquire::Retries "5"';
  const words = ['--variant=minbase', anyAge, patient, quick, `--include=${packages}`, suite, target, mirror];
  const build = spawnConfined('mmdebstrap "$@"', words);
  const abort = (): void => build.kill();
  options.signal?.addEventListener('abort', abort);
  const lastLines: string[] = [];
  const watch = (line: string): void => {
    lastLines.push(line);
    if (lastLines.length > 20) lastLines.shift();
    // Several are built at once.
    if (line.startsWith('I: ')) options.progress?.(`  ${suite}: ${line.slice(3)}`);
  };
  for (const stream of [build.process.stdout, build.process.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', watch);
  }
  const status = await build.ended;
  options.signal?.removeEventListener('abort', abort);
  options.signal?.throwIfAborted();
  if (status !== 0) {
    const reason = lastLines.filter((line) => !line.startsWith('I: ')).join('\n') || lastLines.join('\n');
    throw new Error(`mmdebstrap could not build Debian ${suite} with ${packages}; it said:\n${reason}`);
  }
}

function versionInside(root: string): string {
  const text = execFileSync('chroot', [root, 'asterisk', '-V'], { encoding: 'utf8' });
  return text.trim().replace(/^Asterisk /, '');
}

function describe(release: Release, path: string, asteriskVersion: string): RootFilesystem {
  const account = /^asterisk:[^:]*:(\d+):(\d+):/m.exec(readFileSync(join(path, 'etc/passwd'), 'utf8'));
  if (account === null) throw new Error(`${path} has no user asterisk; remove the folder and try again.`);
  const configured = /^astmoddir\s*=>\s*(\S+)/m.exec(readFileSync(join(path, 'etc/asterisk/asterisk.conf'), 'utf8'));
  return {
    release,
    path,
    asteriskVersion,
    modulesDirectory: configured?.[1] ?? '/usr/lib/asterisk/modules',
    uid: Number(account[1]),
    gid: Number(account[2]),
  };
}

function rootPath(release: Release): string {
  return join(LAB_HOME, `rootfs-${release}`);
}

function readStamp(path: string): Stamp | undefined {
  try {
    return JSON.parse(readFileSync(join(path, STAMP), 'utf8')) as Stamp;
  } catch {
    return undefined;
  }
}
