/** `npm pack` runs this first: it makes `dist/`, which is `src/` as the plain JavaScript that Node runs anywhere. */
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

const REPOSITORY = join(import.meta.dirname, '../..');
const DIST = join(REPOSITORY, 'dist');
const CLIENT = 'src/dashboard/client';
const ARI_WORKER = 'asterisk/ari-worker';

rmSync(DIST, { recursive: true, force: true });
// Along with the page come the files that it takes types from; they are compiled as the program's own after that.
compile(CLIENT, '--noEmit', 'false', '--rewriteRelativeImportExtensions', '--rootDir', 'src', '--outDir', 'dist');
compile('docker/npm');
for (const name of ['index.html', 'styles', 'icon.svg']) {
  cpSync(join(REPOSITORY, CLIENT, name), join(DIST, 'dashboard/client', name), { recursive: true });
}
await bundleAriWorker();

function compile(...words: string[]): void {
  execFileSync('node_modules/.bin/tsc', ['--project', ...words], { cwd: REPOSITORY, stdio: 'inherit' });
}

/**
 * Bundles `ari-client` and its dependencies into the one file that uses it. npm applies `overrides` only in the root project, so
 * whoever installs the package would get `request`, `ws` and `uuid` of ten years ago.
 */
async function bundleAriWorker(): Promise<void> {
  const bundle = await rolldown({ input: join(REPOSITORY, `src/${ARI_WORKER}.ts`), platform: 'node' });
  const { output } = await bundle.write({ file: join(DIST, `${ARI_WORKER}.js`), format: 'esm' });
  await bundle.close();
  const packages = output[0].moduleIds.flatMap((path) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []);
  const licences = [...new Set(packages)].sort().map(licenceOf);
  writeFileSync(join(DIST, `${ARI_WORKER}.licences.txt`), licences.join(`\n${'-'.repeat(80)}\n\n`));
}

/** A package's licence: its licence file, its README (old packages have it there), or one word. */
function licenceOf(directory: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly version: string;
    readonly license?: string;
  };
  const names = readdirSync(directory);
  const file =
    names.find((candidate) => /^licen[cs]e/i.test(candidate)) ?? names.find((other) => /^readme/i.test(other));
  const text = file === undefined ? '' : readFileSync(join(directory, file), 'utf8').trim();
  return `${name} ${version}${license === undefined ? '' : ` (${license})`}\n\n${text}\n`;
}
