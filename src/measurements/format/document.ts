import type { Device } from '../../model/phones/device.ts';
import type { ChannelRecord, StreamRecord } from '../../model/record.ts';
import type { Rating } from '../../model/people/rating.ts';
import type { Direction } from '../../model/report.ts';
import { isTimed, voipMetrics } from '../../stats/packets/packet-tally.ts';
import { knownDevice } from './device.ts';
import {
  type ANSWER_FIELDS,
  type LEG_FIELDS,
  MOST_POINTS,
  QUESTION,
  type POINT_FIELDS,
  type RATING_FIELDS,
  SCHEMA_VERSION,
  type STREAM_FIELDS,
} from './fields.ts';

type Value = string | number | boolean | readonly (string | number)[] | null;
type Filled<Names extends string> = { readonly [Name in Names]: Value };

export type StreamMeasurement = Filled<keyof typeof STREAM_FIELDS>;
export type CoursePoint = Filled<keyof typeof POINT_FIELDS> & { readonly direction: Direction; readonly at_s: number };

export interface LegDocument extends Filled<keyof typeof LEG_FIELDS> {
  readonly kind: 'leg';
  readonly streams: readonly StreamMeasurement[];
  readonly course: readonly CoursePoint[];
}

export interface RatingDocument extends Filled<keyof typeof RATING_FIELDS> {
  readonly kind: 'rating';
  readonly answers: readonly Filled<keyof typeof ANSWER_FIELDS>[];
}

export type MeasurementDocument = LegDocument | RatingDocument;

/** The sender of a document: random names that change each month. */
export interface Sender {
  readonly installation: string;
  /** Hash of the token by which the sender can have the document deleted. The token itself stays here. */
  readonly forget: string;
}

/** The circumstances of a leg: releases and load. Null is unknown. */
export interface Surroundings {
  readonly release: string;
  /** Asterisk's version as it prints it. */
  readonly asteriskVersion: string | null;
  /** Load of the machine per processor; 1 is all processors busy. */
  readonly load: number | null;
  /** Share of the memory in use, 0-1. */
  readonly memory: number | null;
}

const MS_PER_HOUR = 3_600_000;
const DURATION_STEP_S = 10;
const LOAD_STEPS = ['0-25', '25-50', '50-75', '75-100', 'over 100'] as const;
const MAX_PERCENT = 100;

/** The document of an ended leg. `call`: the keyed hash that all legs of the call have. */
export function legDocument(
  channel: ChannelRecord,
  {
    sender,
    call,
    around,
    course,
    pointsLeftOut,
    isWhole,
    nowMs,
  }: {
    sender: Sender;
    call: string;
    around: Surroundings;
    course: readonly CoursePoint[];
    pointsLeftOut: number;
    isWhole: boolean;
    nowMs: number;
  },
): LegDocument {
  const durationS = ((channel.endedAtMs ?? nowMs) - (channel.answeredAtMs ?? channel.startedAtMs)) / 1000;
  return {
    schema: SCHEMA_VERSION,
    kind: 'leg',
    ...sender,
    call,
    hour: hourOf(channel.startedAtMs),
    release: versionOf(around.release),
    asterisk: /^\d{1,4}\.\d{1,4}/.exec(around.asteriskVersion ?? '')?.[0] ?? null,
    technology: technologyOf(channel.endpoint),
    ...deviceFields(channel.deviceDetails),
    codec: codecName(channel.codec),
    duration_s:
      channel.answeredAtMs === null
        ? null
        : bounded(Math.round(durationS / DURATION_STEP_S) * DURATION_STEP_S, 0, 864_000),
    profile: channel.profile,
    mes: opinion(channel.mes),
    mes_min: opinion(channel.mesMin),
    verdict: channel.verdict,
    load_percent: step(around.load, LOAD_STEPS.length - 1),
    memory_percent: step(around.memory, LOAD_STEPS.length - 2),
    points_left_out: pointsLeftOut,
    is_whole: isWhole,
    streams: channel.streams.map(streamMeasurement),
    course,
  };
}

/** The device, and its kind of network by `[network:PREFIX]`; never its address. */
function deviceFields(details: Device | null) {
  const device = details === null ? null : knownDevice(details);
  return {
    device_make: device?.make ?? null,
    device_model: device?.model ?? null,
    device_firmware: device?.firmware ?? null,
    transport: details?.transport ?? null,
    network: details?.networkKind ?? null,
    country: details?.country ?? null,
    asn: details?.asn ?? null,
  };
}

export function ratingDocument(rating: Rating, { sender, call }: { sender: Sender; call: string }): RatingDocument {
  return {
    schema: SCHEMA_VERSION,
    kind: 'rating',
    ...sender,
    call,
    hour: hourOf(rating.atMs),
    side: rating.side,
    score: rating.score,
    issues: [...rating.issues],
    asked: rating.asked,
    weight: bounded(rating.weight, 0, 1000),
    source: rating.source,
    answers: rating.answers
      .filter(({ question }) => QUESTION.test(question))
      .slice(0, 20)
      .map(({ question, version, answer }) => ({ question, version, answer })),
  };
}

