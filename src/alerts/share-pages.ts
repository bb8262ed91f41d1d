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
@media print { body { max-width: none; padding: 0; } h2 { break-after: avoid; } a { color: inherit; } }
`;

/** Nothing may run and nothing is loaded (CSP level 3); no search engine keeps it. */
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

export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

function pageOf(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><style>${STYLE}</style></head>
<body>
${body}
</body></html>
`;
}

/** A cell, or a dash for what is not known. */
function cell(value: string | number | null, isNumber = false): string {
  const text = value === null || value === '' ? '–' : escaped(String(value));
  return isNumber ? `<td class="number">${text}</td>` : `<td>${text}</td>`;
}

/** `2026-11-20 10:00:00` in a time zone of the IANA, or UTC. */
function timeIn(iso: string | null, timeZone: string): string | null {
  if (iso === null) return null;
  return new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium', timeZone }).format(new Date(iso));
}

export interface SharedDirection {
  readonly direction: 'rx' | 'tx';
  readonly from: string;
  readonly to: string;
  readonly measured_by: string;
  readonly ssrc: string | null;
  readonly codec: string | null;
  readonly reports: number;
  readonly packets_expected: number | null;
  readonly packets_lost: number | null;
  readonly loss_percent: number | null;
  readonly jitter_ms: { readonly mean: number | null; readonly max: number | null };
  readonly rtt_ms: { readonly mean: number | null; readonly max: number | null };
  readonly mes: number | null;
  readonly verdict: string | null;
  readonly why: string | null;
  readonly course: readonly {
    readonly at: string;
    readonly loss_percent: number | null;
    readonly jitter_ms: number | null;
  }[];
}

/** A call as `GET /v1/calls/{linkedid}/evidence` has it. */
export interface SharedCall {
  readonly made_at: string;
  readonly host: string;
  readonly time_zone: string;
  readonly linkedid: string;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly verdict: string | null;
  readonly mes: number | null;
  readonly profile: string;
  readonly fault_certainty: string | null;
  readonly fault_why: string | null;
  readonly channels: readonly {
    readonly uniqueid: string;
    readonly endpoint: string;
    readonly caller_number: string | null;
    readonly connected_number: string | null;
    readonly dialled: string | null;
    readonly codec: string | null;
    readonly started_at: string;
    readonly answered_at: string | null;
    readonly ended_at: string | null;
    readonly hangup_cause_text: string | null;
    readonly directions: readonly SharedDirection[];
  }[];
}

const WIDTH = 720;
const HEIGHT = 90;

