import { type Cohort, LEAST_INSTALLATIONS, type Study } from './study.ts';

const HEAD = ['', 'calls', 'inst.', 'p5', 'bad %', 'rest %', 'rating', 'p', ''] as const;
const NAME_WIDTH = 27;
const WIDTHS = [NAME_WIDTH, 6, 5, 4, 5, 6, 6, 7, 6];
/** Explains a word of the table. */
export const CHANCE = '"chance": the difference from the rest may well be one.';
const CSV_COLUMNS = [
  'installations',
  'calls',
  'mes_p5',
  'bad_percent',
  'bad_percent_rest',
  'rating_mean',
  'ratings',
  'p_value',
  'judgement',
] as const;

/** The study as text of 80 columns. */
export function studyText(study: Study): string {
  const lines = [summaryOf(study), CHANCE];
  for (const { dimension, cohorts, cohorts_left_out: leftOut } of study.dimensions) {
    lines.push('', row([`by ${dimension}`, ...HEAD.slice(1)]));
    for (const cohort of cohorts) lines.push(row(cellsOf(cohort)));
    if (cohorts.length === 0 && leftOut === 0) lines.push('  not known of any call');
    if (leftOut > 0)
      lines.push(
        `  ${leftOut} ${leftOut === 1 ? 'group' : 'groups'} of fewer than ${LEAST_INSTALLATIONS} installations not shown`,
      );
  }
  return lines.join('\n');
}

export function summaryOf({ legs, installations, ratings }: Study): string {
  return `${legs} legs of calls, at least ${installations} installations, ${ratings} ratings.`;
}

export function cellsOf(cohort: Cohort): string[] {
  const { value, calls, installations, mes_p5: p5, bad_percent: bad, bad_percent_rest: rest } = cohort;
  const { rating_mean: rating, p_value: p, judgement } = cohort;
  const decimals = (number: number | null, digits: number): string => (number === null ? '-' : number.toFixed(digits));
  const probability = p === null ? '-' : p < 0.0001 ? '<0.0001' : p.toFixed(4);
  return [
    value,
    String(calls),
    String(installations),
    decimals(p5, 2),
    decimals(bad, 1),
    decimals(rest, 1),
    decimals(rating, 2),
    probability,
    judgement ?? '-',
  ];
}

/** A row of the table. A long name gets a line of its own. */
function row([name = '', ...cells]: readonly string[]): string {
  const values = cells.map((cell, index) => cell.padStart(WIDTHS[index + 1] ?? 0)).join(' ');
  const line =
    name.length > NAME_WIDTH ? `${name}\n${' '.repeat(NAME_WIDTH)} ${values}` : `${name.padEnd(NAME_WIDTH)} ${values}`;
  return line.trimEnd();
}

/** The study as CSV, one line for each cohort. */
export function studyCsv(study: Study): string {
  const lines = study.dimensions.flatMap(({ dimension, cohorts }) =>
    cohorts.map((cohort) =>
      [dimension, cohort.value, ...CSV_COLUMNS.map((name) => cohort[name])].map(csvCell).join(','),
    ),
  );
  return [['dimension', 'value', ...CSV_COLUMNS].join(','), ...lines].map((line) => `${line}\r\n`).join('');
}

/** A cell by RFC 4180. What a spreadsheet would take for a formula gets an apostrophe in front. */
function csvCell(value: string | number | null): string {
  const text = value === null ? '' : String(value);
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
