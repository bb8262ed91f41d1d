import {
  ANSWER_FIELDS,
  type Fields,
  LEG_FIELDS,
  POINT_FIELDS,
  RATING_FIELDS,
  STREAM_FIELDS,
} from '../../measurements/format/fields.ts';

const NAME_WIDTH = 22;
const PARTS: Readonly<Record<string, Fields>> = {
  streams: STREAM_FIELDS,
  course: POINT_FIELDS,
  answers: ANSWER_FIELDS,
};

/** A document in clear: each field with its value, its unit and one sentence why. What is unknown is left out. */
export function documentLines(document: Readonly<Record<string, unknown>>): string[] {
  const fields = document['kind'] === 'rating' ? RATING_FIELDS : LEG_FIELDS;
  const lines = linesOf(document, fields, true);
  for (const [part, ofPart] of Object.entries(PARTS)) {
    const entries = document[part];
    if (!Array.isArray(entries) || entries.length === 0) continue;
    lines.push('', `${part}:`);
    entries.forEach((entry: Readonly<Record<string, unknown>>, index) => {
      // A course is a table of numbers: why is said once.
      if (part === 'course') lines.push(`  ${courseLine(entry)}`);
      else lines.push(...linesOf(entry, ofPart, index === 0).map((line) => `  ${line}`), '');
    });
  }
  return lines;
}

/** What a leg would hold. */
export function fieldLines(): string[] {
  const of = (fields: Fields): string[] =>
    Object.entries(fields).map(([name, { why }]) => `${name.padEnd(NAME_WIDTH)} ${why}`);
  return [...of(LEG_FIELDS), '', 'and of each direction', ...of(STREAM_FIELDS)];
}

function linesOf(values: Readonly<Record<string, unknown>>, fields: Fields, isExplained: boolean): string[] {
  return Object.entries(fields).flatMap(([name, { unit, why }]) => {
    const value = values[name] ?? null;
    if (value === null) return [];
    const text = `${name.padEnd(NAME_WIDTH)} ${shown(value)}${unit === '' ? '' : ` (${unit})`}`;
    return isExplained ? [text, `${' '.repeat(NAME_WIDTH)} ${why}`] : [text];
  });
}

function courseLine(point: Readonly<Record<string, unknown>>): string {
  return Object.keys(POINT_FIELDS)
    .filter((name) => (point[name] ?? null) !== null)
    .map((name) => `${name} ${shown(point[name])}`)
    .join('  ');
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.join(' ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
