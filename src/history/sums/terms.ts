import type { Verdict } from '../../model/score.ts';
import type { CallFacts } from './contribution.ts';

/** What calls are found by, see `call_terms`. */
export type TermField =
  | 'endpoint'
  | 'codec'
  | 'number'
  | 'verdict'
  | 'score'
  | 'verdict_score'
  | 'device'
  | 'site'
  | 'finding';

export interface Term {
  readonly field: TermField;
  readonly value: string;
}

/** Behind every character that names and numbers are made of: what begins with a text is before the text and this. */
export const LAST_CHARACTER = '\u{10ffff}';

const TENTHS_PER_POINT = 10;

/**
 * Where a score lies on a scale of tenths: `086` is exactly 4.3, `087` between 4.3 and 4.4. People ask from one tenth to
 * another, and those are whole bands; otherwise scores between two others are in their bands or in those between.
 */
export function scoreBand(mes: number): string {
  const tenths = Math.round(mes * TENTHS_PER_POINT);
  const side = Math.sign(mes - tenths / TENTHS_PER_POINT);
  return String(tenths * 2 + side).padStart(3, '0');
}

/** The term of a verdict and a score together. */
export function verdictBand(verdict: Verdict, band: string): string {
  return `${verdict} ${band}`;
}

/** Everything that a call is found by, each once. */
export function termsOf({ mes, verdict, findings, legs }: CallFacts): Term[] {
  const band = mes === null ? null : scoreBand(mes);
  const values: Readonly<Record<TermField, readonly (string | null)[]>> = {
    endpoint: legs.map(({ endpoint }) => endpoint),
    codec: legs.flatMap(({ streams }) => streams.map(({ codec }) => codec)),
    number: legs.flatMap(({ callerNumber, connectedNumber }) => [callerNumber, connectedNumber]),
    device: legs.map(({ device }) => device),
    site: legs.map(({ site }) => site),
    finding: findings?.split(' ') ?? [],
    verdict: [verdict],
    score: [band],
    // Verdicts come from scores: asked for together, most of each has nothing of the other.
    verdict_score: [verdict === null || band === null ? null : verdictBand(verdict, band)],
  };
  return Object.entries(values).flatMap(([field, all]) =>
    [...new Set(all)].flatMap((value) => (value === null ? [] : [{ field: field as TermField, value }])),
  );
}
