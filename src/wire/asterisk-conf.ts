/**
 * Reads Asterisk's configuration files as Asterisk does: sections, templates, additions, includes.
 * `mes.conf` has a stricter reader of its own, which explains mistakes (`config/conf-file.ts`).
 */

/** One `key = value` and its place. `line` counts from 1; null when the value came over AMI. */
export interface ConfigEntry {
  readonly key: string;
  readonly value: string;
  /** The line without its comment. */
  readonly text: string;
  readonly file: string;
  readonly line: number | null;
}

/** One section. The entries of its templates come first. */
export interface ConfigSection {
  readonly name: string;
  readonly file: string;
  /** The line of its heading. */
  readonly line: number | null;
  readonly isTemplate: boolean;
  readonly entries: readonly ConfigEntry[];
}

/** Sections in the order of their headings; a name may come more than once. */
export type AsteriskConfig = readonly ConfigSection[];

export interface IncludedFile {
  readonly file: string;
  readonly text: string;
}

/** Returns the files that an `#include` or `#tryinclude` names. The name may be a pattern. */
export type Includer = (pattern: string) => readonly IncludedFile[];

/** Bounds files that include each other in a circle. */
const MAX_DEPTH = 16;

interface OpenSection extends ConfigSection {
  readonly entries: ConfigEntry[];
}

const HEADING = /^\[([^\]]*)\]\s*(?:\(([^)]*)\))?/;
const INCLUDE = /^#(?:try)?include\s+["<]?([^">]+)[">]?/;

/** Reads a file and its includes. It skips lines that it cannot read, and does not run `#exec`. */
export function readAsteriskConfig(file: string, text: string, include: Includer): AsteriskConfig {
  const sections: OpenSection[] = [];
  let current: OpenSection | undefined;

  const open = (name: string, options: readonly string[], at: { file: string; line: number }): void => {
    current = options.includes('+') ? sections.findLast((section) => section.name === name) : undefined;
    // Asterisk refuses a file that adds to a missing section. Go on here: doctor wants to see the rest of it.
    if (current !== undefined) return;
    const inherited = options.flatMap(
      (option) => sections.findLast(({ name: base }) => base === option)?.entries ?? [],
    );
    current = { name, ...at, isTemplate: options.includes('!'), entries: [...inherited] };
    sections.push(current);
  };

  const readFile = (name: string, body: string, depth: number): void => {
    for (const { line, text: content } of contentLines(body)) {
      const included = INCLUDE.exec(content)?.[1];
      const heading = HEADING.exec(content);
      if (included !== undefined) {
        if (depth < MAX_DEPTH) for (const next of include(included.trim())) readFile(next.file, next.text, depth + 1);
      } else if (heading !== null) {
        const options = (heading[2] ?? '').split(',').map((option) => option.trim());
        open((heading[1] ?? '').trim(), options, { file: name, line });
      } else {
        const [, key, value = ''] = /^([^=]*[^=+\s])\s*\+?=>?\s*(.*)$/.exec(content) ?? [];
        if (key !== undefined) current?.entries.push({ key, value, text: content, file: name, line });
      }
    }
  };
  readFile(file, text, 0);
  return sections;
}

/** The lines that are not empty, without comments; a comment `;-- … --;` may span lines. */
function* contentLines(text: string): Generator<{ readonly line: number; readonly text: string }> {
  let inBlock = false;
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    let rest = raw;
    if (inBlock) {
      const end = rest.indexOf('--;');
      if (end < 0) continue;
      inBlock = false;
      rest = rest.slice(end + 3);
    }
    rest = rest.replaceAll(/;--(?!-).*?--;/g, '');
    if (/(?<!\\);--(?!-)/.test(rest)) inBlock = true;
    const content = rest
      .replace(/(?<!\\);.*$/, '')
      .replaceAll('\\;', ';')
      .trim();
    if (content !== '') yield { line: index + 1, text: content };
  }
}

/** The entries of a key, in order, over all sections of that name. */
export function entriesOf(config: AsteriskConfig, section: string, key: string): ConfigEntry[] {
  return sectionsOf(config, section).flatMap(({ entries }) =>
    entries.filter((entry) => entry.key.toLowerCase() === key),
  );
}

/** The last entry of a key. For most settings Asterisk takes the last one. */
export function lastEntry(config: AsteriskConfig, section: string, key: string): ConfigEntry | undefined {
  return entriesOf(config, section, key).at(-1);
}

/** The sections of that name, without templates. */
export function sectionsOf(config: AsteriskConfig, name: string): ConfigSection[] {
  return config.filter((section) => section.name === name && !section.isTemplate);
}

/** Whether Asterisk reads the value as true (`ast_true`). */
export function isTrue(value: string): boolean {
  return /^(?:yes|true|y|t|1|on)$/i.test(value.trim());
}

/** Whether Asterisk reads the value as false (`ast_false`). An empty text is neither true nor false. */
export function isFalse(value: string): boolean {
  return /^(?:no|false|n|f|0|off)$/i.test(value.trim());
}
