import type { z } from 'zod';
import { snakeCase } from '../../model/naming.ts';
import type { CallWithChannels } from '../../model/ports.ts';
import type { ChannelRecord, IntervalRecord, SegmentRecord, StreamRecord } from '../../model/record.ts';
import type { AudioFinding } from '../../model/capture.ts';
import { audioFindings } from '../../stats/audio/audio-findings.ts';
import { presentCapture, presentVoipMetrics } from './captured.ts';
import { OPINION_TO_100, roundOpinion } from '../../score/opinion.ts';
import { CALL_SUMMARY, SEGMENT, STREAM, type CALL, type CHANNEL, type INTERVAL } from './answers.ts';

/** Decimals that people read, by the name's end; the first that fits counts. A number not named here is given whole. */
const DECIMALS: readonly (readonly [RegExp, number])[] = [
  [/_100$/, 1],
  [/^r_value$/, 1],
  [/^r_[lc]q$/, 3],
  [/^mos_/, 3],
  [/^effective_latency_ms$/, 1],
  [/_ms$/, 3],
  [/_percent$/, 2],
  [/_mean$/, 3],
  [/_s$/, 4],
];

function round(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}

/** Remembers answers by name: there are as many as the model has properties, and thousands of channels have them all. */
function byName<T>(make: (name: string) => T): (name: string) => T {
  const made = new Map<string, T>();
  return (name) => {
    const known = made.get(name);
    if (known !== undefined) return known;
    const fresh = make(name);
    made.set(name, fresh);
    return fresh;
  };
}

const publishedName = byName((property) => snakeCase(property).replace(/(^|_)at_ms$/, '$1at'));

/** How numbers of this name are shown. */
const numberFormat = byName((name): ((value: number) => number | string) => {
  if (/(^|_)ssrc$/.test(name)) return (value) => `0x${value.toString(16).padStart(8, '0')}`;
  if (/(^|_)at$/.test(name)) return (value) => new Date(value).toISOString();
  if (/^mes(_(?!100).*)?$/.test(name)) return roundOpinion;
  const decimals = DECIMALS.find(([pattern]) => pattern.test(name))?.[1];
  return decimals === undefined ? (value) => value : (value) => round(value, decimals);
});

function presentValue(name: string, value: unknown): unknown {
  if (typeof value === 'number') return numberFormat(name)(value);
  if (Array.isArray(value)) return value.map((item: unknown) => presentValue(name, item));
  if (typeof value !== 'object' || value === null) return value;
  // A summary's parts are in the summary's unit, its count is a number of samples.
  const isSummary = name.endsWith('_ms');
  return present(value, undefined, (part) => (isSummary && part !== 'count' ? name : part));
}

/**
 * A record of the model as JSON: names in snake case, `startedAtMs` as `started_at` in ISO 8601, an SSRC in hex,
 * numbers rounded for people. Null stays null. Of `published` names only, if given.
 */
export function present(
  record: object,
  published?: ReadonlySet<string>,
  quantityOf: (name: string) => string = (name) => name,
): Record<string, unknown> {
  const presented: Record<string, unknown> = {};
  for (const [property, value] of Object.entries(record)) {
    const name = publishedName(property);
    if (published?.has(name) !== false) presented[name] = presentValue(quantityOf(name), value);
  }
  return presented;
}

const STREAM_NAMES: ReadonlySet<string> = new Set(Object.keys(STREAM.shape));
const SEGMENT_NAMES: ReadonlySet<string> = new Set(Object.keys(SEGMENT.shape));

/** Seconds from the start to the end, or to now; a clock that was set back gives 0. */
export function durationS(part: { startedAtMs: number; endedAtMs: number | null }, nowMs: number): number {
  return round(Math.max(0, (part.endedAtMs ?? nowMs) - part.startedAtMs) / 1000, 3);
}

/** `isWhole`: with all that was captured. */
export function presentStream({ capture, ...stream }: StreamRecord, isWhole = false): z.output<typeof STREAM> {
  const packets = {
    voip_metrics: capture === null ? null : presentVoipMetrics(capture),
    capture: capture === null ? null : presentCapture(capture),
  };
  const presented = {
    ...present(stream, STREAM_NAMES),
    captured: capture !== null,
    findings: findingsOf(capture),
    ...(isWhole ? packets : {}),
  };
  return presented as unknown as z.output<typeof STREAM>;
}

function findingsOf(capture: StreamRecord['capture']): readonly AudioFinding[] | null {
  const audio = capture?.media.audio ?? null;
  return audio === null ? null : audioFindings(audio);
}

/** `segments` undefined: neither they nor what was captured are part of this answer. */
export function presentChannel(
  channel: ChannelRecord,
  nowMs: number,
  segments?: readonly SegmentRecord[],
): z.output<typeof CHANNEL> {
  const { streams, ...own } = channel;
  const presented = {
    ...present(own),
    duration_s: durationS(channel, nowMs),
    streams: streams.map((stream) => presentStream(stream, segments !== undefined)),
    ...(segments === undefined ? {} : { segments: segments.map((segment) => presentSegment(segment)) }),
  };
  return presented as unknown as z.output<typeof CHANNEL>;
}

/** What a call has of its channels. */
function summaryFacts(call: CallWithChannels, nowMs: number): object {
  const codecs = call.channels.flatMap(({ streams }) => streams.flatMap(({ codec }) => codec ?? []));
  return {
    state: call.endedAtMs === null ? 'up' : 'ended',
    duration_s: durationS(call, nowMs),
    endpoints: [...new Set(call.channels.map(({ endpoint }) => endpoint))],
    codecs: [...new Set(codecs)],
  };
}

/** `segmentsOf` undefined: neither segments nor what was captured are part of this answer. */
export function presentCall(
  call: CallWithChannels,
  nowMs: number,
  segmentsOf?: ReadonlyMap<string, readonly SegmentRecord[]>,
): z.output<typeof CALL> {
  const { channels, ...own } = call;
  const presented = {
    ...present({ ...own, mes100: call.mes === null ? null : call.mes * OPINION_TO_100 }),
    ...summaryFacts(call, nowMs),
    channels: channels.map((channel) => presentChannel(channel, nowMs, segmentsOf?.get(channel.uniqueid))),
  };
  return presented as unknown as z.output<typeof CALL>;
}

const LEG_NAMES: ReadonlySet<string> = new Set(Object.keys(CALL_SUMMARY.shape.channels.element.shape));
const CALL_NAMES: ReadonlySet<string> = new Set(Object.keys(CALL_SUMMARY.shape));

/** A call as a list of many shows it: its legs without their streams. */
export function presentCallSummary(call: CallWithChannels, nowMs: number): z.output<typeof CALL_SUMMARY> {
  const { channels, ...own } = call;
  const presented = {
    ...present({ ...own, mes100: call.mes === null ? null : call.mes * OPINION_TO_100 }, CALL_NAMES),
    ...summaryFacts(call, nowMs),
    channels: channels.map((channel) => present(channel, LEG_NAMES)),
  };
  return presented as unknown as z.output<typeof CALL_SUMMARY>;
}

export function presentSegment(segment: SegmentRecord): z.output<typeof SEGMENT> {
  return present(segment, SEGMENT_NAMES) as unknown as z.output<typeof SEGMENT>;
}

export function presentInterval(interval: IntervalRecord): z.output<typeof INTERVAL> {
  return present(interval) as unknown as z.output<typeof INTERVAL>;
}
