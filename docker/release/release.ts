/** `npm run release`: the npm package, the Debian packages and their checksums, from a tag of git. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildDeb } from '../deb/build.ts';
import type { Architecture } from '../deb/control.ts';

const REPOSITORY = join(import.meta.dirname, '../..');

export interface ReleaseState {
  /** Of package.json. */
  readonly version: string;
  /** Tags of the commit that is checked out. */
  readonly tags: readonly string[];
  /** Whether git knows of changes that are not committed. */
  readonly isChanged: boolean;
  readonly changelog: string;
}

/** Why this is no release, in one sentence; undefined when it is one. */
export function releaseProblem({ version, tags, isChanged, changelog }: ReleaseState): string | undefined {
  if (isChanged) return 'there are changes that are not committed; commit them, or put them aside with git stash';
  if (!tags.includes(`v${version}`)) {
    return `package.json says ${version}, and this commit has no tag v${version}; set it with git tag v${version}`;
  }
  const [, newest] = /^## (\S+)/m.exec(changelog) ?? [];
  if (newest?.replace(/,$/, '') !== version)
    return `CHANGELOG.md begins with ${newest ?? 'no version'}, not with ${version}`;
  return undefined;
}

export interface ReleaseOptions {
  readonly out: string;
  readonly architectures: readonly Architecture[];
  readonly compression: number;
}

/** Builds all packages into one folder, with SHA256SUMS; gives their paths. */
export async function buildRelease({ out, architectures, compression }: ReleaseOptions): Promise<string[]> {
  mkdirSync(out, { recursive: true });
  const paths: string[] = [];
  for (const [index, architecture] of architectures.entries()) {
    const npmPackage = index === 0 ? { tarball: (path: string) => void paths.push(path) } : {};
    paths.push(await buildDeb({ architecture, out, compression, ...npmPackage }));
  }
  const sums = paths.map(
    (path) => `${createHash('sha256').update(readFileSync(path)).digest('hex')}  ${basename(path)}\n`,
  );
  const list = join(out, 'SHA256SUMS');
  writeFileSync(list, sums.join(''));
  return [...paths, list];
}

function git(...words: string[]): string {
  return execFileSync('git', words, { cwd: REPOSITORY, encoding: 'utf8' }).trim();
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string', multiple: true, default: ['amd64', 'arm64'] },
      out: { type: 'string', default: 'release' },
      // Of xz; a test has no time for more than 0.
      compression: { type: 'string', default: '6' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(
      'npm run release -- [--arch amd64] [--arch arm64] [--out DIR] [--compression 6]    (both, into release/)\n',
    );
    return;
  }
  const architectures = values.arch.map((name): Architecture => {
    if (name !== 'amd64' && name !== 'arm64') throw new Error(`--arch ${name} is not known; give amd64 or arm64`);
    return name;
  });
  if (!/^[0-9]$/.test(values.compression)) {
    throw new Error(`--compression ${values.compression} is not allowed; give a digit from 0 to 9`);
  }
  const read = (name: string): string => readFileSync(join(REPOSITORY, name), 'utf8');
  const { version } = JSON.parse(read('package.json')) as { readonly version: string };
  const problem = releaseProblem({
    version,
    tags: git('tag', '--points-at', 'HEAD').split('\n'),
    isChanged: git('status', '--porcelain') !== '',
    changelog: read('CHANGELOG.md'),
  });
  if (problem !== undefined) throw new Error(problem);
  const paths = await buildRelease({
    out: resolve(values.out),
    architectures,
    compression: Number(values.compression),
  });
  process.stdout.write(`${paths.join('\n')}\n`);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`npm run release: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
