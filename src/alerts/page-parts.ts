import { createHash } from 'node:crypto';

const STYLE = `
:root { color-scheme: light; font: 100%/1.45 system-ui, sans-serif; }
body { background: #fff; color: #1a1a1a; margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 0.25rem; }
h2 { border-top: 1px solid #bbb; font-size: 1.15rem; margin: 1.5rem 0 0.5rem; padding-top: 0.75rem; }
h3 { font-size: 1rem; margin: 1rem 0 0.25rem; }
p { margin: 0.25rem 0 0.5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; margin: 0.5rem 0; }
th, td { border: 1px solid #ccc; padding: 0.25rem 0.5rem; text-align: left; vertical-align: top; }
th { background: #f2f2f2; font-weight: 600; }
td.number { font-variant-numeric: tabular-nums; text-align: right; }
.bad { color: #a40000; font-weight: 600; }
.small { color: #555; font-size: 0.85rem; }
svg { display: block; height: auto; max-width: 100%; }
section { break-inside: avoid; }
@media print {
  body { max-width: none; padding: 0; }
  h2 { break-after: avoid; }
  tr { break-inside: avoid; }
  a { color: inherit; }
  .wide { overflow: visible; }
  table, td.small { font-size: 0.62rem; }
  th, td { padding: 0.15rem 0.25rem; }
  th, td.small { overflow-wrap: anywhere; }
}
`;

/** Headers of shared pages: nothing runs, nothing is loaded (CSP level 3), and no search engine keeps them. */
export const SHARE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join(';'),
  'referrer-policy': 'no-referrer',
  'x-robots-tag': 'noindex',
};

/** Begins a table that may be wider than the page: the keyboard scrolls it too. */
export const WIDE = '<div class="wide" tabindex="0" role="group" aria-label="Table">';

export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

export function pageOf(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><style>${STYLE}</style></head>
<body>
<main>
${body}
</main>
</body></html>
`;
}

/** A table cell; null is shown as a dash. */
export function cell(value: string | number | null, isNumber = false): string {
  const text = value === null || value === '' ? '–' : escaped(String(value));
  return isNumber ? `<td class="number">${text}</td>` : `<td>${text}</td>`;
}

/** `2026-11-20 10:00:00` in an IANA time zone; null stays null. */
export function timeIn(iso: string | null, timeZone: string): string | null {
  if (iso === null) return null;
  return new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium', timeZone }).format(new Date(iso));
}

/** Beginning and end, in UTC and in the server's time zone; once where that is UTC. */
export function spanLines(from: string, to: string | null, timeZone: string): string {
  const line = (zone: string, after: string): string =>
    `${escaped(timeIn(from, zone) ?? '')}${zone === 'UTC' ? ' UTC' : ''} to ${escaped(timeIn(to, zone) ?? 'now')}${escaped(after)}`;
  const own = timeZone === 'UTC' ? '' : `<br>\n${line(timeZone, ` (${timeZone})`)}`;
  return `<p>${line('UTC', ' UTC')}${own}</p>`;
}

const CHART_WIDTH = 720;
const CHART_HEIGHT = 90;

/** A bar chart over time as SVG; an empty text when all values are null or 0. */
export function barChart(
  points: readonly { readonly at: string; readonly value: number | null }[],
  words: string,
  unit = '%',
): string {
  const most = Math.max(0, ...points.map(({ value }) => value ?? 0));
  if (points.length < 2 || most === 0) return '';
  const [first] = points;
  const last = points.at(-1);
  const fromMs = Date.parse(first?.at ?? '');
  const spanMs = Math.max(1, Date.parse(last?.at ?? '') - fromMs);
  const bars = points.map(({ at, value }) => {
    if (value === null || value === 0) return '';
    const x = ((Date.parse(at) - fromMs) / spanMs) * (CHART_WIDTH - 6);
    const height = Math.max(1, (value / most) * (CHART_HEIGHT - 34));
    return `<rect x="${x.toFixed(1)}" y="${(CHART_HEIGHT - 16 - height).toFixed(1)}" width="5" height="${height.toFixed(1)}" fill="#a40000"/>`;
  });
  const label = (x: number, y: number, anchor: string, text: string): string =>
    `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="11" fill="#555">${escaped(text)}</text>`;
  const title = `${words}, at most ${most} ${unit}`;
  return `<svg viewBox="0 0 ${CHART_WIDTH} ${CHART_HEIGHT}" width="${CHART_WIDTH}" height="${CHART_HEIGHT}" role="img" aria-label="${escaped(title)}">
<line x1="0" y1="${CHART_HEIGHT - 16}" x2="${CHART_WIDTH}" y2="${CHART_HEIGHT - 16}" stroke="#888"/>
${bars.join('')}
${label(0, 10, 'start', title)}${label(0, CHART_HEIGHT - 3, 'start', timeIn(first?.at ?? null, 'UTC') ?? '')}${label(CHART_WIDTH, CHART_HEIGHT - 3, 'end', `${timeIn(last?.at ?? null, 'UTC') ?? ''} UTC`)}
</svg>`;
}

/** The page of a link that expired, was altered or was revoked. It does not say which. */
export function noSuchLinkPage(): string {
  return pageOf(
    'This link does not work',
    '<h1>This link does not work</h1>\n<p>It is over, or it was taken back. Ask whoever sent it for a new one.</p>',
  );
}
