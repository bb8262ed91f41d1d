import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CDR_COLUMNS } from './pbx-config.ts';

export type CdrRow = Readonly<Record<(typeof CDR_COLUMNS)[number], string>>;

/** The billing rows that the PBX has written so far, in its order; a field that was never set is ''. */
export function readCdrRows(lab: { readonly pbx: { readonly runDirectory: string } }): CdrRow[] {
  let text = '';
  try {
    text = readFileSync(join(lab.pbx.runDirectory, 'log/cdr-custom/Master.csv'), 'utf8');
  } catch {
    return [];
  }
  return parseCsv(text).map((fields) => {
    const pairs = CDR_COLUMNS.map((column, index) => [column, fields[index] ?? ''] as const);
    return Object.fromEntries(pairs) as CdrRow;
  });
}

/** Rows of CSV with double quotes as RFC 4180 has them; an incomplete last line is left out. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = '';
  let isQuoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (isQuoted) {
      if (character !== '"') field += character;
      else if (text.charAt(index + 1) === '"') {
        field += '"';
        index += 1;
      } else isQuoted = false;
    } else if (character === '"') isQuoted = true;
    else if (character === ',' || character === '\n') {
      row.push(field);
      field = '';
      if (character === ',') continue;
      rows.push(row);
      row = [];
    } else if (character !== '\r') field += character;
  }
  return rows;
}
