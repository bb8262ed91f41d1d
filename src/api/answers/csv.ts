/** Answers as tables for spreadsheets (RFC 4180). */

import { quality } from '../gate/accept.ts';

export const CSV_TYPE = 'text/csv; charset=utf-8';

/**
 * What makes a spreadsheet take a cell for a formula; full-width forms count in some languages. A spreadsheet that is set
 * to another separator (`;` where a comma stands in decimals, or tab) sees no quotes in the middle of its cell, so that a
 * new one may begin inside of ours: behind a separator, a line's end or a quote.
 */
const FORMULA_START = /(?<=^|[;\t\r\n"|])(?=[ \u00A0]*[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20])/g;
/** A telephone number starts with a plus sign too, and computes nothing. */
const TELEPHONE_NUMBER = /^\+[0-9]+$/;

/** Whether a client's Accept header asks for CSV rather than JSON; without a preference it gets JSON. */
export function prefersCsv(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  return quality(accept, ['text/csv', 'text/*', '*/*']) > quality(accept, ['application/json', 'application/*', '*/*']);
}

function cell(value: unknown): string {
  if (Array.isArray(value)) return cell(value.join(' '));
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return '';
  // Names come from strangers: nothing that they send may run in the reader's spreadsheet.
  const safe = TELEPHONE_NUMBER.test(value) ? value : value.replaceAll(FORMULA_START, "'");
  return /[",;\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** One line with its end. Null is an empty cell; a list is separated by spaces. */
export function csvLine(cells: readonly unknown[]): string {
  return `${cells.map((value) => cell(value)).join(',')}\r\n`;
}

/** Columns of records by name. */
export function csvLines(columns: readonly string[], records: readonly object[]): string {
  return records
    .map((record) => {
      const values = record as Readonly<Record<string, unknown>>;
      return csvLine(columns.map((column) => values[column]));
    })
    .join('');
}

/** The same pieces, the first of which is there: what goes wrong at the beginning is said before anything is sent. */
export async function begun(pieces: AsyncIterable<string>): Promise<AsyncIterable<string>> {
  const iterator = pieces[Symbol.asyncIterator]();
  let first: IteratorResult<string> | undefined = await iterator.next();
  return {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        const next = first ?? (await iterator.next());
        first = undefined;
        return next;
      },
      return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    }),
  };
}
