import type { Alert, AlertMessage } from '../../model/alert.ts';
import type { CallQuality, Course, EndpointQuality, HalfQuality } from '../../model/ports.ts';
import { courseOf } from '../../score/trend.ts';
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
  /** The same figures of the period before; null: the history has none. */
  readonly before: CallQuality | null;
  /** The worst first. */
  readonly endpoints: readonly EndpointQuality[];
  /** The same of the period before. */
  readonly endpointsBefore: readonly EndpointQuality[];
  readonly devices: readonly GroupQuality[];
  readonly devicesBefore: readonly GroupQuality[];
  readonly sites: readonly GroupQuality[];
  /** Alerts that were raised in the period or are still open. */
  readonly alerts: readonly Alert[];
  readonly url: string;
}

/** How calls went with one device (make, model and firmware) or at one site. */
export interface GroupQuality {
  readonly name: string;
  readonly legs: number;
  readonly judgedLegs: number;
  readonly badLegs: number;
  readonly mesMean: number | null;
}

/** Groups, and changes, that a digest names. */
const MOST_GROUPS = 5;
const MOST_CHANGES = 8;

interface Table {
  readonly title: string;
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
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
  const course = courseBetween(before, now);
  const was = `${percent(before.badPercent)} of ${before.judgedCalls} calls before`;
  if (course === null) return `That was ${was}; too few calls to tell whether it is chance.`;
  if (course === 'steady') return `That was ${was}: no change that chance does not explain.`;
  return `That was ${was}: it got ${course}, by more than chance explains.`;
}

/** Compares the share of bad calls only. Percentiles of two periods cannot be tested against chance. */
function courseBetween(before: CallQuality, now: CallQuality): Course | null {
  const half = (quality: CallQuality): HalfQuality => ({ ...quality, mesP5: null, lowCalls: 0 });
  return courseOf(half(before), half(now));
}

/** Sentences on what changed since the period before by more than chance; what became worse comes first. */
export function changesOf(
  input: Pick<DigestInput, 'endpoints' | 'endpointsBefore' | 'devices' | 'devicesBefore' | 'before'>,
): string[] {
  const { endpoints, endpointsBefore, devices, devicesBefore, before } = input;
  if (before === null || before.calls === 0) return [];
  const was = new Map(endpointsBefore.map((one) => [one.endpoint, one]));
  const changed = endpoints.flatMap((now) => {
    const earlier = was.get(now.endpoint);
    const course = earlier === undefined ? null : courseBetween(earlier, now);
    if (earlier === undefined || (course !== 'worse' && course !== 'better')) return [];
    const words = `${now.endpoint} got ${course}: ${percent(earlier.badPercent)} bad before, ${percent(now.badPercent)} now.`;
    return [{ course, words }];
  });
  const known = new Set(devicesBefore.map(({ name }) => name));
  const isNew = devicesBefore.length === 0 ? [] : devices.filter(({ name }) => !known.has(name));
  return [
    ...changed.filter(({ course }) => course === 'worse'),
    ...changed.filter(({ course }) => course === 'better'),
    ...isNew.map(({ name, legs }) => ({ words: `New: ${name} (${legs} ${legs === 1 ? 'leg' : 'legs'}).` })),
  ]
    .slice(0, MOST_CHANGES)
    .map(({ words }) => words);
}

