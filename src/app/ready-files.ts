import { readFileSync } from 'node:fs';

/** The text of a ready file of `asterisk-conf/`, which the package brings along. */
export function readyFile(name: string): string {
  return readFileSync(new URL(`../../asterisk-conf/${name}`, import.meta.url), 'utf8');
}

/** The lines of a ready file, without comments and blank lines. */
export function readyLines(name: string): string[] {
  return readyFile(name)
    .split('\n')
    .filter((line) => !/^\s*(?:;|--|$)/.test(line));
}
