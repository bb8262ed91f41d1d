import { barChart, cell, escaped, pageOf, spanLines, timeIn, WIDE } from './page-parts.ts';

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
  readonly bursts: {
    readonly burst_density_percent: number | null;
    readonly gap_density_percent: number | null;
    readonly burst_duration_ms: number | null;
    readonly gap_duration_ms: number | null;
  } | null;
  readonly reports_with_loss: number;
  readonly worst_report_loss_percent: number | null;
  readonly course: readonly {
    readonly at: string;
    readonly loss_percent: number | null;
    readonly jitter_ms: number | null;
  }[];
}

/** The answer of `GET /v1/calls/{linkedid}/evidence`. */
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
  readonly fault_reports: number | null;
  readonly what_rules_out_this_server: string | null;
  readonly channels: readonly {
    readonly uniqueid: string;
    readonly endpoint: string;
    readonly caller_number: string | null;
    readonly connected_number: string | null;
    readonly dialled: string | null;
    readonly sip_call_id: string | null;
    readonly signalling_address: string | null;
    readonly local_media: string | null;
    readonly remote_media: string | null;
    readonly device: string | null;
    readonly codec: string | null;
    readonly started_at: string;
    readonly answered_at: string | null;
    readonly ended_at: string | null;
    readonly hangup_cause_text: string | null;
    readonly directions: readonly SharedDirection[];
  }[];
}

function directionSection(direction: SharedDirection): string {
  const { jitter_ms: jitter, rtt_ms: rtt } = direction;
  const isBad = direction.verdict !== 'good' && direction.verdict !== 'fair';
  return `<section><h3>From ${escaped(direction.from)} to ${escaped(direction.to)}: <span${isBad ? ' class="bad"' : ''}>${escaped(direction.verdict ?? 'not known')}</span></h3>
<p>${escaped(direction.why ?? '')}</p>
${WIDE}<table><tr><th>score</th><th>packets</th><th>lost</th><th>loss %</th><th>jitter mean, ms</th><th>jitter max, ms</th><th>round trip, ms</th><th>codec</th><th>SSRC</th></tr>
<tr>${cell(direction.mes, true)}${cell(direction.packets_expected, true)}${cell(direction.packets_lost, true)}${cell(direction.loss_percent, true)}${cell(jitter.mean, true)}${cell(jitter.max, true)}${cell(rtt.mean, true)}${cell(direction.codec)}${cell(direction.ssrc)}</tr></table></div>
<p class="small">Measured by ${escaped(direction.measured_by)}, in ${direction.reports} reports. ${escaped(lossWords(direction))} ${escaped(burstWords(direction))}</p>
${barChart(
  direction.course.map(({ at, loss_percent: value }) => ({ at, value })),
  'loss of each report',
)}</section>`;
}

function lossWords({ reports_with_loss: count, worst_report_loss_percent: worst }: SharedDirection): string {
  if (worst === null) return 'No report tells of loss.';
  return count === 0
    ? 'No report tells of a lost packet.'
    : `Packets were lost in ${count} of its reports, at most ${worst} %.`;
}

function burstWords({ bursts }: SharedDirection): string {
  if (bursts === null) return 'Bursts: not known, since its packets were not captured.';
  const { burst_density_percent: density, burst_duration_ms: lengthMs, gap_density_percent: gap } = bursts;
  if (density === null || lengthMs === null) return 'Bursts (RFC 3611): none.';
  return `Bursts (RFC 3611): ${lengthMs} ms long on average, ${density} % lost within them and ${gap ?? '–'} % between them.`;
}

/** The evidence of a call as a page to read or to print. */
export function evidencePage(call: SharedCall): string {
  const rows = call.channels.map(
    (channel) =>
      `<tr>${cell(channel.endpoint)}${cell(channel.caller_number)}${cell(channel.connected_number)}${cell(channel.dialled)}${cell(timeIn(channel.answered_at, 'UTC'))}${cell(timeIn(channel.ended_at, 'UTC'))}${cell(channel.hangup_cause_text)}${cell(channel.uniqueid)}</tr>`,
  );
  const title = `Call ${call.linkedid}: ${call.verdict ?? 'no verdict'}`;
  return pageOf(
    title,
    `<h1>${escaped(title)}</h1>
${spanLines(call.started_at, call.ended_at, call.time_zone)}
<p>Score (Media Experience Score, 1.00 to 4.50): ${call.mes === null ? 'not known' : call.mes.toFixed(2)}</p>
<h2>Where the fault lies</h2>
<p>${escaped(call.fault_why ?? 'What was measured does not tell.')}${call.fault_certainty === null ? '' : ` (${escaped(call.fault_certainty)}${call.fault_reports === null ? '' : `, from ${call.fault_reports} reports`})`}</p>
<p>What rules out this server: ${escaped(call.what_rules_out_this_server ?? 'nothing that was measured.')}</p>
<h2>The parties</h2>
${WIDE}<table><tr><th>endpoint</th><th>caller ID</th><th>connected</th><th>dialled</th><th>answered (UTC)</th><th>ended (UTC)</th><th>hang-up cause</th><th>uniqueid</th></tr>
${rows.join('\n')}</table></div>
${WIDE}<table><tr><th>endpoint</th><th>SIP Call-ID</th><th>signalling</th><th>RTP of this server, as it has it</th><th>RTP of the far end</th><th>codec</th><th>device</th></tr>
${call.channels
  .map(
    (channel) =>
      `<tr>${cell(channel.endpoint)}${cell(channel.sip_call_id)}${cell(channel.signalling_address)}${cell(channel.local_media)}${cell(channel.remote_media)}${cell(channel.codec)}${cell(channel.device)}</tr>`,
  )
  .join('\n')}</table></div>
<h2>The directions</h2>
${call.channels.flatMap(({ directions }) => directions.map(directionSection)).join('\n')}
<p class="small">Made by asterisk-mes on ${escaped(call.host)} at ${escaped(timeIn(call.made_at, 'UTC') ?? '')} UTC, from RTCP reports (RFC 3550). Scored by profile ${escaped(call.profile)}. A dash is what nobody measured.</p>`,
  );
}

export interface SharedAlert {
  readonly rule: string;
  readonly endpoint: string | null;
  readonly site: string | null;
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
  /** Address of the call's own page. */
  readonly link: string;
}

/** The calls of one alert, as a page. */
export function alertPage(alert: SharedAlert, calls: readonly AlertCall[]): string {
  const subject = alert.endpoint ?? alert.site;
  const where = subject === null ? '' : ` at ${subject}`;
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
${WIDE}<table><tr><th>began (UTC)</th><th>ended (UTC)</th><th>endpoints</th><th>verdict</th><th>score</th></tr>
${rows.join('\n')}</table></div>
${more > 0 ? `<p class="small">And ${more} more calls that are not kept one by one.</p>` : ''}`,
  );
}
