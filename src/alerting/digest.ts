import type { Alert, AlertMessage } from '../model/alert.ts';
import type { CallQuality, EndpointQuality, HalfQuality } from '../model/ports.ts';
import { courseOf } from '../score/trend.ts';
import { alertLine, utc } from './words.ts';

/** Endpoints that a digest names. */
const WORST_ENDPOINTS = 10;
const MOST_ALERTS = 20;

export interface DigestInput {
  readonly id: string;
  readonly atMs: number;
  readonly host: string;
  readonly period: 'daily' | 'weekly';
  readonly fromMs: number;
  readonly toMs: number;
  readonly now: CallQuality;
  /** The period before; null: nothing is known of it. */
  readonly before: CallQuality | null;
  /** The worst first. */
  readonly endpoints: readonly EndpointQuality[];
  /** Those that were raised in the period or go on. */
  readonly alerts: readonly Alert[];
  readonly url: string;
}

const DASH = '–';

function percent(value: number | null): string {
  return value === null ? DASH : `${Number(value.toFixed(1))} %`;
}

function opinion(value: number | null): string {
  return value === null ? DASH : value.toFixed(2);
}

/** One sentence: whether the share of bad calls changed by more than chance. */
export function changeSentence(now: CallQuality, before: CallQuality | null): string {
  if (before === null || before.judgedCalls === 0) return 'There is no earlier period to compare with.';
  // Only the share of bad calls is compared: percentiles of two periods have no common lowest calls.
  const half = (quality: CallQuality): HalfQuality => ({ ...quality, mesP5: null, lowCalls: 0 });
  const course = courseOf(half(before), half(now));
  const was = `${percent(before.badPercent)} of ${before.judgedCalls} calls before`;
  if (course === null) return `That was ${was}; too few calls to tell whether it is chance.`;
  if (course === 'steady') return `That was ${was}: no change that chance does not explain.`;
  return `That was ${was}: it got ${course}, by more than chance explains.`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** What a day or a week was like, as text and as HTML. */
export function digestMessage(input: DigestInput): AlertMessage {
  const { id, atMs, host, period, fromMs, toMs, now, before, endpoints, alerts, url } = input;
  const title = `${host}: ${now.calls} calls, ${percent(now.badPercent)} bad (${period === 'daily' ? 'day' : 'week'} to ${utc(toMs)})`;
  const summary = [
    `${now.calls} calls from ${utc(fromMs)} to ${utc(toMs)}; ${now.judgedCalls} could be judged.`,
    `Bad: ${percent(now.badPercent)} (${now.badCalls} calls). ${changeSentence(now, before)}`,
    `Scores: mean ${opinion(now.mesMean)}, 5th percentile ${opinion(now.mesP5)}, worst ${opinion(now.mesWorst)}.`,
  ];
  const heads = ['endpoint', 'calls', 'bad', '5th pct.', 'loss', 'jitter', 'round trip'];
  const rows = endpoints
    .filter(({ badCalls }) => badCalls > 0)
    .slice(0, WORST_ENDPOINTS)
    .map((one) => [
      one.endpoint,
      String(one.calls),
      percent(one.badPercent),
      opinion(one.mesP5),
      percent(one.lossPercent),
      one.jitterMeanMs === null ? DASH : `${Math.round(one.jitterMeanMs)} ms`,
      one.rttMeanMs === null ? DASH : `${Math.round(one.rttMeanMs)} ms`,
    ]);
  const goOn = alerts.filter(({ clearedAtMs }) => clearedAtMs === null).slice(0, MOST_ALERTS);
  const over = alerts.length - alerts.filter(({ clearedAtMs }) => clearedAtMs === null).length;
  const alertLines = goOn.map((alert) => `${alertLine(alert)}, since ${utc(alert.sinceMs)}`);
  const alertWords = `${goOn.length === 0 ? 'No alert goes on' : 'Alerts that go on'}; ${over} ended in this time.`;
  return {
    id,
    atMs,
    kind: 'digest',
    subject: title,
    text: textOf(summary, heads, rows, alertWords, alertLines, url),
    html: htmlOf(title, summary, heads, rows, alertWords, alertLines, url),
    json: JSON.stringify({ id, type: 'digest', alerts: [] }),
  };
}

function textOf(
  summary: readonly string[],
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  alertWords: string,
  alertLines: readonly string[],
  url: string,
): string {
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  const table =
    rows.length === 0 ? ['No endpoint had bad calls.'] : ['The worst endpoints:', line(heads), ...rows.map(line)];
  return `${[...summary, '', ...table, '', alertWords, ...alertLines.map((one) => `  ${one}`), '', `${url}/`].join('\n')}\n`;
}

function htmlOf(
  title: string,
  summary: readonly string[],
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  alertWords: string,
  alertLines: readonly string[],
  url: string,
): string {
  // Mail programs read inline styles and little else.
  const cellStyle = 'border:1px solid #ccc;padding:4px 8px;text-align:';
  const cells = (row: readonly string[], tag: 'td' | 'th'): string =>
    row
      .map((text, column) => `<${tag} style="${cellStyle}${column === 0 ? 'left' : 'right'}">${escaped(text)}</${tag}>`)
      .join('');
  const table =
    rows.length === 0
      ? '<p>No endpoint had bad calls.</p>'
      : `<p>The worst endpoints:</p><table style="border-collapse:collapse"><tr>${cells(heads, 'th')}</tr>${rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('')}</table>`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title></head>
<body style="font-family:sans-serif;color:#1a1a1a">
<h1 style="font-size:18px">${escaped(title)}</h1>
${summary.map((sentence) => `<p>${escaped(sentence)}</p>`).join('\n')}
${table}
<p>${escaped(alertWords)}</p>
<ul>${alertLines.map((one) => `<li>${escaped(one)}</li>`).join('')}</ul>
<p><a href="${escaped(url)}/">${escaped(url)}/</a></p>
</body></html>
`;
}

/** The last whole period before a moment, which ends at 7 in the morning; null: it is not the hour. Local time by `offsetMs`. */
export function digestPeriod(
  nowMs: number,
  offsetMs: number,
  period: 'daily' | 'weekly',
): { readonly fromMs: number; readonly toMs: number } | null {
  const DAY_MS = 86_400_000;
  const HOUR_MS = 3_600_000;
  const localMs = nowMs + offsetMs;
  const dayMs = Math.floor(localMs / DAY_MS) * DAY_MS;
  const dueMs = dayMs + 7 * HOUR_MS;
  // 1970 began with a Thursday; 4 days later it was Monday.
  const isMonday = (dayMs / DAY_MS) % 7 === 4;
  if (localMs < dueMs || (period === 'weekly' && !isMonday)) return null;
  const toMs = dueMs - offsetMs;
  return { fromMs: toMs - (period === 'daily' ? 1 : 7) * DAY_MS, toMs };
}
