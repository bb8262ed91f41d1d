import { readFileSync } from 'node:fs';

/** The text of a ready file of `asterisk-conf/`, which the package brings along. */
export function readyFile(name: string): string {
  return readFileSync(new URL(`../../asterisk-conf/${name}`, import.meta.url), 'utf8');
}

/** Its lines that say something: no comments, no blank lines. */
export function readyLines(name: string): string[] {
  return readyFile(name)
    .split('\n')
    .filter((line) => !/^\s*(?:;|--|$)/.test(line));
}
