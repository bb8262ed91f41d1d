import { type Fields, LEG_FIELDS, type PartFields, PARTS, RATING_FIELDS } from './fields.ts';
import type { LegDocument, MeasurementDocument, RatingDocument } from './document.ts';

type Plain = Readonly<Record<string, unknown>>;

/** Thrown with one sentence that names the wrong field. It shows no value, because strangers wrote it. */
export class MeasurementError extends Error {}

/**
 * Checks a stranger's document field by field against the table of fields. Missing fields become null. Throws MeasurementError
 * on a wrong value and on a field that is not in the table.
 */
export function checkDocument(value: unknown): MeasurementDocument {
  if (!isPlain(value)) throw new MeasurementError('the document is no JSON object');
  if (value['kind'] === 'leg') return checked(value, LEG_FIELDS, PARTS.leg) as unknown as LegDocument;
  if (value['kind'] === 'rating') return checked(value, RATING_FIELDS, PARTS.rating) as unknown as RatingDocument;
  throw new MeasurementError('kind is neither leg nor rating');
}

function checked(value: Plain, fields: Fields, parts: PartFields): Plain {
  const own = Object.fromEntries(Object.entries(value).filter(([name]) => !Object.hasOwn(parts, name)));
  const result: Record<string, unknown> = checkedFields(own, fields, '');
  for (const [name, { fields: ofPart, most }] of Object.entries(parts)) {
    const list = value[name] ?? [];
    if (!Array.isArray(list)) throw new MeasurementError(`${name} is no list`);
    if (list.length > most) throw new MeasurementError(`${name} has more than ${most} entries`);
    result[name] = list.map((entry: unknown, index) => {
      if (!isPlain(entry)) throw new MeasurementError(`${name}[${index}] is no object`);
      return checkedFields(entry, ofPart, `${name}[${index}].`);
    });
  }
  return result;
}

function checkedFields(value: Plain, fields: Fields, path: string): Record<string, unknown> {
  const strange = Object.keys(value).find((name) => !Object.hasOwn(fields, name));
  if (strange !== undefined)
    throw new MeasurementError(`${path === '' ? 'the document' : path} has a field that is not known`);
  const result: Record<string, unknown> = {};
  for (const [name, { kind, required }] of Object.entries(fields)) {
    const given = Object.hasOwn(value, name) ? (value[name] ?? null) : null;
    if (given === null && required === true) throw new MeasurementError(`${path}${name} is missing`);
    if (given !== null && !kind.takes(given))
      throw new MeasurementError(`${path}${name} is not allowed; it is ${kind.words}`);
    result[name] = given;
  }
  return result;
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
