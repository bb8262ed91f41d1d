import {
  ANSWER_FIELDS,
  type Fields,
  LEG_FIELDS,
  POINT_FIELDS,
  RATING_FIELDS,
  STREAM_FIELDS,
} from '../../src/measurements/format/fields.ts';

const PARTS: readonly (readonly [part: string, fields: Fields])[] = [
  ['a leg', LEG_FIELDS],
  ['each direction of it', STREAM_FIELDS],
  ['each point of its course', POINT_FIELDS],
  ['what a person said', RATING_FIELDS],
  ['each answer to a question', ANSWER_FIELDS],
];

/** The table of all that a measurement holds in `src/measurements/README.md`. */
export function measurementsTable(): string {
  const rows = PARTS.flatMap(([part, fields]) =>
    Object.entries(fields).map(([name, { kind, unit, why }]) => [
      part,
      `\`${name}\``,
      unit === '' ? kind.words : `${kind.words}; ${unit}`,
      why,
    ]),
  );
  const head = ['of', 'field', 'what it holds', 'why'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
