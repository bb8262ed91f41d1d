import type { PlannedFile, SetupFacts, SetupInput, SetupPlan } from './input.ts';
import { HANDLER_LINE, withHandlerLines } from './own-lines.ts';

const ROOT = 'pjsip.conf';
/** Files may include each other in a circle; this bound ends it. */
const MOST_FILES = 500;
/** A template may be in another file than its endpoints, and may itself have a template. */
const PASSES = 3;

interface EndpointFile {
  readonly name: string;
  readonly text: string;
}

/** Gives each PJSIP endpoint the hangup handler, where the user chose that. */
export function planEndpoints(input: SetupInput): SetupPlan {
  if (!input.choices.endpoints) return { files: [], notes: [], toDo: [] };
  const { own, foreign } = endpointFiles(input);
  const notes = foreign.map((file) => `${file} is outside of ${input.directory}; its endpoints stay as they are.`);
  return { files: withHandlers(own).filter(({ added }) => added !== null), notes, toDo: [] };
}

/** How many templates and endpoints would get a line. */
export function countEndpoints(input: SetupFacts): number {
  return withHandlers(endpointFiles(input).own).reduce((sum, { count }) => sum + count, 0);
}

function withHandlers(files: readonly EndpointFile[]): (PlannedFile & { readonly count: number })[] {
  let templates: ReadonlySet<string> = new Set();
  for (let pass = 1; pass < PASSES; pass++) {
    for (const { text } of files) templates = withHandlerLines(text, templates).templates;
  }
  return files.map(({ name, text: before }) => {
    const { text, count } = withHandlerLines(before, templates);
    return {
      name,
      text,
      count,
      added: count === 0 ? null : [HANDLER_LINE],
      place: `below each "type = endpoint" (${count})`,
      isSecret: false,
      neighbour: ROOT,
    };
  });
}

/** pjsip.conf and the files that it includes, each once. */
export function endpointFiles(input: Pick<SetupFacts, 'current' | 'include' | 'directory'>): {
  readonly own: readonly EndpointFile[];
  readonly foreign: readonly string[];
} {
  const found = new Map<string, string>();
  const foreign = new Set<string>();
  const visit = (name: string, text: string): void => {
    if (found.has(name) || found.size === MOST_FILES) return;
    found.set(name, text);
    for (const [, pattern = ''] of text.matchAll(/^\s*#(?:try)?include\s+["<]?([^">\s]+)[">]?/gm)) {
      for (const { file, text: included } of input.include(pattern)) {
        const start = `${input.directory.replace(/\/$/, '')}/`;
        if (file.startsWith(start)) visit(file.slice(start.length), included);
        else foreign.add(file);
      }
    }
  };
  const root = input.current(ROOT);
  if (root !== undefined) visit(ROOT, root);
  return { own: [...found].map(([name, text]) => ({ name, text })), foreign: [...foreign] };
}
