import type { AnalysisResult, SkippedPackets } from '../../capture/capture-analysis.ts';
import type { StreamSummary } from '../../capture/streams/stream-summary.ts';
import { formatSsrc } from '../../wire/rtcp/rtcp-xr-json.ts';
import { shownR } from '../../wire/rtcp/voip-metrics.ts';
import { wrapped } from '../terminal/words.ts';
import { codecsOf, streamLines } from './stream-sentences.ts';

/** The other two are told by what packets are inside, and of which link layer they are. */
const SKIPPED: Readonly<Record<Exclude<keyof SkippedPackets, 'unread' | 'unknownLink'>, string>> = {
  notUdp: 'neither UDP nor SIP over TCP',
  notMedia: 'neither RTP nor RTCP nor SIP',
  fragments: 'fragments of datagrams that are not whole',
  cutShort: 'cut short',
  rtcpEncrypted: 'encrypted RTCP',
  rtcpMalformed: 'malformed RTCP',
};

const TERMINAL_COLUMNS = 80;

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

/**
 * What `analyze` prints for people, line by line: with many streams it never exists as a whole. `isWide`: a table, a line a stream,
 * as wide as it gets; else two lines or so for each, within 80 columns.
 */
export function* analysisToText(result: AnalysisResult, isWide: boolean): Generator<string> {
  let isEmpty = true;
  for (const line of isWide ? wideLines(result) : narrowLines(result)) {
    isEmpty = false;
    yield `${line}\n`;
  }
  const reasons = [
    ...Object.entries(SKIPPED).map(
      ([reason, words]) => [result.skipped[reason as keyof typeof SKIPPED], words] as const,
    ),
    ...[...result.unread].map(([layer, count]) => [count, `inside ${layer}`] as const),
    ...[...result.unknownLinks].map(
      ([type, count]) =>
        [count, type < 0 ? 'of other unknown link layers' : `of the unknown link layer ${type}`] as const,
    ),
  ]
    .filter(([count]) => count > 0)
    .toSorted(([one], [other]) => other - one);
  if (isEmpty) yield `There is no RTP stream in this capture.${whyNone(reasons)}\n`;
  const skipped = reasons.length === 0 ? '' : `; skipped: ${reasons.map((reason) => reason.join(' ')).join(', ')}`;
  const last = `${packets(result.packets)}, ${result.rtcp.packets} of them RTCP${skipped}`;
  yield `\n${isWide ? last : wrapped(last, TERMINAL_COLUMNS).join('\n')}\n`;
}

function* narrowLines({ eachStream }: AnalysisResult): Generator<string> {
  for (const stream of eachStream()) yield* streamLines(stream);
}

function* wideLines({ eachStream }: AnalysisResult): Generator<string> {
  yield* table(eachStream);
  for (const { source, destination, clockNote } of eachStream()) {
    if (clockNote !== null) yield `${source} > ${destination}: ${clockNote}`;
  }
}

/** What most of the packets are. */
function whyNone([most]: readonly (readonly [count: number, words: string])[]): string {
  if (most === undefined) return '';
  const [count, words] = most;
  return ` ${packets(count)} ${count === 1 ? 'is' : 'are'} ${words}${words.startsWith('inside') ? ', which is not read' : ''}.`;
}

function packets(count: number): string {
  return count === 1 ? '1 packet' : `${count} packets`;
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

function orDash(value: number | null, decimals = 0): string {
  return value === null ? '-' : value.toFixed(decimals);
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}

function orUnknown(ms: number | null): string {
  return ms === null ? '?' : ms.toFixed(0);
}
