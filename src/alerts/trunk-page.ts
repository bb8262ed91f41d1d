import { barChart, cell, escaped, pageOf, spanLines, timeIn, WIDE } from './page-parts.ts';

type Value = number | null;

interface OneWay {
  readonly loss_percent: Value;
  readonly jitter_ms: Value;
  readonly rtt_ms: Value;
}

/** The answer of `GET /v1/trunks/{endpoint}/evidence`. */
export interface SharedTrunk {
  readonly made_at: string;
  readonly host: string;
  readonly time_zone: string;
  readonly endpoint: string;
  readonly from: string;
  readonly to: string;
  readonly calls: number;
  readonly judged_calls: number;
  readonly bad_calls: number;
  readonly bad_percent: Value;
  readonly mes_mean: Value;
  readonly mes_p5: Value;
  readonly mes_worst: Value;
  readonly others: {
    readonly judged_calls: number;
    readonly bad_calls: number;
    readonly bad_percent: Value;
    readonly p_value: Value;
  };
  readonly what_rules_out_this_server: string | null;
  readonly directions: readonly {
    readonly from: string;
    readonly to: string;
    readonly measured_by: string;
    readonly calls: number;
    readonly reports: number;
    readonly packets_expected: Value;
    readonly packets_lost: Value;
    readonly loss_percent: Value;
    readonly jitter_ms: { readonly mean: Value; readonly max: Value };
    readonly rtt_ms: { readonly mean: Value; readonly max: Value };
  }[];
  readonly faults: {
    readonly at_trunk: number;
    readonly at_other_side: number;
    readonly both: number;
    readonly this_server: number;
    readonly not_known: number;
  };
  readonly codecs: readonly { readonly codec: string; readonly calls: number }[];
  readonly remote_media: readonly { readonly address: string; readonly calls: number }[];
  readonly course: readonly { readonly at: string; readonly bad_percent: Value }[];
  readonly worst_calls: readonly SharedTrunkCall[];
  readonly calls_left_out: number;
}

interface SharedTrunkCall {
  readonly linkedid: string;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly caller_number: string | null;
  readonly connected_number: string | null;
  readonly dialled: string | null;
  readonly sip_call_id: string | null;
  readonly remote_media: string | null;
  readonly codec: string | null;
  readonly verdict: string | null;
  readonly mes: Value;
  readonly rx: OneWay;
  readonly tx: OneWay;
}

const DIRECTION_HEADS = [
  'direction',
  'calls',
  'reports',
  'packets',
  'lost',
  'loss %',
  'jitter mean, ms',
  'jitter max, ms',
  'round trip mean, ms',
  'round trip max, ms',
  'measured by',
];
/** Two lines for each call: sixteen columns fit on no sheet. */
const CALL_HEADS = [
  'began and ended (UTC)',
  'caller ID',
  'connected',
  'dialled',
  'verdict',
  'score',
  'loss from it, %',
  'loss to it, %',
  'jitter from it, ms',
  'jitter to it, ms',
  'round trip, ms',
  'codec',
];

