import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { dirname, extname, join, sep } from 'node:path';
import { gzipSync } from 'node:zlib';

/** A file for the browser. */
export interface Asset {
  /** The address: `/`, or below `/assets/` in a folder whose name changes with any of its files. */
  readonly path: string;
  readonly type: string;
  readonly body: Buffer;
  /** The same, compressed. */
  readonly gzip: Buffer;
  /** With quotes, as the header needs it. */
  readonly etag: string;
  /** True: the content at this address never changes. */
  readonly isImmutable: boolean;
}

const CLIENT = join(import.meta.dirname, 'client');
/** `.ts` when Node runs TypeScript, `.js` after a build: the browser's modules are built in the same way. */
const MODULE_EXTENSION = extname(import.meta.filename);

const JAVASCRIPT = 'text/javascript; charset=utf-8';
const TYPES: Readonly<Record<string, string>> = {
  '.js': JAVASCRIPT,
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Style sheets in order: later rules win. */
const STYLES = [
  'base',
  'call',
  'lists',
  'now',
  'hops',
  'alerts',
  'remarks',
  'fleet',
  'ratings',
  'trends',
  'measurements',
].map((name) => `styles/${name}.css`);

/** All files of the dashboard, ready to be sent. Throws when one cannot be read. */
export function dashboardAssets({ isFleet = false } = {}): readonly Asset[] {
  const files = new Map<string, Buffer>([...modules(), ...chartLibrary()]);
  for (const name of [...STYLES, 'icon.svg']) files.set(name, readFileSync(join(CLIENT, name)));

  const all = createHash('sha256');
  for (const [name, body] of files) all.update(name).update('\0').update(body);
  const base = `/assets/${all.digest('hex').slice(0, 16)}/`;
  const preload = [...files.keys()]
    .filter((name) => name.endsWith('.js'))
    .map((name) => `<link rel="modulepreload" href="${base}${name}">`)
    .join('\n    ');
  const page = readFileSync(join(CLIENT, 'index.html'), 'utf8')
    .replace('<html ', isFleet ? '<html data-fleet ' : '<html ')
    .replace('<!-- modules -->', preload)
    .replace('<!-- styles -->', STYLES.map((name) => `<link rel="stylesheet" href="./${name}">`).join('\n    '))
    .replaceAll('href="./', `href="${base}`)
    .replaceAll('src="./', `src="${base}`);
  return [
    asset('/', 'text/html; charset=utf-8', Buffer.from(page), false),
    ...[...files].map(([name, body]) => asset(`${base}${name}`, TYPES[extname(name)] ?? JAVASCRIPT, body, true)),
  ];
}

function asset(path: string, type: string, body: Buffer, isImmutable: boolean): Asset {
  const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 32)}"`;
  return { path, type, body, gzip: gzipSync(body, { level: 9 }), etag, isImmutable };
}

/** The client's modules as JavaScript. */
function modules(): [string, Buffer][] {
  return readdirSync(CLIENT, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll(sep, '/'))
    .filter((name) => name.endsWith(MODULE_EXTENSION) && !name.endsWith('.d.ts'))
    .sort()
    .flatMap((name) => {
      const text = readFileSync(join(CLIENT, name), 'utf8');
      const script = (MODULE_EXTENSION === '.ts' ? withoutTypes(text) : text)
        .replaceAll(/^((?:import|export)\b[^;'"]*from\s*'\.\.?\/[\w/.-]+)\.ts'/gm, "$1.js'")
        .replaceAll(/^(import\b[^;'"]*from\s*)'uplot'/gm, `$1'${name.includes('/') ? '..' : '.'}/uplot.js'`);
      // Leave out modules that have only types.
      return /^(import|export)\b/m.test(script) ? [[name.replace(/\.ts$/, '.js'), Buffer.from(script)]] : [];
    });
}

/** Removes the blank lines that stripped types leave. */
function withoutTypes(text: string): string {
  const emitWarning = process.emitWarning.bind(process);
  // Node would warn that this function is experimental, although Node itself runs TypeScript by it.
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(text)
      .replaceAll(/[ \t]+$/gm, '')
      .replaceAll(/\n{2,}/g, '\n');
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** uPlot as its package ships it, its minified script made a module. */
function chartLibrary(): [string, Buffer][] {
  const dist = dirname(createRequire(import.meta.url).resolve('uplot'));
  const script = readFileSync(join(dist, 'uPlot.iife.min.js'), 'utf8');
  return [
    ['uplot.js', Buffer.from(`${script}\nexport default uPlot;\n`)],
    ['uplot.css', readFileSync(join(dist, 'uPlot.min.css'))],
  ];
}