/** The hour of a time: documents have no finer ones. */
export function hourOf(atMs: number): string {
  return `${new Date(Math.floor(atMs / MS_PER_HOUR) * MS_PER_HOUR).toISOString().slice(0, 13)}:00Z`;
}

function streamMeasurement(stream: StreamRecord): StreamMeasurement {
  const { capture } = stream;
  const tally = capture?.media.tally;
  const voip = capture === null ? null : voipMetrics(capture.media.tally, capture.roundTripMs);
  const isKnown = tally !== undefined && isTimed(tally);
  return {
    direction: stream.direction,
    reporter: stream.reporter,
    codec: codecName(stream.codec),
    clock_rate_hz: bounded(stream.clockRateHz, 0, 1_000_000),
    reports: stream.reports,
    packets_expected: counted(stream.packetsExpected),
    packets_lost: stream.packetsLost,
    loss_percent: percent(stream.lossPercent),
    duplicates: counted(stream.duplicates),
    sequence_restarts: counted(stream.sequenceRestarts),
    rtt_ms: ms(stream.rttMs.mean),
    rtt_min_ms: ms(stream.rttMs.min),
    rtt_max_ms: ms(stream.rttMs.max),
    jitter_ms: ms(stream.jitterMs.mean),
    jitter_stdev_ms: ms(stream.jitterMs.stdev),
    jitter_max_ms: ms(stream.jitterMs.max),
    effective_latency_ms: ms(stream.effectiveLatencyMs),
    mes: opinion(stream.mes),
    mos_lq: opinion(stream.mosLq),
    mos_cq: opinion(stream.mosCq),
    verdict: stream.verdict,
    out_of_order: counted(tally?.outOfOrder ?? null),
    discard_percent: ratio(voip?.discardRatio),
    burst_density_percent: ratio(voip?.burstDensityRatio),
    gap_density_percent: ratio(voip?.gapDensityRatio),
    burst_duration_ms: span(voip?.burstDurationMs),
    gap_duration_ms: span(voip?.gapDurationMs),
    fills: isKnown ? counted(tally.fills) : null,
    longest_loss_ms: span(tally?.longestLossMs),
    arrival_histogram: tally === undefined ? null : tally.arrivalCounts.slice(0, MOST_POINTS),
  };
}

/** The technology of `PJSIP/alice`; null unless it is a known one. */
function technologyOf(endpoint: string): string | null {
  const technology = endpoint.split('/', 1)[0]?.toLowerCase() ?? '';
  return TECHNOLOGIES.has(technology) ? technology : null;
}

const TECHNOLOGIES: ReadonlySet<string> = new Set([
  'pjsip',
  'sip',
  'iax2',
  'dahdi',
  'sccp',
  'skinny',
  'websocket',
  'ooh323',
  'motif',
  'unistim',
  'mgcp',
]);

/** Asterisk's names of audio formats. Names from other modules are left out. */
const CODECS: ReadonlySet<string> = new Set(
  'ulaw alaw g722 g723 g726 g726aal2 g729 gsm ilbc speex speex16 speex32 opus silk8 silk12 silk16 silk24 siren7 siren14 g719 codec2 lpc10 adpcm slin slin12 slin16 slin24 slin32 slin44 slin48 slin96 slin192'.split(
    ' ',
  ),
);

function codecName(name: string | null): string | null {
  if (name === null) return null;
  return CODECS.has(name.toLowerCase()) ? name.toLowerCase() : 'other';
}

/** `1.2.3` or `1.2.3-rc1` of a release; null for anything else. */
function versionOf(release: string): string | null {
  return /^\d{1,4}\.\d{1,4}\.\d{1,4}(-(alpha|beta|rc)\.?\d{0,3})?$/.test(release) ? release : null;
}

function step(share: number | null, highest: number): string | null {
  if (share === null || !(share >= 0)) return null;
  return LOAD_STEPS[Math.min(highest, Math.floor(share * 4))] ?? null;
}

function bounded(value: number, lowest: number, highest: number): number {
  return Math.min(highest, Math.max(lowest, value));
}

function decimals(value: number | null | undefined, digits: number, highest: number): number | null {
  return value === null || value === undefined || !Number.isFinite(value)
    ? null
    : Number(bounded(value, 0, highest).toFixed(digits));
}

export function ms(value: number | null): number | null {
  return decimals(value, 1, 600_000);
}

function span(value: number | null | undefined): number | null {
  return decimals(value, 0, 86_400_000);
}

export function opinion(value: number | null): number | null {
  return decimals(value, 2, 4.5);
}

export function percent(value: number | null): number | null {
  return decimals(value, 2, MAX_PERCENT);
}

function ratio(value: number | null | undefined): number | null {
  return decimals(value === null || value === undefined ? null : value * MAX_PERCENT, 2, MAX_PERCENT);
}

function counted(value: number | null): number | null {
  return decimals(value, 0, 1_000_000_000);
}