/** The evidence of a trunk as a page to read or to print. */
export function trunkPage(trunk: SharedTrunk): string {
  const { endpoint, others, faults } = trunk;
  const title = `Calls over ${endpoint}`;
  const chart = barChart(
    trunk.course.map(({ at, bad_percent: value }) => ({ at, value })),
    'share of bad calls',
  );
  return pageOf(
    title,
    `<h1>${escaped(title)}</h1>
${spanLines(trunk.from, trunk.to, trunk.time_zone)}
${WIDE}<table><tr>${heads(['calls', 'calls that could be judged', 'bad', 'share, %'])}</tr>
<tr><td>over ${escaped(endpoint)}</td>${cell(trunk.judged_calls, true)}${cell(trunk.bad_calls, true)}${cell(trunk.bad_percent, true)}</tr>
<tr><td>all others of this server</td>${cell(others.judged_calls, true)}${cell(others.bad_calls, true)}${cell(others.bad_percent, true)}</tr></table></div>
<p>${trunk.calls} calls. Scores (Media Experience Score, 1.00 to 4.50): mean ${opinion(trunk.mes_mean)}, 5th percentile ${opinion(trunk.mes_p5)}, worst ${opinion(trunk.mes_worst)}.</p>
<h2>Where the faults lie</h2>
<p>Of its bad calls: ${faults.at_trunk} on the side of ${escaped(endpoint)}, ${faults.at_other_side} on the other side of this server, ${faults.both} on both sides, ${faults.this_server} in this server, ${faults.not_known} not known.</p>
<p>What rules out this server: ${escaped(trunk.what_rules_out_this_server ?? 'nothing that was measured.')}</p>
<p>Codecs: ${list(trunk.codecs.map(({ codec, calls }) => [codec, calls]))}. Addresses of its RTP: ${list(trunk.remote_media.map(({ address, calls }) => [address, calls]))}.</p>
<h2>The directions</h2>
${WIDE}<table><tr>${heads(DIRECTION_HEADS)}</tr>
${trunk.directions.map(directionRow).join('\n')}</table></div>
<h2>The course</h2>
${chart === '' ? '<p>No call was bad, or there is too little to draw.</p>' : chart}
<h2>The worst calls</h2>
${WIDE}<table><tr>${heads(CALL_HEADS)}</tr>
${trunk.worst_calls.map(callRows).join('\n')}</table></div>
${trunk.calls_left_out > 0 ? `<p class="small">${trunk.calls_left_out} older calls were too many to look at one by one: directions, faults, codecs, addresses and this list are without them.</p>` : ''}
<p class="small">A call is bad by its verdict: a score below the threshold for bad, no audio, or audio one way. How likely the difference to the other calls is by chance alone: ${others.p_value === null ? 'not known' : others.p_value.toPrecision(2)} (Fisher's exact test). Made by asterisk-mes on ${escaped(trunk.host)} at ${escaped(timeIn(trunk.made_at, 'UTC') ?? '')} UTC, from RTCP reports (RFC 3550). A dash is what nobody measured.</p>`,
  );
}

function heads(names: readonly string[]): string {
  return names.map((name) => `<th>${escaped(name)}</th>`).join('');
}

function list(items: readonly (readonly [name: string, calls: number])[]): string {
  return items.length === 0 ? 'not known' : escaped(items.map(([name, calls]) => `${name} (${calls})`).join(', '));
}

function opinion(mes: Value): string {
  return mes === null ? 'not known' : mes.toFixed(2);
}

function directionRow(one: SharedTrunk['directions'][number]): string {
  const { jitter_ms: jitter, rtt_ms: rtt } = one;
  const numbers = [
    one.calls,
    one.reports,
    one.packets_expected,
    one.packets_lost,
    one.loss_percent,
    jitter.mean,
    jitter.max,
    rtt.mean,
    rtt.max,
  ];
  return `<tr>${cell(`${one.from} to ${one.to}`)}${numbers.map((number) => cell(number, true)).join('')}${cell(one.measured_by)}</tr>`;
}

function callRows(call: SharedTrunkCall): string {
  const { rx, tx } = call;
  const ended = timeIn(call.ended_at, 'UTC') ?? 'is up';
  const numbers = [call.mes, rx.loss_percent, tx.loss_percent, rx.jitter_ms, tx.jitter_ms, rx.rtt_ms ?? tx.rtt_ms];
  return `<tr>${cell(`${timeIn(call.started_at, 'UTC') ?? ''} – ${ended}`)}${cell(call.caller_number)}${cell(call.connected_number)}${cell(call.dialled)}${cell(call.verdict)}${numbers.map((number) => cell(number, true)).join('')}${cell(call.codec)}</tr>
<tr><td class="small" colspan="${CALL_HEADS.length}">Call-ID ${escaped(call.sip_call_id ?? '–')}, RTP of the far end ${escaped(call.remote_media ?? '–')}, linkedid ${escaped(call.linkedid)}</td></tr>`;
}
