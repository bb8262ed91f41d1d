import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const SRC = resolve(import.meta.dirname, '../../src');

/**
 * The rooms and their layers; a room may import lower layers, never one of its own layer. `app` and `cli` see all. A folder of a
 * room stands here by itself where it is of another layer: what doctor gathers needs sockets and files, what it concludes does not.
 */
const LAYER_OF_ROOM: Readonly<Record<string, number>> = {
  units: 0,
  model: 1,
  stats: 2,
  score: 2,
  wire: 2,
  calls: 3,
  alerting: 3,
  doctor: 3,
  setup: 3,
  asterisk: 4,
  capture: 4,
  alerts: 4,
  'phone-reports': 4,
  ratings: 4,
  'measurements/format': 3,
  measurements: 4,
  history: 4,
  api: 4,
  dashboard: 4,
  config: 4,
  // It stores what the history's rows are made of, so that there is one copy of the fields.
  fleet: 5,
  'doctor/gather': 5,
  app: 5,
  cli: 5,
};
/** Where a room may see less than its layer allows. */
const HIGHEST_LAYER_SEEN: Readonly<Record<string, number>> = {
  asterisk: 2,
  capture: 2,
  alerting: 2,
  alerts: 2,
  'phone-reports': 2,
  ratings: 2,
  api: 2,
  measurements: 3,
  history: 1,
  config: 1,
  fleet: 4,
  dashboard: -1,
};
/** Types leave no trace when the page is served, so the page may have its answers' types from the tables of fields. */
const HIGHEST_LAYER_OF_TYPES: Readonly<Record<string, number>> = { dashboard: 1 };
const SEES_ALL = new Set(['app', 'cli']);
const PURE_UP_TO_LAYER = 3;
/** Some fifteen: a folder that has more is split by what its files are about. */
const MOST_FILES = 17;

interface Import {
  readonly file: string;
  readonly room: string;
  readonly target: string;
  readonly isOfTypes: boolean;
}

function sourceFiles(): string[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts') && path.includes('/'))
    .map((path) => join(SRC, path));
}

function roomOf(path: string): string {
  const [room = '', folder = ''] = relative(SRC, path).split('/');
  return `${room}/${folder}` in LAYER_OF_ROOM ? `${room}/${folder}` : room;
}

