import { execFileSync } from 'node:child_process';
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { makeRunDirectory, REPOSITORY } from '../lab/paths.ts';

/**
 * Runs `work` with the command of the package that npm users get, compiled as `npm pack` does it. Its dependencies are the
 * repository's.
 */
export async function withCompiledPackage<Result>(work: (entry: string) => Promise<Result>): Promise<Result> {
  const folder = makeRunDirectory('bench');
  try {
    const run = (program: string, ...words: string[]): string =>
      execFileSync(program, words, { cwd: REPOSITORY, encoding: 'utf8' }).trim();
    const name = run('npm', 'pack', '--silent', '--pack-destination', folder);
    run('tar', '--extract', '--gzip', '--file', join(folder, name), '--directory', folder);
    symlinkSync(join(REPOSITORY, 'node_modules'), join(folder, 'package/node_modules'));
    return await work(join(folder, 'package/src/asterisk-mes.js'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
