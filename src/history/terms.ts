import type { CallFacts } from './contribution.ts';

/** What calls are found by, see `call_terms`. */
export type TermField = 'endpoint' | 'codec' | 'number' | 'verdict' | 'score';

export interface Term {
  readonly field: TermField;
  readonly value: string;
}

/** Behind every character that names and numbers are made of: what begins with a text is before the text and this. */
export const LAST_CHARACTER = '\u{10ffff}';

const BANDS_PER_POINT = 10;

/** Tenth of an opinion, rounded down: `43` of 4.36. Scores between two others are in their bands or in those between. */
export function scoreBand(mes: number): string {
  return String(Math.floor(mes * BANDS_PER_POINT)).padStart(2, '0');
}

/** Everything that a call is found by, each once. */
export function termsOf({ mes, verdict, legs }: CallFacts): Term[] {
  const values: Readonly<Record<TermField, readonly (string | null)[]>> = {
    endpoint: legs.map(({ endpoint }) => endpoint),
    codec: legs.flatMap(({ streams }) => streams.map(({ codec }) => codec)),
    number: legs.flatMap(({ callerNumber, connectedNumber }) => [callerNumber, connectedNumber]),
    verdict: [verdict],
    score: [mes === null ? null : scoreBand(mes)],
  };
  return Object.entries(values).flatMap(([field, all]) =>
    [...new Set(all)].flatMap((value) => (value === null ? [] : [{ field: field as TermField, value }])),
  );
}
