import { type Quantity, type WorstError, pairsOf, worstErrors } from './errors.ts';
import type { Cell } from './grid.ts';
import type { Comparison } from './measure.ts';

type Row = readonly string[];

const DECIMALS: Readonly<Record<Quantity, number>> = {
  loss_percent: 2,
  round_trip_ms: 1,
  jitter_ms: 1,
  mes: 2,
  mos_lq: 2,
};

const NAMES: Readonly<Record<Quantity, string>> = {
  loss_percent: 'loss %',
  round_trip_ms: 'round trip ms',
  jitter_ms: 'jitter ms',
  mes: 'MES',
  mos_lq: 'MOS-LQ',
};

const GRID_HEAD: Row = [
  'network',
  'way',
  'loss % did / measured',
  'round trip ms did / measured',
  'jitter ms did / measured',
  'MES should / is',
  'MOS-LQ should / is',
  "Asterisk's own, of 100 (as opinion)",
];

const WORST_HEAD: Row = ['quantity', 'worst error', 'truth', 'measured', 'network', 'way'];

/** A line a direction of a call, then the worst errors, for a terminal. */
export function asText(comparisons: readonly Comparison[]): string {
  return `${aligned(GRID_HEAD, comparisons.map(gridRow))}\n\nWorst errors\n${aligned(WORST_HEAD, worstErrors(comparisons).map(worstRow))}`;
}

/** The same for a README: the worst errors first, the grid to be opened. */
export function asMarkdown(comparisons: readonly Comparison[]): string {
  return [
    markdown(WORST_HEAD, worstErrors(comparisons).map(worstRow)),
    `<details><summary>All ${comparisons.length / 2} calls, both ways</summary>`,
    markdown(GRID_HEAD, comparisons.map(gridRow)),
    '</details>',
  ].join('\n\n');
}

function gridRow(comparison: Comparison): Row {
  const pairs = pairsOf(comparison);
  const native = comparison.measured.nativeMes100;
  return [
    cellName(comparison.cell),
    comparison.direction,
    ...Object.entries(DECIMALS).map(([name, decimals]) => {
      const { truth, measured } = pairs[name as Quantity];
      return `${shown(truth, decimals)} / ${shown(measured, decimals)}`;
    }),
    native === null ? '–' : `${native.toFixed(1)} (${(native / 20).toFixed(2)})`,
  ];
}

function worstRow({ quantity, error, at, missing }: WorstError): Row {
  const decimals = DECIMALS[quantity];
  const pair = at === null ? { truth: null, measured: null } : pairsOf(at)[quantity];
  return [
    missing === 0 ? NAMES[quantity] : `${NAMES[quantity]} (${missing} not known)`,
    shown(error, decimals + 1),
    shown(pair.truth, decimals + 1),
    shown(pair.measured, decimals + 1),
    at === null ? '–' : cellName(at.cell),
    at?.direction ?? '–',
  ];
}

/** `10 % bursty, 150 ms, 0-20 ms` */
function cellName({ lossPercent, lossKind, delayMs, jitterMs }: Cell): string {
  const loss = lossKind === 'none' ? 'no loss' : `${lossPercent} % ${lossKind}`;
  const jitter = jitterMs === 0 ? '' : ` + 0-${jitterMs}`;
  return `${loss}, ${delayMs}${jitter} ms`;
}

function shown(value: number | null, decimals: number): string {
  return value === null ? '–' : value.toFixed(decimals);
}

function aligned(head: Row, rows: readonly Row[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function markdown(head: Row, rows: readonly Row[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