/** Loss of each report as a bar, so that a picture says when it happened. */
function courseChart(course: SharedDirection['course']): string {
  const losses = course.map(({ loss_percent: loss }) => loss ?? 0);
  const most = Math.max(...losses);
  if (course.length < 2 || most === 0) return '';
  const [first] = course;
  const last = course.at(-1);
  const fromMs = Date.parse(first?.at ?? '');
  const spanMs = Math.max(1, Date.parse(last?.at ?? '') - fromMs);
  const bars = course.map(({ at, loss_percent: loss }) => {
    if (loss === null || loss === 0) return '';
    const x = ((Date.parse(at) - fromMs) / spanMs) * (WIDTH - 6);
    const height = Math.max(1, (loss / most) * (HEIGHT - 20));
    return `<rect x="${x.toFixed(1)}" y="${(HEIGHT - 16 - height).toFixed(1)}" width="5" height="${height.toFixed(1)}" fill="#a40000"/>`;
  });
  const label = (x: number, y: number, anchor: string, text: string): string =>
    `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="11" fill="#555">${escaped(text)}</text>`;
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="Loss over time, at most ${most} %">
<line x1="0" y1="${HEIGHT - 16}" x2="${WIDTH}" y2="${HEIGHT - 16}" stroke="#888"/>
${bars.join('')}
${label(0, 10, 'start', `loss of each report, at most ${most} %`)}${label(0, HEIGHT - 3, 'start', timeIn(first?.at ?? null, 'UTC') ?? '')}${label(WIDTH, HEIGHT - 3, 'end', `${timeIn(last?.at ?? null, 'UTC') ?? ''} UTC`)}
</svg>`;
}

function directionSection(direction: SharedDirection): string {
  const { jitter_ms: jitter, rtt_ms: rtt } = direction;
  const isBad = direction.verdict !== 'good' && direction.verdict !== 'fair';
  return `<section><h3>From ${escaped(direction.from)} to ${escaped(direction.to)}: <span${isBad ? ' class="bad"' : ''}>${escaped(direction.verdict ?? 'not known')}</span></h3>
<p>${escaped(direction.why ?? '')}</p>
<div class="wide"><table><tr><th>score</th><th>packets</th><th>lost</th><th>loss %</th><th>jitter mean, ms</th><th>jitter max, ms</th><th>round trip, ms</th><th>codec</th><th>SSRC</th></tr>
<tr>${cell(direction.mes, true)}${cell(direction.packets_expected, true)}${cell(direction.packets_lost, true)}${cell(direction.loss_percent, true)}${cell(jitter.mean, true)}${cell(jitter.max, true)}${cell(rtt.mean, true)}${cell(direction.codec)}${cell(direction.ssrc)}</tr></table></div>
<p class="small">Measured by ${escaped(direction.measured_by)}, in ${direction.reports} reports.</p>
${courseChart(direction.course)}</section>`;
}

/** A call for somebody who was not there, to read or to print. */
export function evidencePage(call: SharedCall): string {
  const rows = call.channels.map(
    (channel) =>
      `<tr>${cell(channel.endpoint)}${cell(channel.caller_number)}${cell(channel.connected_number)}${cell(channel.dialled)}${cell(timeIn(channel.answered_at, 'UTC'))}${cell(timeIn(channel.ended_at, 'UTC'))}${cell(channel.hangup_cause_text)}${cell(channel.uniqueid)}</tr>`,
  );
  const title = `Call ${call.linkedid}: ${call.verdict ?? 'no verdict'}`;
  return pageOf(
    title,
    `<h1>${escaped(title)}</h1>
<p>${escaped(timeIn(call.started_at, 'UTC') ?? '')} UTC to ${escaped(timeIn(call.ended_at, 'UTC') ?? 'now')} UTC<br>
${escaped(timeIn(call.started_at, call.time_zone) ?? '')} to ${escaped(timeIn(call.ended_at, call.time_zone) ?? 'now')} (${escaped(call.time_zone)})</p>
<p>Score (Media Experience Score, 1.00 to 4.50): ${call.mes === null ? 'not known' : call.mes.toFixed(2)}</p>
<h2>Where the fault lies</h2>
<p>${escaped(call.fault_why ?? 'What was measured does not tell.')}${call.fault_certainty === null ? '' : ` (${escaped(call.fault_certainty)})`}</p>
<h2>The parties</h2>
<div class="wide"><table><tr><th>endpoint</th><th>caller ID</th><th>connected</th><th>dialled</th><th>answered (UTC)</th><th>ended (UTC)</th><th>hang-up cause</th><th>uniqueid</th></tr>
${rows.join('\n')}</table></div>
<h2>The directions</h2>
${call.channels.flatMap(({ directions }) => directions.map(directionSection)).join('\n')}
<p class="small">Made by asterisk-mes on ${escaped(call.host)} at ${escaped(timeIn(call.made_at, 'UTC') ?? '')} UTC, from RTCP reports (RFC 3550). Scored by profile ${escaped(call.profile)}. A dash is what nobody measured.</p>`,
  );
}

export interface SharedAlert {
  readonly rule: string;
  readonly endpoint: string | null;
  readonly sentence: string;
  readonly since: string;
  readonly over_at: string | null;
  readonly calls: number;
}

export interface AlertCall {
  readonly linkedid: string;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly endpoints: string;
  readonly verdict: string | null;
  readonly mes: number | null;
  /** The call's own page. */
  readonly link: string;
}

/** Exactly the calls of an alert, however long ago it was. */
export function alertPage(alert: SharedAlert, calls: readonly AlertCall[]): string {
  const where = alert.endpoint === null ? '' : ` at ${alert.endpoint}`;
  const title = `${alert.rule}${where}`;
  const rows = calls.map(
    (call) =>
      `<tr><td><a href="${escaped(call.link)}">${escaped(timeIn(call.started_at, 'UTC') ?? '')}</a></td>${cell(timeIn(call.ended_at, 'UTC') ?? 'is up')}${cell(call.endpoints)}${cell(call.verdict)}${cell(call.mes === null ? null : call.mes.toFixed(2), true)}</tr>`,
  );
  const more = alert.calls - calls.length;
  return pageOf(
    title,
    `<h1>${escaped(title)}</h1>
<p>${escaped(alert.sentence)}</p>
<p>Since ${escaped(timeIn(alert.since, 'UTC') ?? '')} UTC; ${alert.over_at === null ? 'it goes on' : `over at ${escaped(timeIn(alert.over_at, 'UTC') ?? '')} UTC`}.</p>
<div class="wide"><table><tr><th>began (UTC)</th><th>ended (UTC)</th><th>endpoints</th><th>verdict</th><th>score</th></tr>
${rows.join('\n')}</table></div>
${more > 0 ? `<p class="small">And ${more} more calls that are not kept one by one.</p>` : ''}`,
  );
}

/** What a link shows that is over, was changed, or was taken back: always the same. */
export function noSuchLinkPage(): string {
  return pageOf(
    'This link does not work',
    '<h1>This link does not work</h1>\n<p>It is over, or it was taken back. Ask whoever sent it for a new one.</p>',
  );
}
