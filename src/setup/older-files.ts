/** What a ready file of an older release lacks. Lines that people have changed stay. */

/** Lines as older releases had them; who has changed one keeps it. */
const FORMER_LINES: Readonly<Record<string, readonly string[]>> = {
  read: ['read = call,reporting', 'read = call,reporting,user'],
  write: ['write = call'],
};

/** Adds the contexts of the ready file that it lacks, each with the comment above it; those that are elsewhere are left out. */
export function withNewContexts(text: string, ready: string, isElsewhere: (context: string) => boolean): string {
  const missing = contextsWithComments(ready).filter(({ name }) => !hasContext(text, name) && !isElsewhere(name));
  if (missing.length === 0) return text;
  const start = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  return `${start}${missing.map((context) => `\n${context.text}`).join('')}`;
}

/** The classes of the AMI user as the ready file has them, in place of lines that an older release wrote. */
export function withNewClasses(text: string, ready: string): string {
  return text.replaceAll(/^(read|write) = .*$/gm, (line, key: string) => {
    const [now] = new RegExp(`^${key} = .*$`, 'm').exec(ready) ?? [];
    return now !== undefined && FORMER_LINES[key]?.includes(line.trimEnd()) === true ? now : line;
  });
}

/** Who has made a comment of it wants it away. */
function hasContext(text: string, name: string): boolean {
  return text.split('\n').some((line) => line.replace(/^[;\s]+/, '').startsWith(`[${name}]`));
}

/** Contexts follow each other after an empty line and a comment. The first one's comment is that of the whole file. */
function contextsWithComments(ready: string): { readonly name: string; readonly text: string }[] {
  return [...ready.matchAll(/(?:^;[^\n]*\n)*^\[([^\]]+)\]\n(?:(?!\[|\n)[^\n]*\n?)*/gm)].map(([whole, name = '']) => ({
    name,
    text: whole,
  }));
}
