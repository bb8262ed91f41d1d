import { codecsTable } from './codecs-table.ts';
import { errorsTable } from './errors-table.ts';
import { fieldsTable } from './fields-table.ts';
import { measurementsTable } from './measurements-table.ts';
import { profilesTable } from './profiles-table.ts';
import { settingsTable } from './settings-table.ts';

/** A part of a document that is made from the code: the lines between `<!-- NAME: …` and `<!-- end of NAME -->`. */
interface MadeTable {
  readonly path: string;
  readonly name: string;
  readonly make: () => string;
}

export const MADE_TABLES: readonly MadeTable[] = [
  { path: 'asterisk-conf/README.md', name: 'settings', make: settingsTable },
  { path: 'src/api/README.md', name: 'errors', make: errorsTable },
  { path: 'src/score/README.md', name: 'profiles', make: profilesTable },
  { path: 'src/score/README.md', name: 'codecs', make: codecsTable },
  { path: 'src/history/README.md', name: 'fields', make: fieldsTable },
  { path: 'src/measurements/README.md', name: 'fields', make: measurementsTable },
];

function placeOf(name: string): RegExp {
  return new RegExp(`(<!-- ${name}: [^>]*-->\\n)(.*?)(<!-- end of ${name} -->)`, 's');
}

/** What a document has at the place of a table. Throws where there is no such place. */
export function tableIn(text: string, name: string): string {
  const table = placeOf(name).exec(text)?.[2];
  if (table === undefined) throw new Error(`No "<!-- ${name}: … -->" and "<!-- end of ${name} -->" are there.`);
  return table.trim();
}

export function withTable(text: string, name: string, table: string): string {
  return text.replace(placeOf(name), (_, start: string, __: string, end: string) => `${start}\n${table}\n\n${end}`);
}

/** A table without the blanks that a formatter puts into it. */
export function withoutPadding(table: string): string {
  return table
    .replaceAll(/ *\| */g, '|')
    .replaceAll(/-{3,}/g, '---')
    .trim();
}
