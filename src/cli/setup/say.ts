import { wrapped } from '../terminal/words.ts';

/** Writes lines. On a terminal a sentence breaks between words; what is further in (commands, files) stays as it is, to be copied. */
export function say(...lines: string[]): void {
  if (lines.length === 0) return;
  const { isTTY, columns } = process.stdout;
  const shown = isTTY ? lines.flatMap((line) => fitted(line, columns)) : lines;
  process.stdout.write(`${shown.join('\n')}\n`);
}

/** A sentence in lines no longer than the terminal. */
export function fitted(line: string, columns: number): string[] {
  if (line === '' || line.startsWith(' ')) return [line];
  return line.split('\n').flatMap((part) => (part.length > columns ? wrapped(part, columns) : [part]));
}
