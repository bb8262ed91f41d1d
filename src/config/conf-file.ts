/** The syntax of Asterisk's configuration files, as far as `mes.conf` needs it. */

export interface ConfEntry {
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

export interface ConfSection {
  readonly name: string;
  /** Line of the section's first heading. */
  readonly line: number;
  readonly entries: readonly ConfEntry[];
}

export interface ConfProblem {
  readonly line: number;
  /** What is wrong and what to do, without the line's text: it may hold a secret. */
  readonly sentence: string;
}

export interface ConfFile {
  readonly sections: readonly ConfSection[];
  readonly problems: readonly ConfProblem[];
}

const HEADING = /^\[([^\]]*)\](.*)$/s;
const CONTROL = /(?!\t)\p{Cc}/u;

/** Removes the comment. `;` begins one; `\;` is a semicolon in a value (as in Asterisk's files). */
function withoutComment(line: string): string {
  return line.replace(/(?<!\\);.*$/s, '').replaceAll('\\;', ';');
}

function headingProblem(name: string, rest: string): string | undefined {
  if (rest.startsWith('('))
    return 'templates such as [section](!) are not supported; write the keys out in each section';
  if (rest !== '') return 'there is text behind the section heading; put it on a line of its own';
  if (name === '') return 'the section heading is empty; write [section]';
  return undefined;
}

function oddLineProblem(line: string): string {
  if (line.startsWith('#')) {
    return '#include, #exec and # comments are not supported; write the settings here and begin a comment with ;';
  }
  if (line.startsWith('[')) return 'the section heading has no closing bracket; write [section]';
  return 'this is neither a [section] nor a setting; write key = value';
}

/**
 * Reads the text of a configuration file: `[section]`, `key = value` or `key => value`, `;` comments, blank lines.
 * A section may be opened again. Never throws: `problems` has what cannot be read, by line, counted from 1.
 */
export function parseConf(text: string): ConfFile {
  const problems: ConfProblem[] = [];
  const sections = new Map<string, { name: string; line: number; entries: ConfEntry[] }>();
  let current: { name: string; line: number; entries: ConfEntry[] } | undefined;
  let insideBrokenSection = false;

  const readLine = (raw: string, line: number): string | undefined => {
    if (/^\s*;--(?!-)/.test(raw)) return 'block comments (;-- … --;) are not supported; begin each line with ;';
    const content = withoutComment(raw).trim();
    if (content === '') return undefined;
    if (CONTROL.test(content)) return 'there is a control character in this line; remove it';

    const heading = HEADING.exec(content);
    if (heading !== null) {
      const name = (heading[1] ?? '').trim();
      const problem = headingProblem(name, (heading[2] ?? '').trim());
      insideBrokenSection = problem !== undefined;
      if (problem !== undefined) return problem;
      current = sections.get(name) ?? { name, line, entries: [] };
      sections.set(name, current);
      return undefined;
    }

    const equals = content.indexOf('=');
    const key = content.slice(0, Math.max(equals, 0)).trim();
    if (key === '') {
      insideBrokenSection ||= content.startsWith('[');
      return oddLineProblem(content);
    }
    // The heading's problem is reported; its keys would repeat it.
    if (insideBrokenSection) return undefined;
    if (current === undefined) return 'this setting stands before the first section; put it under a [section]';
    const earlier = current.entries.find((entry) => entry.key === key);
    if (earlier !== undefined) {
      return `"${key}" in [${current.name}] is already set in line ${earlier.line}; remove one of the two`;
    }
    current.entries.push({
      key,
      value: content
        .slice(equals + 1)
        .replace(/^>/, '')
        .trim(),
      line,
    });
    return undefined;
  };

  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const sentence = readLine(raw, index + 1);
    if (sentence !== undefined) problems.push({ line: index + 1, sentence });
  }
  return { sections: [...sections.values()], problems };
}
