/** Brings a ready file of an older release up to date. Lines that people have changed stay. */

/** Lines as older releases wrote them. A line that differs was changed by somebody, and stays. */
const FORMER_LINES: Readonly<Record<string, readonly string[]>> = {
  read: ['read = call,reporting', 'read = call,reporting,user'],
  write: ['write = call'],
};

/**
 * Adds the contexts of the ready file that this text lacks, each with the comment above it. Contexts that exist elsewhere are not
 * added.
 */
export function withNewContexts(text: string, ready: string, isElsewhere: (context: string) => boolean): string {
  const missing = contextsWithComments(ready).filter(({ name }) => !hasContext(text, name) && !isElsewhere(name));
  if (missing.length === 0) return text;
  const start = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  return `${start}${missing.map((context) => `\n${context.text}`).join('')}`;
}

/** The text with the AMI user's classes as the ready file has them. Only lines that an older release wrote are replaced. */
export function withNewClasses(text: string, ready: string): string {
  return text.replaceAll(/^(read|write) = .*$/gm, (line, key: string) => {
    const [now] = new RegExp(`^${key} = .*$`, 'm').exec(ready) ?? [];
    return now !== undefined && FORMER_LINES[key]?.includes(line.trimEnd()) === true ? now : line;
  });
}

/** A context that somebody made a comment of counts as present: its owner does not want it. */
function hasContext(text: string, name: string): boolean {
  return text.split('\n').some((line) => line.replace(/^[;\s]+/, '').startsWith(`[${name}]`));
}

/** The contexts, each with the comment above it. The first comment is about the whole file. */
function contextsWithComments(ready: string): { readonly name: string; readonly text: string }[] {
  return [...ready.matchAll(/(?:^;[^\n]*\n)*^\[([^\]]+)\]\n(?:(?!\[|\n)[^\n]*\n?)*/gm)].map(([whole, name = '']) => ({
    name,
    text: whole,
  }));
}
