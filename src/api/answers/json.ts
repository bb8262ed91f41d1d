/** JSON and its schema from the tables of fields (`model/fields/`). */
import { z } from 'zod';
import type { Field, FieldKind, Fields, JsonOf, RecordOf, SampleSummary } from '../../model/fields/field.ts';
import { snakeCase } from '../../model/naming.ts';
import { roundOpinion } from '../../score/opinion.ts';

/** `lossPercent` is `loss_percent`; a moment is known by its type, so `startedAtMs` is `started_at`. */
function jsonName(property: string, { kind }: Field): string {
  const name = snakeCase(property);
  return kind === 'moment' ? name.replace(/_ms$/, '') : name;
}

const NUMBER = z.number().nullable();
const SUMMARY = z.strictObject({
  last: NUMBER,
  mean: NUMBER,
  min: NUMBER,
  max: NUMBER,
  stdev: NUMBER,
  count: z.int().nonnegative(),
});

const TYPES = {
  text: () => z.string(),
  word: ({ words }) => z.enum(words),
  truth: () => z.boolean(),
  moment: () => z.iso.datetime({ precision: 3 }),
  ssrc: () => z.string().regex(/^0x[0-9a-f]{8}$/),
  opinion: () => z.number().max(4.5),
  summary: () => SUMMARY,
  number: ({ least }) => {
    if (least === null) return z.number();
    return least === 0 ? z.int().nonnegative() : z.int().min(least);
  },
  // The table does not show parts: REST adds them by hand.
  parts: () => z.never(),
} as const satisfies Readonly<Record<FieldKind, (field: Field) => z.ZodType>>;

type ShapeOf<Json> = { readonly [Name in keyof Json]: z.ZodType<Json[Name]> };

/** The zod shape of a record's JSON: all shown fields, each with its description. */
export function shapeOf<Table extends Fields>(table: Table): ShapeOf<JsonOf<Table>> {
  const shown = Object.entries(table).filter(([, { isShown }]) => isShown);
  return Object.fromEntries(
    shown.map(([property, field]) => {
      const known = TYPES[field.kind](field);
      const type = field.isNullable ? known.nullable() : known;
      return [jsonName(property, field), (field.isOptional ? type.optional() : type).describe(field.means)];
    }),
  ) as unknown as ShapeOf<JsonOf<Table>>;
}

/** The names of an object schema's properties. */
export function namesOf<Shape extends object>({ shape }: { readonly shape: Shape }): ReadonlySet<keyof Shape & string> {
  return new Set(Object.keys(shape) as (keyof Shape & string)[]);
}

export function rounded(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}

/** How a known value is shown; undefined: unchanged. */
function shower({ kind, decimals }: Field): ((value: never) => unknown) | undefined {
  if (kind === 'moment') return (atMs: number) => new Date(atMs).toISOString();
  if (kind === 'ssrc') return (ssrc: number) => `0x${ssrc.toString(16).padStart(8, '0')}`;
  if (kind === 'opinion') return roundOpinion;
  if (decimals === null) return undefined;
  if (kind === 'number') return (value: number) => rounded(value, decimals);
  if (kind !== 'summary') return undefined;
  const part = (value: number | null): number | null => (value === null ? null : rounded(value, decimals));
  return ({ last, mean, min, max, stdev, count }: SampleSummary) => ({
    last: part(last),
    mean: part(mean),
    min: part(min),
    max: part(max),
    stdev: part(stdev),
    count,
  });
}

type NamesOf<Table extends Fields> = keyof JsonOf<Table> & string;

type OptionalIn<Values> = { [Name in keyof Values]: undefined extends Values[Name] ? Name : never }[keyof Values];
/** A record, or plain data in which optional fields may be missing. */
type Presented<Table extends Fields, Values = RecordOf<Table>> = Omit<Values, OptionalIn<Values>> &
  Partial<Pick<Values, OptionalIn<Values>>>;

/**
 * Makes the function that turns records of a table into JSON: all shown fields, or only `names`. Numbers are rounded for
 * people, null stays null.
 */
export function presenter<Table extends Fields, Name extends string = NamesOf<Table>>(
  table: Table,
  names?: ReadonlySet<Name>,
): (record: Presented<Table>) => Pick<JsonOf<Table>, NamesOf<Table> & Name> {
  const only: ReadonlySet<string> | undefined = names;
  const shown = Object.entries(table).flatMap(([property, field]) => {
    const name = jsonName(property, field);
    return field.isShown && only?.has(name) !== false ? [{ property, name, show: shower(field) }] : [];
  });
  return (record) => {
    const values = record as Readonly<Record<string, unknown>>;
    const json: Record<string, unknown> = {};
    for (const { property, name, show } of shown) {
      const value = values[property];
      json[name] = show === undefined || value === null || value === undefined ? value : show(value as never);
    }
    return json as unknown as Pick<JsonOf<Table>, NamesOf<Table> & Name>;
  };
}
