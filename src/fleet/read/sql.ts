import { orderOf, tableOf } from '../ddl.ts';
import { KINDS, type KindName } from '../kinds.ts';

/** A text as ClickHouse reads it: 18.16 knows no parameters. */
export function quote(text: string): string {
  return `'${text.toWellFormed().replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`;
}

/** For IN: at least one value. */
export function listOf(values: readonly string[]): string {
  return `(${values.map(quote).join(', ')})`;
}

/** Columns that are one of the texts, or begin with one that has `*` at its end. */
export function textTest(columns: readonly string[], texts: readonly string[]): string {
  const whole = texts.filter((text) => !text.endsWith('*'));
  const tests = columns.flatMap((column) => [
    ...(whole.length === 0 ? [] : [`${column} IN ${listOf(whole)}`]),
    ...texts
      .filter((text) => text.endsWith('*'))
      // What is not known begins with nothing, not even with an empty text.
      .map((text) => `(isNotNull(${column}) AND startsWith(ifNull(${column}, ''), ${quote(text.slice(0, -1))}))`),
  ]);
  return tests.length === 0 ? '0' : `(${tests.join(' OR ')})`;
}

export function allOf(...conditions: readonly string[]): string {
  return conditions.filter((condition) => condition !== '').join(' AND ') || '1';
}

/**
 * The newest version of each row that fits. `where` may ask only what is the same for all versions of a row, such as its key and
 * when its call began, or be a first sieve that is asked again outside.
 */
export function newest(database: string, kind: KindName, columns: string, where: string): string {
  return `(SELECT ${columns} FROM ${database}.${tableOf(kind)} WHERE ${where}
    ORDER BY row_version DESC LIMIT 1 BY ${orderOf(KINDS[kind]).join(', ')})`;
}

/** When a call began: the months that are looked through follow from it. */
export function window({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): string {
  const bound = (ms: number): number => Math.min(Math.max(0, Math.ceil(ms)), Number.MAX_SAFE_INTEGER);
  return `call_started_at_ms >= ${bound(fromMs)} AND call_started_at_ms < ${bound(toMs)}`;
}
