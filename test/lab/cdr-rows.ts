import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CDR_COLUMNS } from './pbx-config.ts';

interface HasRunDirectory {
  readonly pbx: { readonly runDirectory: string };
}

export type CdrRow = Readonly<Record<(typeof CDR_COLUMNS)[number], string>>;

/** The billing rows that the PBX has written so far, in its order; a field that was never set is ''. */
export function readCdrRows(lab: HasRunDirectory): CdrRow[] {
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

/** The billing row of a channel, once it is written: it comes just after the channel's end. Throws after 3 s. */
export async function waitForCdrRow(lab: HasRunDirectory, uniqueid: string): Promise<CdrRow> {
  for (let attempt = 0; attempt < 60; attempt += 1) {
    const row = readCdrRows(lab).find((candidate) => candidate.uniqueid === uniqueid);
    if (row !== undefined) return row;
    await sleep(50);
  }
  throw new Error(`The PBX wrote no billing row for channel ${uniqueid}.`);
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
