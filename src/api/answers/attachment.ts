/** Characters that a file's name may not have; ids come from Asterisk. */
const UNSAFE = /[^\w.-]+/g;

/**
 * The `Content-Disposition` of a table: `/v1/calls` gives `calls.csv`, `/v1/channels/17.3/intervals` gives
 * `intervals-17.3.csv`.
 */
export function attachment(path: string, id: string | undefined): string {
  const name = path.split('/').findLast((part) => part !== '' && !part.startsWith(':')) ?? 'answer';
  const of = id === undefined ? '' : `-${id.replaceAll(UNSAFE, '_')}`;
  return `attachment; filename="${name}${of}.csv"`;
}
