/** Our lines in other people's files: how they look, how they get in, and how they are taken out again. */

const MARK = '; asterisk-mes:';
/** The end of each line that setup put into the middle of a file. */
const LINE_MARK = '; asterisk-mes';
export const HANDLER_LINE = `set_var = CHANNEL(hangup_handler_push)=mes-hangup,s,1 ${LINE_MARK}`;
const OWN_FILE = String.raw`[\w-]+_mes(?:_[\w-]+)?\.conf`;
const INCLUDE = new RegExp(String.raw`^\s*#(?:try)?include\s+["<]?(?:\S*/)?(${OWN_FILE})[">]?\s*$`);
const ITEM = /^item\s*=\s*\S*\/(?:mes|[\w-]+_mes(?:_[\w-]+)?)\.conf$/;

/** Marks the file that --remove leaves behind where the dialplan still names its contexts. */
export const STUB_SIGN = 'what is left of asterisk-mes';

/** Adds an `#include` of one of our files at the end. */
export function withInclude(text: string, own: string): { readonly text: string; readonly added: readonly string[] } {
  const added = [MARK, `#include ${own}`];
  const start = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  return { text: `${start}${added.join('\n')}\n`, added };
}

export function includesFile(text: string, own: string): boolean {
  return text.split('\n').some((line) => INCLUDE.exec(line)?.[1] === own);
}

/** Names files in FreePBX's list of those that `fwconsole chown` leaves alone. */
export function withChownItems(
  text: string,
  paths: readonly string[],
): { readonly text: string; readonly added: readonly string[] } | undefined {
  const lines = text.split('\n').map((line) => line.trim());
  const missing = paths.map((path) => `item = ${path}`).filter((line) => !lines.includes(line));
  if (missing.length === 0) return undefined;
  const added = [MARK, ...missing];
  const heading = /^\[blacklist\][^\n]*\n/m;
  const start = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  if (heading.test(start)) return { text: start.replace(heading, (found) => `${found}${added.join('\n')}\n`), added };
  return { text: `${start}${MARK}\n[blacklist]\n${missing.join('\n')}\n`, added: [MARK, '[blacklist]', ...missing] };
}

interface OpenSection {
  readonly name: string;
  readonly bases: readonly string[];
  /** The index of the section's line `type = endpoint`; undefined: it has none. */
  typeAt: number | undefined;
}

/**
 * Adds the hangup handler below each `type = endpoint`, in templates and in endpoints. An endpoint whose template has the handler
 * gets none of its own. `given`: the templates of files that were read before. Undefined: nothing has to be added.
 */
export function withHandlerLines(
  text: string,
  given: ReadonlySet<string>,
): { readonly text: string; readonly count: number; readonly templates: ReadonlySet<string> } {
  const lines = text.split('\n');
  const has = new Set(given);
  const after: number[] = [];
  let open: OpenSection | undefined;
  const close = (): void => {
    if (open === undefined) return;
    const inherits = open.bases.some((base) => has.has(base));
    if (open.typeAt !== undefined && !inherits) after.push(open.typeAt);
    if (open.typeAt !== undefined || inherits) has.add(open.name);
  };
  for (const [index, line] of lines.entries()) {
    const heading = /^\s*\[([^\]]+)\]\s*(?:\(([^)]*)\))?/.exec(line);
    if (heading !== null) {
      close();
      open = {
        name: (heading[1] ?? '').trim(),
        bases: (heading[2] ?? '').split(',').map((base) => base.trim()),
        typeAt: undefined,
      };
    } else if (open !== undefined) {
      if (/^\s*type\s*=>?\s*endpoint\s*(?:;[^\n]*)?$/i.test(line)) open.typeAt = index;
      // Somebody's own line, or ours from an earlier run.
      if (/^\s*set_var\s*=.*hangup_handler_push\)\s*=\s*mes-hangup/i.test(line)) {
        has.add(open.name);
        open = undefined;
      }
    }
  }
  close();
  const ends = (line: string): string => (line.endsWith('\r') ? `${HANDLER_LINE}\r` : HANDLER_LINE);
  const changed = lines.flatMap((line, index) => (after.includes(index) ? [line, ends(line)] : [line]));
  return { text: changed.join('\n'), count: after.length, templates: has };
}

/** The text without our lines. */
export function withoutOwnLines(text: string, keepIncludesOf: readonly string[] = []): string {
  const lines = text.split('\n');
  const isOwn = (line: string | undefined): boolean => {
    const content = (line ?? '').replace(/\r$/, '').trim();
    const included = INCLUDE.exec(content)?.[1];
    if (included !== undefined) return !keepIncludesOf.includes(included);
    return content === HANDLER_LINE || ITEM.test(content);
  };
  const goes = lines.map(isOwn);
  for (const [index, line] of lines.entries()) {
    if (line.trim() !== MARK) continue;
    // Setup wrote the heading together with the list, so both go.
    const isHeading = lines[index + 1]?.trim() === '[blacklist]' && goes[index + 2] === true;
    if (isHeading) goes[index + 1] = true;
    if (goes[index + 1] === true) goes[index] = true;
  }
  return lines.filter((_, index) => goes[index] !== true).join('\n');
}
