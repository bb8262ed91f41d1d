import type { PhoneAlert, PhoneMediaAddress, PhoneReport } from '../../model/phones/phone-report.ts';
import { type ReportLine, reportLines, reportPairs } from './lines.ts';
import { type Dialect, METRICS_LINES, readMetrics } from './metrics.ts';
import { numberWithin, ssrc } from './values.ts';

/** The body of an `application/vq-rtcpxr` (RFC 6035 §4.6.1), with the ways in which phones differ from it. */

const KIND_OF_FIRST_LINE: ReadonlyMap<string, PhoneReport['kind']> = new Map([
  ['vqsessionreport', 'session'],
  ['vqintervalreport', 'interval'],
  ['vqalertreport', 'alert'],
]);
const MAX_TEXT_LENGTH = 256;

/**
 * Reads one report. `userAgent` tells the dialect of those that write other units. Undefined when the text is no such
 * report, or ends before any metrics.
 */
export function readPhoneReport(text: string, userAgent?: string): PhoneReport | undefined {
  const lines = reportLines(text);
  const kind = kindOf(lines);
  if (kind === undefined) return undefined;
  const parts = splitParts(lines);
  if (parts.local.length === 0) return undefined;
  const dialect: Dialect = { lossesAreQ8: writesLossesAsQ8(lines, userAgent) };
  const session = (...names: readonly string[]): string | undefined =>
    lines.find(({ name }) => names.includes(name))?.value;
  return {
    kind: kind.kind,
    callId: callIdOf(session('callid', 'call-id')),
    localId: textOf(session('localid', 'fromid')),
    remoteId: textOf(session('remoteid', 'toid')),
    local: readAddress(session('localaddr')),
    remote: readAddress(session('remoteaddr')),
    localMetrics: readMetrics(parts.local, dialect),
    remoteMetrics: parts.remote === null ? null : readMetrics(parts.remote, dialect),
    alert: kind.kind === 'alert' ? readAlert(kind.value) : null,
  };
}

/** The line that names the kind is the first but for extensions (`x-SIPmetrics`, `VQSessionReport : CallTerm`). */
function kindOf(
  lines: readonly ReportLine[],
): { readonly kind: PhoneReport['kind']; readonly value: string } | undefined {
  for (const { name, value } of lines.slice(0, 3)) {
    const kind = KIND_OF_FIRST_LINE.get(name);
    // "VQIntervalReport: CallTerm" of some session border controllers is the last of the call.
    if (kind === 'interval' && /^callterm$/i.test(value)) return { kind: 'session', value };
    if (kind !== undefined) return { kind, value };
  }
  return undefined;
}

interface Parts {
  readonly local: readonly ReportLine[];
  readonly remote: readonly ReportLine[] | null;
}

/** Metrics stand under the line that says whose they are; those before any such line are the phone's own. */
function splitParts(lines: readonly ReportLine[]): Parts {
  const local: ReportLine[] = [];
  let remote: ReportLine[] | null = null;
  let current: ReportLine[] = local;
  for (const line of lines) {
    if (line.name === 'localmetrics') current = local;
    else if (line.name === 'remotemetrics') current = remote ??= [];
    else if (METRICS_LINES.has(line.name)) current.push(line);
  }
  return { local, remote };
}

/** Linphone prints the block's bytes: its own line, or the request's User-Agent, tells. */
function writesLossesAsQ8(lines: readonly ReportLine[], userAgent = ''): boolean {
  return lines.some(({ name }) => name === 'linphoneext') || /linphone/i.test(userAgent);
}

/** The leg's SIP Call-ID. `(null)` is what a C library prints for nothing. */
function callIdOf(text: string | undefined): string | null {
  const value = textOf(text);
  return value === null || value === '(null)' || /\s/.test(value) ? null : value;
}

/** Null for nothing, for what is too long, and where a control character is: those would be read by somebody's terminal. */
function textOf(text: string | undefined): string | null {
  if (text === undefined || text === '' || text.length > MAX_TEXT_LENGTH) return null;
  for (const character of text) if (character < ' ' || character === '\u007f') return null;
  return text;
}

/** `IP=192.0.2.1 PORT=2226 SSRC=0x1`, or `IP=192.0.2.1:2226`. */
function readAddress(text = ''): PhoneMediaAddress {
  const pairs = reportPairs(text);
  const written = pairs.get('IP') ?? '';
  const [, bracketed, port6] = /^\[([0-9A-Fa-f:.]{2,45})\](?::(\d{1,5}))?$/.exec(written) ?? [];
  const [, plain, port4] = /^(\d{1,3}(?:\.\d{1,3}){3})(?::(\d{1,5}))?$/.exec(written) ?? [];
  const bare = /^[0-9A-Fa-f:]{2,45}$/.test(written) ? written : undefined;
  return {
    address: bracketed ?? plain ?? bare ?? null,
    port: numberWithin(pairs.get('PORT') ?? port6 ?? port4, 1, 65_535),
    ssrc: ssrc(pairs.get('SSRC')),
  };
}

function readAlert(value: string): PhoneAlert | null {
  const pairs = reportPairs(value);
  const metric = pairs.get('TYPE')?.toLowerCase();
  if (metric === undefined || metric === '') return null;
  return {
    metric,
    severity: pairs.get('SEVERITY')?.toLowerCase() ?? null,
    direction: pairs.get('DIR')?.toLowerCase() ?? null,
  };
}
