import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../lab/paths.ts';

/** Where documents are; elsewhere are packages and what tests leave behind. */
const FOLDERS = ['.github', 'asterisk-conf', 'docker', 'src', 'test'];

/** Every Markdown file of the repository, by its path from there. */
export function documentPaths(): string[] {
  const inside = FOLDERS.flatMap((folder) =>
    readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.md'))
      .map((path) => join(folder, path)),
  );
  return ['README.md', 'CHANGELOG.md', ...inside].toSorted();
}

export function readDocument(path: string): string {
  return readFileSync(join(REPOSITORY, path), 'utf8');
}

/** The texts of a document's fenced blocks of one language, of one section when its heading is given. */
export function documentBlocks(path: string, language: string, heading?: string): string[] {
  const text = readDocument(path);
  const [section = ''] =
    heading === undefined ? [text] : (new RegExp(`^## ${heading}\\n.*?(?=^## |$(?![^]))`, 'ms').exec(text) ?? []);
  return [...section.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, blockLanguage]) => blockLanguage === language)
    .map(([, , block = '']) => block);
}

/** The shell commands of all documents, each once, without the remarks behind them. */
export function documentedCommands(): string[] {
  const blocks = documentPaths().flatMap((path) => documentBlocks(path, 'sh'));
  const lines = blocks.flatMap((text) => text.replaceAll(/\s*\\\n\s*/g, ' ').split('\n'));
  const commands = lines.map((line) => line.replace(/(?:^|\s+)# .*$/, '').trim()).filter((line) => line !== '');
  return [...new Set(commands)];
}
