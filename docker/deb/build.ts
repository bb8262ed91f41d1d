/** `npm run deb`: makes the Debian package, with Node.js and everything else inside. `--help` says what can be chosen. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { wholeProgram } from '../../src/cli/program.ts';
import { bashCompletion } from './completion.ts';
import { type Architecture, controlFile, debianVersion, MAINTAINER, NPM_ARCHITECTURES } from './control.ts';
import { manPage } from './man-page.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const FILES = join(import.meta.dirname, 'debian');
const HOME = 'usr/lib/asterisk-mes';
const UNITS = 'usr/lib/systemd/system';
const DOCUMENTS = 'usr/share/doc/asterisk-mes';
/** What `npm pack` needs of the repository; it works on a copy, so that it can run beside anything else. */
const SOURCES =
  'package.json package-lock.json tsconfig.json src docker asterisk-conf README.md LICENSE CHANGELOG.md'.split(' ');
const WRAPPER = `#!/bin/sh
exec /${HOME}/bin/node /${HOME}/src/asterisk-mes.js "$@"
`;

export interface DebOptions {
  readonly architecture: Architecture;
  /** Where the package goes. */
  readonly out: string;
  /** In place of package.json's: a test upgrades from an older one. */
  readonly version?: string | undefined;
  /** xz's level, 0-9. */
  readonly compression: number;
  /** Told of the npm package, which is then put beside the Debian package. */
  readonly tarball?: (path: string) => void;
}

