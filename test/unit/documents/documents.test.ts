import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { wholeProgram } from '../../../src/cli/program.ts';
import { SETTINGS } from '../../../src/config/settings-table.ts';
import { PRINTS, RUN_ELSEWHERE, WRITES } from '../../documents/commands.ts';
import { documentedCommands, documentPaths, readDocument } from '../../documents/documents.ts';
import { MADE_TABLES, tableIn, withoutPadding } from '../../documents/made-tables.ts';
import { REPOSITORY } from '../../lab/paths.ts';

/** GitHub's anchor of a heading: lower case, punctuation dropped, blanks to dashes. */
function anchorsOf(path: string): string[] {
  const text = readDocument(path).replaceAll(/^```.*?^```$/gms, '');
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** The links of a document that lead to files of the repository, or to places in itself. */
function linksOf(path: string): string[] {
  const text = readDocument(path).replaceAll(/^```.*?^```$/gms, '');
  return [...text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, link = '']) => link);
}

/** The links of a document that lead nowhere. */
function brokenLinks(path: string): string[] {
  return linksOf(path).filter((link) => {
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? path : normalize(join(dirname(path), file));
    if (!existsSync(join(REPOSITORY, target))) return true;
    return anchor !== undefined && !anchorsOf(target).includes(anchor);
  });
}

describe('the documents', () => {
  test('README is for somebody who has five minutes', () => {
    const lines = readDocument('README.md').split('\n').length;
    expect(lines).toBeGreaterThan(50);
    expect(lines).toBeLessThanOrEqual(200);
  });

  test.each(documentPaths())('%s links only to what is there', (path) => {
    expect(brokenLinks(path)).toEqual([]);
  });

  test('a reader of README finds every document by links, but those of recorded inputs', () => {
    const found = new Set(['README.md']);
    for (const path of found) {
      for (const link of linksOf(path)) {
        const target = normalize(join(dirname(path), link.split('#')[0] ?? ''));
        if (target.endsWith('.md')) found.add(target);
      }
    }
    expect(found).toContain('src/score/README.md');
    expect(documentPaths().filter((path) => !path.startsWith('test/golden/') && !found.has(path))).toEqual([]);
  });

  test('each command of a document is run by a test', () => {
    expect(documentedCommands().toSorted()).toEqual([PRINTS, WRITES, RUN_ELSEWHERE].flatMap(Object.keys).toSorted());
    for (const [file, words] of Object.values(RUN_ELSEWHERE)) {
      expect(readFileSync(join(REPOSITORY, file), 'utf8')).toContain(words);
    }
  });

  test.each(MADE_TABLES)('$name in $path is as the code has it (npm run documents writes it)', (table) => {
    expect(withoutPadding(tableIn(readDocument(table.path), table.name))).toBe(withoutPadding(table.make()));
  });

  test('the table of settings has every section, and the defaults that people rely on', () => {
    const table = withoutPadding(tableIn(readDocument('asterisk-conf/README.md'), 'settings'));
    for (const section of Object.keys(SETTINGS)) expect(table).toContain(`\`[${section}] `);
    expect(table).toContain('|`[ami] port`|`5038`|a whole number from 1 to 65535|');
    expect(table).toContain('|`[ami] secret`|must be given|');
    expect(table).toContain('|`[profile:custom] loss_factor`|`2.5`|');
  });

  test('README names every command', async () => {
    const { commands: known } = await wholeProgram();
    const commands = known.map((command) => command.name());
    expect(commands).toContain('run');
    const readme = readDocument('README.md');
    expect(commands.filter((name) => !readme.includes(`| \`asterisk-mes ${name}\``))).toEqual([]);
  });
});
