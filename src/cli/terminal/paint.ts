import { styleText } from 'node:util';
import type { VerdictWord } from './answers.ts';

export type Tone = 'good' | 'fair' | 'poor' | 'bad' | 'dim' | 'strong' | 'chosen';

const STYLES = {
  good: 'green',
  fair: 'cyan',
  poor: 'yellow',
  bad: 'red',
  dim: 'dim',
  strong: 'bold',
  chosen: 'inverse',
} as const satisfies Readonly<Record<Tone, Parameters<typeof styleText>[0]>>;

/** How a text is coloured, and which characters may be used: both as the terminal can show them. */
export interface Paint {
  (tone: Tone, text: string): string;
  readonly isUnicode: boolean;
}

/** No colours in a pipe, or where NO_COLOR asks for none. */
export function paintFor(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Paint {
  const isUnicode = /utf-?8/i.test(env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '');
  const hasColours = stream.isTTY && stream.hasColors(env) && !env['NO_COLOR'];
  const paint = (tone: Tone, text: string): string =>
    hasColours ? styleText(STYLES[tone], text, { validateStream: false }) : text;
  return Object.assign(paint, { isUnicode });
}

/** Text without colours: for pipes, and for tests. */
export const PLAIN: Paint = Object.assign((_: Tone, text: string): string => text, { isUnicode: true });

const TONES: Readonly<Record<VerdictWord, Tone>> = {
  bad: 'bad',
  'no-media': 'bad',
  'one-way-rx': 'bad',
  'one-way-tx': 'bad',
  poor: 'poor',
  fair: 'fair',
  good: 'good',
  'no-rtcp': 'dim',
  'too-short': 'dim',
};

export function toneOf(verdict: VerdictWord | null): Tone {
  return verdict === null ? 'dim' : TONES[verdict];
}

/** Worst first, in the order of REST's word of a call; what is not yet known stands before what is good. */
const RANKS: Readonly<Record<VerdictWord, number>> = {
  'no-media': 0,
  'one-way-tx': 1,
  'one-way-rx': 2,
  bad: 3,
  poor: 4,
  fair: 5,
  'no-rtcp': 6,
  'too-short': 8,
  good: 9,
};
const NOT_YET_RANK = 7;

export function rankOf(verdict: VerdictWord | null): number {
  return verdict === null ? NOT_YET_RANK : RANKS[verdict];
}
