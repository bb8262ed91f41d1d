import type { AnalysisResult, SkippedPackets } from '../capture/capture-analysis.ts';
import type { StreamSummary } from '../capture/stream-summary.ts';
import { formatSsrc } from '../wire/rtcp-xr-json.ts';
import { shownR } from '../wire/voip-metrics.ts';

const SKIPPED: Readonly<Record<keyof SkippedPackets, string>> = {
  notUdp: 'not UDP',
  notMedia: 'neither RTP nor RTCP nor SIP',
  fragments: 'fragments',
  cutShort: 'cut short',
  unknownLink: 'of an unknown link layer',
  rtcpEncrypted: 'encrypted RTCP',
  rtcpMalformed: 'malformed RTCP',
};

type Column = readonly [title: string, value: (stream: StreamSummary) => string];

const COLUMNS: readonly Column[] = [
  ['stream', (stream) => `${stream.source} > ${stream.destination}`],
  ['SSRC', (stream) => formatSsrc(stream.ssrc)],
  ['codec', codecsOf],
  ['packets', (stream) => String(stream.packetsReceived)],
  ['lost', (stream) => `${stream.packetsLost} (${percent(stream.voipMetrics.lossRatio)})`],
  ['dupl.', (stream) => String(stream.duplicates)],
  ['reord.', (stream) => String(stream.outOfOrder)],
  ['jitter mean/max ms', ({ jitterMeanMs, jitterMaxMs }) => `${orDash(jitterMeanMs, 1)} / ${orDash(jitterMaxMs, 1)}`],
  ['longest gap ms', (stream) => stream.maxGapMs.toFixed(0)],
  [
    'bursts ms (density)',
    ({ voipMetrics: { burstDurationMs, burstDensityRatio } }) =>
      burstDurationMs === 0 ? 'none' : `${orUnknown(burstDurationMs)} (${percent(burstDensityRatio)})`,
  ],
  ['discarded', (stream) => orDash(stream.discarded)],
  ['filled', (stream) => orDash(stream.fills)],
  ['R', (stream) => (stream.score === null ? '-' : shownR(stream.score.rCq).toFixed(1))],
  ['MOS-LQ', (stream) => (stream.score === null ? '-' : stream.score.mosLq.toFixed(2))],
  ['MOS-CQ', (stream) => (stream.score === null ? '-' : stream.score.mosCq.toFixed(2))],
];

/** The table that `analyze` prints for people, line by line: with many streams it never exists as a whole. */
export function* analysisToText(result: AnalysisResult): Generator<string> {
  let isEmpty = true;
  for (const line of table(result.eachStream)) {
    isEmpty = false;
    yield `${line}\n`;
  }
  for (const { source, destination, clockNote } of result.eachStream()) {
    if (clockNote !== null) yield `${source} > ${destination}: ${clockNote}\n`;
  }
  if (isEmpty) yield 'There is no RTP stream in this capture.\n';
  const reasons = Object.entries(SKIPPED)
    .map(([reason, words]) => [result.skipped[reason as keyof SkippedPackets], words] as const)
    .filter(([count]) => count > 0)
    .map(([count, words]) => `${count} ${words}`);
  const skipped = reasons.length === 0 ? '' : `; skipped: ${reasons.join(', ')}`;
  yield `\n${result.packets} packets, ${result.rtcp.packets} of them RTCP${skipped}\n`;
}

/** No line without a stream. Goes through them twice: first for the widths of the columns. */
function* table(eachStream: AnalysisResult['eachStream']): Generator<string> {
  const titles = COLUMNS.map(([title]) => title);
  const widths = titles.map(({ length }) => length);
  let streams = 0;
  for (const stream of eachStream()) {
    streams += 1;
    for (const [column, [, value]] of COLUMNS.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, value(stream).length);
    }
  }
  if (streams === 0) return;
  const lineOf = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column < 3 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  yield lineOf(titles);
  for (const stream of eachStream()) yield lineOf(COLUMNS.map(([, value]) => value(stream)));
}

/** Of each stretch, in their order. */
function codecsOf({ segments, codec, payloadType }: StreamSummary): string {
  const names = segments.map((segment) => segment.format.codec ?? `type ${segment.payloadType}`);
  return names.length === 0 ? (codec ?? `type ${payloadType}`) : names.join(', ');
}

function orDash(value: number | null, decimals = 0): string {
  return value === null ? '-' : value.toFixed(decimals);
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}

function orUnknown(ms: number | null): string {
  return ms === null ? '?' : ms.toFixed(0);
}
