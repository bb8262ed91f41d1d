import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GERMAN } from '../../../src/dashboard/client/words/messages-de.ts';

const CLIENT = join(import.meta.dirname, '../../../src/dashboard/client');
const LITERAL = String.raw`(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")`;
const CHOICE = String.raw`(?:[\w.!]+\s*\?\s*)?`;
/** `t('…')`, `t(isUp ? '…' : '…')` and `tn('…', '…')`. */
const PATTERNS = [
  new RegExp(String.raw`\bt\(\s*${CHOICE}${LITERAL}(?:\s*:\s*${LITERAL})?`, 'g'),
  new RegExp(String.raw`\btn\(\s*${LITERAL}\s*,\s*${LITERAL}`, 'g'),
];

/** Every English sentence that the page says, by its sources. */
function sentences(): Set<string> {
  const found = new Set<string>();
  const add = (texts: readonly (string | undefined)[]): void => {
    for (const text of texts) if (text !== undefined) found.add(text);
  };
  const names = readdirSync(CLIENT, { recursive: true, encoding: 'utf8' });
  for (const name of names.filter((file) => file.endsWith('.ts') && !file.endsWith('language.ts'))) {
    const source = readFileSync(join(CLIENT, name), 'utf8');
    for (const pattern of PATTERNS) for (const [, ...texts] of source.matchAll(pattern)) add(texts);
    // The tiles' words are said by a variable.
    if (name.endsWith('live-filter.ts')) for (const [, word] of source.matchAll(/\bword: '([^']+)'/g)) add([word]);
  }
  const page = readFileSync(join(CLIENT, 'index.html'), 'utf8');
  for (const [, text] of page.matchAll(/\sdata-t>([^<]+)</g)) add([text]);
  return found;
}

function holes(text: string): string[] {
  return [...text.matchAll(/\{\w+\}/g)].map(([hole]) => hole).toSorted();
}

describe('the page in German', () => {
  it('has a sentence for each English one, and none that nobody says', () => {
    const said = [...sentences()].toSorted();
    expect(said.length).toBeGreaterThan(200);
    expect(Object.keys(GERMAN).toSorted()).toEqual(said);
  });

  it('fills in the same as the English sentence', () => {
    for (const [english, german] of Object.entries(GERMAN)) {
      expect([english, holes(german)]).toEqual([english, holes(english)]);
      expect(german.trim()).not.toBe('');
    }
  });
});