function importsOf(path: string): Import[] {
  const text = readFileSync(path, 'utf8');
  const specifiers = [
    ...text.matchAll(/(\bimport type [^;']*)?(?:\bfrom\s+|\bimport\s*\(\s*|\bimport\s+|\bnew URL\(\s*)'([^']+)'/g),
  ];
  return specifiers.map(([, types, specifier = '']) => ({
    isOfTypes: types !== undefined,
    file: relative(SRC, path),
    room: roomOf(path),
    target: specifier.startsWith('.') ? roomOf(resolve(dirname(path), specifier)) : specifier,
  }));
}

/** Chains of imports that lead back to the file that they begin with, such as `a.ts → b.ts → a.ts`. */
function circles(importsByFile: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, chain: readonly string[]): void => {
    const at = chain.indexOf(file);
    if (at >= 0) found.push([...chain.slice(at), file].join(' → '));
    if (at >= 0 || done.has(file)) return;
    for (const next of importsByFile.get(file) ?? []) visit(next, [...chain, file]);
    done.add(file);
  };
  for (const file of importsByFile.keys()) visit(file, []);
  return found;
}

function isForbidden({ room, target, isOfTypes }: Import): boolean {
  const layer = LAYER_OF_ROOM[room];
  if (layer === undefined) return true;
  if (target === room) return false;
  const targetLayer = LAYER_OF_ROOM[target];
  if (targetLayer === undefined) return layer <= PURE_UP_TO_LAYER;
  if (SEES_ALL.has(room)) return false;
  const ofTypes = isOfTypes ? HIGHEST_LAYER_OF_TYPES[room] : undefined;
  return targetLayer > (ofTypes ?? HIGHEST_LAYER_SEEN[room] ?? layer - 1);
}

describe('the house', () => {
  const files = sourceFiles();

  test('has rooms to look at', () => {
    expect(files.length).toBeGreaterThan(20);
    expect(new Set(files.map(roomOf))).toContain('calls');
  });

  test('no room imports what its layer may not see, and the pure rooms import no package and no node module', () => {
    const forbidden = files.flatMap(importsOf).filter(isForbidden);
    expect(forbidden).toEqual([]);
  });

  test('the check itself sees a breach', () => {
    const importOf = (room: string, target: string, isOfTypes = false): Import => ({
      file: '',
      room,
      target,
      isOfTypes,
    });
    expect(isForbidden(importOf('dashboard', 'model'))).toBe(true);
    expect(isForbidden(importOf('dashboard', 'api', true))).toBe(true);
    expect(isForbidden(importOf('dashboard', 'model', true))).toBe(false);
    expect(isForbidden(importOf('score', 'stats'))).toBe(true);
    expect(isForbidden(importOf('calls', 'node:fs'))).toBe(true);
    expect(isForbidden(importOf('history', 'score'))).toBe(true);
    expect(isForbidden(importOf('doctor', 'doctor/gather'))).toBe(true);
    expect(isForbidden(importOf('doctor/gather', 'app'))).toBe(true);
    expect(isForbidden(importOf('calls', 'score'))).toBe(false);
    expect(isForbidden(importOf('doctor/gather', 'asterisk'))).toBe(false);
  });

  test('no files import each other in a circle, so that each can be read after those that it imports', () => {
    const importsByFile = new Map(
      files.map((file) => {
        const specifiers = [...readFileSync(file, 'utf8').matchAll(/\b(?:from|import)\s+'(\.[^']+)'/g)];
        const targets = specifiers.map(([, specifier = '']) => relative(SRC, resolve(dirname(file), specifier)));
        return [relative(SRC, file), targets] as const;
      }),
    );
    expect([...importsByFile.values()].flat().length).toBeGreaterThan(1000);
    expect(circles(importsByFile)).toEqual([]);
    expect(
      circles(
        new Map([
          ['a', ['b', 'c']],
          ['b', ['d']],
          ['c', ['d']],
          ['d', ['b']],
        ]),
      ),
    ).toEqual(['b → d → b']);
  });

  test('the pure rooms know no clock, no timer and no process', () => {
    const impure = files
      .filter((file) => (LAYER_OF_ROOM[roomOf(file)] ?? 0) <= PURE_UP_TO_LAYER)
      .filter((file) =>
        /Date\.now|new Date\(\)|setTimeout|setInterval|setImmediate|performance\.|process\.|Math\.random/.test(
          readFileSync(file, 'utf8'),
        ),
      )
      .map((file) => relative(SRC, file));
    expect(impure).toEqual([]);
  });

  test('no file is too long to be read in one go', () => {
    const long = files
      .map((file) => ({ file: relative(SRC, file), lines: readFileSync(file, 'utf8').split('\n').length }))
      .filter(({ lines }) => lines > 350);
    expect(long).toEqual([]);
  });

  test('no folder has so many files that nobody finds one', () => {
    const sizes = [...Map.groupBy(files, (file) => relative(SRC, dirname(file)))].map(([folder, inIt]) => ({
      folder,
      files: inIt.length,
    }));
    expect(sizes.length).toBeGreaterThan(40);
    expect(sizes.filter((folder) => folder.files > MOST_FILES)).toEqual([]);
  });

  test('the document of the house names every room, on its layer', () => {
    const text = readFileSync(join(SRC, 'README.md'), 'utf8');
    const named = [...text.matchAll(/^\| (\d) +\| `([\w/-]+)`/gm)].map(([, layer, room]) => [room, Number(layer)]);
    const rooms = Object.entries(LAYER_OF_ROOM).filter(([room]) => room !== 'measurements/format');
    expect(named.map(String).sort()).toEqual(rooms.map(String).sort());
  });
});
