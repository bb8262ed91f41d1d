import { orderOf, tableOf } from '../ddl.ts';
import { KINDS, type KindName } from '../kinds.ts';

/** A text as a literal of ClickHouse, since 18.16 has no parameters. */
export function quote(text: string): string {
  return `'${text.toWellFormed().replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`;
}

/** A list of literals for IN. Needs at least one value. */
export function listOf(values: readonly string[]): string {
  return `(${values.map(quote).join(', ')})`;
}

/** A condition: one of the columns equals one of the texts, or begins with a text that has `*` at its end. */
export function textTest(columns: readonly string[], texts: readonly string[]): string {
  const whole = texts.filter((text) => !text.endsWith('*'));
  const tests = columns.flatMap((column) => [
    ...(whole.length === 0 ? [] : [`${column} IN ${listOf(whole)}`]),
    ...texts
      .filter((text) => text.endsWith('*'))
      // Null begins with nothing, not even with an empty text.
      .map((text) => `(isNotNull(${column}) AND startsWith(ifNull(${column}, ''), ${quote(text.slice(0, -1))}))`),
  ]);
  return tests.length === 0 ? '0' : `(${tests.join(' OR ')})`;
}

export function allOf(...conditions: readonly string[]): string {
  return conditions.filter((condition) => condition !== '').join(' AND ') || '1';
}

/**
 * SQL for the newest version of each row. `where` may test only what all versions of a row share, such as its key and the
 * beginning of its call; any other condition must be tested again outside.
 */
export function newest(database: string, kind: KindName, columns: string, where: string): string {
  return `(SELECT ${columns} FROM ${database}.${tableOf(kind)} WHERE ${where}
    ORDER BY row_version DESC LIMIT 1 BY ${orderOf(KINDS[kind]).join(', ')})`;
}

/** A condition on the beginning of calls, by which ClickHouse also chooses the weeks to read. */
export function window({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): string {
  const bound = (ms: number): number => Math.min(Math.max(0, Math.ceil(ms)), Number.MAX_SAFE_INTEGER);
  return `call_started_at_ms >= ${bound(fromMs)} AND call_started_at_ms < ${bound(toMs)}`;
}
