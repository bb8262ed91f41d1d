/**
 * The table of fields: what a call, channel, direction, RTP session or report has, each described once. From these tables
 * follow the record types (`model/record.ts`), the columns of SQLite and of the fleet's store (`history/schema/rows.ts`), JSON
 * and its schema (`api/answers/`), and the table of columns in `src/history/README.md`.
 */

/** A summary of samples. Before the first sample every field but `count` is null. */
export interface SampleSummary {
  readonly last: number | null;
  readonly mean: number | null;
  readonly min: number | null;
  readonly max: number | null;
  /** Population standard deviation (divided by n). */
  readonly stdev: number | null;
  readonly count: number;
}

/**
 * - `moment`: epoch milliseconds; ISO 8601 in JSON
 * - `ssrc`: a number of 32 bits; `0x` and eight hexadecimal digits in JSON
 * - `opinion`: 1 to 4.5; two decimals in JSON
 * - `summary`: a `SampleSummary`
 * - `parts`: plain data with a schema of its own; stored as JSON
 */
export type FieldKind = 'text' | 'word' | 'number' | 'truth' | 'moment' | 'ssrc' | 'opinion' | 'summary' | 'parts';

/** One field. `Value` is its type in records, `Json` its type in REST's answers (`never` when REST does not show it). */
export interface Field<Value = unknown, Json = unknown, Kind extends FieldKind = FieldKind> {
  readonly kind: Kind;
  /** One line for REST's schema and the documents. */
  readonly means: string;
  /** The unit as people write it; '' when there is none. */
  readonly unit: string;
  readonly isNullable: boolean;
  /** The field may be missing in plain data of older releases. */
  readonly isOptional: boolean;
  /** Whether REST shows the field. */
  readonly isShown: boolean;
  /** The field can identify a person: `[history] numbers` says how it is stored. */
  readonly isPersonal: boolean;
  /** Decimals that REST shows of a number or of a summary's parts; null: all. */
  readonly decimals: number | null;
  /** Of a count: its least value. Null: not a count. */
  readonly least: number | null;
  /** Of a word: all that it can be. */
  readonly words: readonly string[];
  /** For the compiler alone; never there. */
  readonly value?: Value;
  readonly json?: Json;
}

export type Fields = Readonly<Record<string, Field>>;

const PLAIN = {
  unit: '',
  isNullable: false,
  isOptional: false,
  isShown: true,
  isPersonal: false,
  decimals: null,
  least: null,
  words: [],
} as const;

export function text(means: string): Field<string, string, 'text'> {
  return { ...PLAIN, kind: 'text', means };
}

export function word<const Word extends string>(words: readonly Word[], means: string): Field<Word, Word, 'word'> {
  return { ...PLAIN, kind: 'word', words, means };
}

/** `decimals` null: as it is. */
export function number(unit: string, decimals: number | null, means: string): Field<number, number, 'number'> {
  return { ...PLAIN, kind: 'number', unit, decimals, means };
}

/** A whole number from `least` on. */
export function count(means: string, least = 0, unit = ''): Field<number, number, 'number'> {
  return { ...PLAIN, kind: 'number', unit, least, means };
}

export function truth(means: string): Field<boolean, boolean, 'truth'> {
  return { ...PLAIN, kind: 'truth', means };
}

/** Its property ends in `AtMs` or is `atMs`: JSON has it without the unit. */
export function moment(means: string): Field<number, string, 'moment'> {
  return { ...PLAIN, kind: 'moment', means };
}

export function ssrc(means: string): Field<number, string, 'ssrc'> {
  return { ...PLAIN, kind: 'ssrc', means };
}

export function opinion(means: string): Field<number, number, 'opinion'> {
  return { ...PLAIN, kind: 'opinion', unit: '1-4.5', means };
}

/** Samples of this unit; shown with three decimals. */
export function summary(unit: string, means: string): Field<SampleSummary, SampleSummary, 'summary'> {
  return { ...PLAIN, kind: 'summary', unit, decimals: 3, means };
}

/** REST adds it by hand where it shows it: its schema is not made from the table. */
export function parts<Value>(means: string): Field<Value, never, 'parts'> {
  return { ...PLAIN, kind: 'parts', isShown: false, means };
}

/** Null: not known. */
export function orNull<Value, Json, Kind extends FieldKind>(
  field: Field<Value, Json, Kind>,
): Field<Value | null, [Json] extends [never] ? never : Json | null, Kind> {
  const { value: _value, json: _json, ...rest } = field;
  return { ...rest, isNullable: true };
}

/** Missing in plain data that an older release stored. */
export function orMissing<Value, Json, Kind extends FieldKind>(
  field: Field<Value, Json, Kind>,
): Field<Value | undefined, [Json] extends [never] ? never : Json | undefined, Kind> {
  const { value: _value, json: _json, ...rest } = field;
  return { ...rest, isOptional: true };
}

/** Stored, but not shown by REST. */
export function storedOnly<Value, Json, Kind extends FieldKind>(
  field: Field<Value, Json, Kind>,
): Field<Value, never, Kind> {
  const { json: _json, ...rest } = field;
  return { ...rest, isShown: false };
}

export function personal<Value, Json, Kind extends FieldKind>(
  field: Field<Value, Json, Kind>,
): Field<Value, Json, Kind> {
  return { ...field, isPersonal: true };
}

/** What a record has in memory. */
export type RecordOf<Table extends Fields> = {
  readonly [Name in keyof Table]: Table[Name] extends Field<infer Value> ? Value : never;
};

/** A table that describes all that a type has, where the type is written out elsewhere. */
export type FieldsOf<T> = { readonly [Name in keyof T]-?: Field<T[Name] | undefined> };

/** `lossPercent` is `loss_percent` and `mes100` is `mes_100`, as `snakeCase` has them. */
type SnakeCase<Name extends string> = Name extends `${infer Stem}100` ? `${Letters<Stem>}_100` : Letters<Name>;
type Letters<Rest extends string, Done extends string = ''> = Rest extends `${infer First}${infer Others}`
  ? Letters<Others, `${Done}${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}`>
  : Done;
type WithoutUnit<Name extends string> = Name extends `${infer Stem}_ms` ? Stem : Name;

/** Its name in JSON. */
type JsonName<Name, One> =
  One extends Field<unknown, unknown, 'moment'> ? WithoutUnit<SnakeCase<Name & string>> : SnakeCase<Name & string>;
type JsonValue<One> = One extends Field<unknown, infer Json> ? Json : never;

/** What REST answers of a record. */
export type JsonOf<Table extends Fields> = {
  readonly [
    Name in keyof Table as [JsonValue<Table[Name]>] extends [never] ? never : JsonName<Name, Table[Name]>
  ]: JsonValue<Table[Name]>;
};