function groupTable(title: string, head: string, groups: readonly GroupQuality[]): Table {
  const share = ({ badLegs, judgedLegs }: GroupQuality): number | null =>
    judgedLegs === 0 ? null : (100 * badLegs) / judgedLegs;
  const rows = groups
    .filter(({ badLegs }) => badLegs > 0)
    .toSorted((one, other) => (share(other) ?? 0) - (share(one) ?? 0) || one.name.localeCompare(other.name))
    .slice(0, MOST_GROUPS)
    .map((group) => [group.name, String(group.legs), percent(share(group)), opinion(group.mesMean)]);
  return { title, heads: [head, 'legs', 'bad', 'mean'], rows };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** The digest of a day or a week, as text and as HTML. */
export function digestMessage(input: DigestInput): AlertMessage {
  const { id, atMs, host, period, fromMs, toMs, now, before, endpoints, alerts, url } = input;
  const title = `${host}: ${now.calls} calls, ${percent(now.badPercent)} bad (${period === 'daily' ? 'day' : 'week'} to ${utc(toMs)})`;
  const summary = [
    `${now.calls} calls from ${utc(fromMs)} to ${utc(toMs)}; ${now.judgedCalls} could be judged.`,
    `Bad: ${percent(now.badPercent)} (${now.badCalls} calls). ${changeSentence(now, before)}`,
    `Scores: mean ${opinion(now.mesMean)}, 5th percentile ${opinion(now.mesP5)}, worst ${opinion(now.mesWorst)}.`,
  ];
  const worst: Table = {
    title: 'The worst endpoints and trunks:',
    heads: ['endpoint', 'calls', 'bad', '5th pct.', 'loss', 'jitter', 'round trip'],
    rows: endpoints
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
      ]),
  };
  const tables = [
    worst,
    groupTable('The worst devices:', 'device', input.devices),
    groupTable('The worst sites:', 'site', input.sites),
  ].filter(({ rows }) => rows.length > 0);
  const goOn = alerts.filter(({ clearedAtMs }) => clearedAtMs === null).slice(0, MOST_ALERTS);
  const over = alerts.length - alerts.filter(({ clearedAtMs }) => clearedAtMs === null).length;
  const lists = [
    { title: 'What changed:', lines: changesOf(input) },
    {
      title: `${goOn.length === 0 ? 'No alert goes on' : 'Alerts that go on'}; ${over} ended in this time.`,
      lines: goOn.map((alert) => `${alertLine(alert)}, since ${utc(alert.sinceMs)}`),
    },
  ].filter(({ title: words, lines }) => lines.length > 0 || words !== 'What changed:');
  const content: Content = { summary, tables, lists, url };
  return {
    id,
    atMs,
    kind: 'digest',
    subject: title,
    text: textOf(content),
    html: htmlOf(title, content),
    json: JSON.stringify({ id, type: 'digest', alerts: [] }),
  };
}

interface Content {
  readonly summary: readonly string[];
  readonly tables: readonly Table[];
  readonly lists: readonly { readonly title: string; readonly lines: readonly string[] }[];
  readonly url: string;
}

const NO_BAD = 'No endpoint had bad calls.';

function textOf({ summary, tables, lists, url }: Content): string {
  const table = ({ title, heads, rows }: Table): string[] => {
    const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)));
    const line = (cells: readonly string[]): string =>
      cells
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  ');
    return [title, line(heads), ...rows.map(line), ''];
  };
  return `${[
    ...summary,
    '',
    ...(tables.length === 0 ? [NO_BAD, ''] : tables.flatMap(table)),
    ...lists.flatMap(({ title, lines }) => [title, ...lines.map((line) => `  ${line}`), '']),
    `${url}/`,
  ].join('\n')}\n`;
}

function htmlOf(title: string, { summary, tables, lists, url }: Content): string {
  // Mail programs read inline styles and little else.
  const cellStyle = 'border:1px solid #ccc;padding:4px 8px;text-align:';
  const cells = (row: readonly string[], tag: 'td' | 'th'): string =>
    row
      .map((text, column) => `<${tag} style="${cellStyle}${column === 0 ? 'left' : 'right'}">${escaped(text)}</${tag}>`)
      .join('');
  const table = ({ title: words, heads, rows }: Table): string =>
    `<p>${escaped(words)}</p><table style="border-collapse:collapse"><tr>${cells(heads, 'th')}</tr>${rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('')}</table>`;
  const list = ({ title: words, lines }: Content['lists'][number]): string =>
    `<p>${escaped(words)}</p>\n<ul>${lines.map((line) => `<li>${escaped(line)}</li>`).join('')}</ul>`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title></head>
<body style="font-family:sans-serif;color:#1a1a1a">
<h1 style="font-size:18px">${escaped(title)}</h1>
${summary.map((sentence) => `<p>${escaped(sentence)}</p>`).join('\n')}
${tables.length === 0 ? `<p>${NO_BAD}</p>` : tables.map(table).join('\n')}
${lists.map(list).join('\n')}
<p><a href="${escaped(url)}/">${escaped(url)}/</a></p>
</body></html>
`;
}

/**
 * The last whole period before a moment. Digests go out at 7 in the morning, local time by `offsetMs`; null at any other hour.
 */
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
  // Day 0, 1 January 1970, was a Thursday, so day 4 was a Monday.
  const isMonday = (dayMs / DAY_MS) % 7 === 4;
  if (localMs < dueMs || (period === 'weekly' && !isMonday)) return null;
  const toMs = dueMs - offsetMs;
  return { fromMs: toMs - (period === 'daily' ? 1 : 7) * DAY_MS, toMs };
}
