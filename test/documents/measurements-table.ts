import { fieldRows } from '../../src/measurements/format/fields.ts';

/** The table of all that a measurement holds in `src/measurements/README.md`. */
export function measurementsTable(): string {
  const rows = fieldRows().map(({ of, field, holds, why }) => [of, `\`${field}\``, holds, why]);
  const head = ['of', 'field', 'what it holds', 'why'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