/** Builds one package and returns its path. Throws where a tool fails. */
export async function buildDeb(options: DebOptions): Promise<string> {
  const stage = mkdtempSync(join(tmpdir(), 'asterisk-mes-deb-'));
  try {
    return await build(options, stage);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

async function build(options: DebOptions, stage: string): Promise<string> {
  const { architecture, out, version: wanted, compression } = options;
  const manifest = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as Manifest;
  const version = wanted ?? manifest.version;
  const date = new Date(sourceDateS() * 1000).toISOString();
  const root = join(stage, 'root');
  const packed = packProgram(stage, join(root, HOME), version);
  copyNode(architecture, manifest, stage, join(root, HOME));
  const put = (path: string, content: string | Buffer, mode = 0o644): void => {
    const target = join(root, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
    chmodSync(target, mode);
  };
  const shipped = (name: string): string => readFileSync(join(FILES, name), 'utf8');
  put('usr/bin/asterisk-mes', WRAPPER, 0o755);
  put('etc/asterisk/mes.conf', shipped('mes.conf'));
  put('usr/lib/sysusers.d/asterisk-mes.conf', shipped('sysusers.conf'));
  put('usr/lib/tmpfiles.d/asterisk-mes.conf', shipped('tmpfiles.conf'));
  const unit = readFileSync(join(REPOSITORY, 'asterisk-conf/asterisk-mes.service'), 'utf8');
  put(`${UNITS}/asterisk-mes.service`, packagedUnit(unit));
  put(`${UNITS}/asterisk-mes@.service`, instanceUnit(packagedUnit(unit)));
  put(`${DOCUMENTS}/copyright`, copyright(join(root, HOME)));
  put(`${DOCUMENTS}/changelog.gz`, gzipSync(changelog(version, date), { level: 9 }));
  put(`${DOCUMENTS}/NEWS.md.gz`, gzipSync(readFileSync(join(REPOSITORY, 'CHANGELOG.md')), { level: 9 }));
  put(`${DOCUMENTS}/README.md`, readFileSync(join(REPOSITORY, 'README.md')));
  const ready = join(REPOSITORY, 'asterisk-conf');
  const examples = join(root, DOCUMENTS, 'examples');
  // lintian takes examples/examples for a mistake.
  cpSync(ready, examples, { recursive: true, filter: (path) => path !== join(ready, 'examples') });
  cpSync(join(ready, 'examples'), join(examples, 'settings'), { recursive: true });
  put('usr/share/lintian/overrides/asterisk-mes', shipped('lintian-overrides'));
  const program = await wholeProgram();
  put('usr/share/man/man1/asterisk-mes.1.gz', gzipSync(manPage(program, version, date.slice(0, 10)), { level: 9 }));
  put('usr/share/bash-completion/completions/asterisk-mes', bashCompletion(program));

  const files = filesBelow(root);
  const installedKib = files.reduce((sum, path) => sum + Math.ceil(statSync(join(root, path)).size / 1024), 0);
  put('DEBIAN/control', controlFile({ version, architecture, installedKib }));
  put('DEBIAN/conffiles', '/etc/asterisk/mes.conf\n');
  put('DEBIAN/md5sums', files.map((path) => `${md5(join(root, path))}  ${path}\n`).join(''));
  for (const script of ['postinst', 'prerm', 'postrm']) put(`DEBIAN/${script}`, shipped(script), 0o755);
  setModes(root);
  mkdirSync(out, { recursive: true });
  const target = join(out, `asterisk-mes_${debianVersion(version)}_${architecture}.deb`);
  const words = ['--root-owner-group', '-Zxz', `-z${compression}`, '--build', root, target];
  execFileSync('dpkg-deb', words, { stdio: 'pipe', env: { ...process.env, SOURCE_DATE_EPOCH: String(sourceDateS()) } });
  if (options.tarball !== undefined) {
    const beside = join(out, basename(packed));
    cpSync(packed, beside);
    options.tarball(beside);
  }
  return target;
}

interface Manifest {
  readonly version: string;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** The npm package, whose path it returns, and the packages that it needs, as the lock file names them. */
function packProgram(stage: string, target: string, version: string): string {
  const copy = join(stage, 'source');
  mkdirSync(copy);
  for (const name of SOURCES) cpSync(join(REPOSITORY, name), join(copy, name), { recursive: true });
  symlinkSync(join(REPOSITORY, 'node_modules'), join(copy, 'node_modules'));
  const manifest = JSON.parse(readFileSync(join(copy, 'package.json'), 'utf8')) as Manifest;
  writeFileSync(join(copy, 'package.json'), `${JSON.stringify({ ...manifest, version }, null, 2)}\n`);
  mkdirSync(target, { recursive: true });
  const [tarball = ''] = npm(['pack', '--silent', '--pack-destination', stage], copy).trim().split('\n').slice(-1);
  execFileSync('tar', ['-xzf', join(stage, tarball), '--strip-components=1', '-C', target]);
  const modules = join(REPOSITORY, 'node_modules');
  const [, ...paths] = npm(['ls', '--all', '--omit=dev', '--parseable'], REPOSITORY).trim().split('\n');
  for (const path of paths) {
    const inside = (file: string): boolean => !isNotRun(relative(path, file));
    const copied = join(target, 'node_modules', relative(modules, path));
    cpSync(path, copied, { recursive: true, dereference: true, filter: inside });
  }
  const entry = join(target, 'src/asterisk-mes.js');
  // Started by the wrapper, with the Node.js of this package and no other.
  writeFileSync(entry, readFileSync(entry, 'utf8').replace(/^#!.*\n/, ''));
  return join(stage, tarball);
}

/** What packages bring of their workshops: settings of tools, tests, types and pages of documentation. */
function isNotRun(path: string): boolean {
  const parts = path.split('/');
  return (
    parts.some((part) => part.startsWith('.')) ||
    WORKSHOP_FOLDERS.has(parts[0] ?? '') ||
    /\.(?:map|d\.[cm]?ts|ts|md|html|sh)$/.test(path)
  );
}

const WORKSHOP_FOLDERS: ReadonlySet<string> = new Set(
  'test tests docs example examples benchmark benchmarks integration scripts tools'.split(' '),
);

function npm(words: readonly string[], cwd: string): string {
  return execFileSync('npm', [...words], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Node's binary, and of better-sqlite3 what this processor runs. */
function copyNode(architecture: Architecture, manifest: Manifest, stage: string, home: string): void {
  const npmName = NPM_ARCHITECTURES[architecture];
  const sqlite = join(home, 'node_modules/better-sqlite3');
  for (const name of ['deps', 'src', 'binding.gyp']) rmSync(join(sqlite, name), { recursive: true, force: true });
  for (const name of readdirSync(join(sqlite, 'prebuilds'))) {
    if (name !== `linux-${npmName}.node`) rmSync(join(sqlite, 'prebuilds', name));
  }
  const wanted = `node-linux-${npmName}@${manifest.devDependencies['node'] ?? ''}`;
  const [tarball = ''] = npm(['pack', wanted, '--silent', '--prefer-offline', '--pack-destination', stage], stage)
    .trim()
    .split('\n')
    .slice(-1);
  mkdirSync(join(home, 'bin'), { recursive: true });
  const binary = ['package/bin/node', 'package/LICENSE'];
  execFileSync('tar', ['-xzf', join(stage, tarball), '--strip-components=1', '-C', home, binary[0] ?? '']);
  const licence = execFileSync('tar', ['-xzOf', join(stage, tarball), binary[1] ?? ''], { maxBuffer: 10_000_000 });
  writeFileSync(join(home, 'bin/LICENSE.node'), licence);
}

/** The unit as this package has it: a user of its own that stays, so that a history keeps its owner. */
function packagedUnit(unit: string): string {
  const lines = unit.slice(unit.indexOf('[Unit]'));
  const dynamic = /^# A user that exists while it runs.*\nDynamicUser=yes$/m;
  if (!dynamic.test(lines)) throw new Error('asterisk-mes.service has no DynamicUser=yes where it is looked for');
  const [, flags] = /^ExecStart=\/bin\/sh -c 'exec node (.*) "\$\$\(command -v asterisk-mes\)" run /m.exec(lines) ?? [];
  if (flags === undefined) throw new Error('asterisk-mes.service starts something else than is looked for');
  // With the Node.js of this package: there may be no other, or an older one.
  const start = `ExecStart=/${HOME}/bin/node ${flags} /${HOME}/src/asterisk-mes.js run --config \${CREDENTIALS_DIRECTORY}/mes.conf`;
  return lines
    .replace(/^ExecStart=.*$/m, () => start)
    .replace(dynamic, '# Made by sysusers.d; /var/lib/asterisk-mes is its own.\nUser=asterisk-mes\nGroup=asterisk-mes')
    .replace('[Unit]\n', '[Unit]\nDocumentation=man:asterisk-mes(1)\n');
}

/** `asterisk-mes@NAME`: one of several Asterisks on this machine, with settings and a history of its own. */
function instanceUnit(unit: string): string {
  return unit
    .replace('on an Asterisk server', 'on the Asterisk %i')
    .replace('/etc/asterisk/mes.conf', '/etc/asterisk/mes-%i.conf')
    .replace('StateDirectory=asterisk-mes\n', 'StateDirectory=asterisk-mes/%i\n')
    .replace('[Service]\n', '[Service]\nEnvironment=MES_HISTORY_PATH=/var/lib/asterisk-mes/%i/mes.sqlite\n');
}

function copyright(home: string): string {
  const licence = readFileSync(join(REPOSITORY, 'LICENSE'), 'utf8').trim();
  const paragraphs = licence.split('\n').map((line) => (line === '' ? ' .' : ` ${line}`));
  const packages = readdirSync(join(home, 'node_modules')).filter((name) => !name.startsWith('.'));
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: asterisk-mes

Files: *
Copyright: 2026 the asterisk-mes authors
License: Expat
${paragraphs.join('\n')}
Comment:
 Node.js stands in /${HOME}/bin; its licences and those of what it contains are in LICENSE.node there.
 Each package below /${HOME}/node_modules has its licence beside its code: ${packages.join(', ')}.
`;
}

function changelog(version: string, date: string): string {
  return `asterisk-mes (${debianVersion(version)}) unstable; urgency=medium

  * Version ${version}; NEWS.md says what is new.

 -- ${MAINTAINER}  ${new Date(date).toUTCString().replace('GMT', '+0000')}
`;
}

/** When the sources were last changed, in seconds, so that the same sources give the same package. */
function sourceDateS(): number {
  const given = process.env['SOURCE_DATE_EPOCH'];
  if (given !== undefined && /^\d{1,10}$/.test(given)) return Number(given);
  try {
    return Number(execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: REPOSITORY, encoding: 'utf8' }));
  } catch {
    return Math.floor(statSync(join(REPOSITORY, 'package.json')).mtimeMs / 1000);
  }
}

/** Paths below a folder, without its own and without the package's control files, sorted. */
function filesBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

/** Folders 755; files 644, programs 755: whatever the umask and the npm packages say. */
function setModes(root: string): void {
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) chmodSync(path, 0o755);
    else if (entry.isFile()) chmodSync(path, isProgram(relative(root, path)) ? 0o755 : 0o644);
  }
  chmodSync(root, 0o755);
}

function isProgram(path: string): boolean {
  return /^(?:usr\/bin\/|usr\/lib\/asterisk-mes\/bin\/node$|DEBIAN\/(?:post|pre))/.test(path);
}

function md5(path: string): string {
  return createHash('md5').update(readFileSync(path)).digest('hex');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string', multiple: true, default: ['amd64'] },
      out: { type: 'string', default: '.' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write('npm run deb -- [--arch amd64] [--arch arm64] [--out DIR]\n');
    return;
  }
  for (const name of values.arch) {
    if (name !== 'amd64' && name !== 'arm64') throw new Error(`--arch ${name} is not known; give amd64 or arm64`);
    const path = await buildDeb({ architecture: name, out: resolve(values.out), compression: 6 });
    process.stdout.write(`${path}  ${Math.round(statSync(path).size / 1e6)} MB\n`);
  }
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`npm run deb: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
