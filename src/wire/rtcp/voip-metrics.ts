import type { ArrivalBin, CapturedAudio, VoipMetrics } from '../../model/capture.ts';
import { encodeXrBlocks } from './rtcp-xr.ts';
import { type JsonObject, voipMetricsToJson } from './rtcp-xr-json.ts';
import { type VoipMetricsBlock, ratioToQ8 } from './rtcp-xr-voip.ts';

const MAX_UINT16 = 0xffff;
const MAX_R_FACTOR = 100;
const JITTER_BUFFER_FIXED = 2;
const JITTER_BUFFER_ADAPTIVE = 3;

/** The inputs of a VoIP Metrics block. */
export interface MeasuredVoip {
  readonly ssrc: number;
  readonly voipMetrics: VoipMetrics;
  /** By the E-model; null: not known. */
  readonly score: { readonly rCq: number; readonly mosLq: number; readonly mosCq: number } | null;
  /** Null: the audio was not looked at. */
  readonly audio: CapturedAudio | null;
}

/**
 * A stream's VoIP Metrics block (RFC 3611 §4.7), as its receiver could send it: what nobody can tell here (concealment) is unknown, and of the end system's delay only the packet's time and the simulated buffer are known. The R factor is the conversational one; a wideband R above 100 is 100.
 */
export function voipMetricsBlock({ ssrc, voipMetrics, score, audio }: MeasuredVoip): VoipMetricsBlock {
  return {
    kind: 'voip-metrics',
    ssrc,
    lossRateQ8: ratioToQ8(voipMetrics.lossRatio),
    discardRateQ8: ratioToQ8(voipMetrics.discardRatio ?? 0),
    burstDensityQ8: ratioToQ8(voipMetrics.burstDensityRatio),
    gapDensityQ8: ratioToQ8(voipMetrics.gapDensityRatio),
    burstDurationMs: whole(voipMetrics.burstDurationMs ?? 0),
    gapDurationMs: whole(voipMetrics.gapDurationMs ?? 0),
    roundTripDelayMs: voipMetrics.roundTripDelayMs === null ? null : whole(voipMetrics.roundTripDelayMs),
    endSystemDelayMs: voipMetrics.endSystemDelayMs === null ? null : whole(voipMetrics.endSystemDelayMs),
    signalLevelDbm: wholeOrNull(audio?.levels.signalDbm0),
    noiseLevelDbm: wholeOrNull(audio?.levels.noiseDbm0),
    rerlDb: wholeOrNull(audio?.echo?.returnLossDb),
    gmin: voipMetrics.gmin,
    rFactor: score === null ? null : Math.round(shownR(score.rCq)),
    extRFactor: null,
    mosLq: score === null ? null : tenths(score.mosLq),
    mosCq: score === null ? null : tenths(score.mosCq),
    plc: null,
    jba: voipMetrics.isJitterBufferAdaptive ? JITTER_BUFFER_ADAPTIVE : JITTER_BUFFER_FIXED,
    jbRate: null,
    jbNominalMs: whole(voipMetrics.jbNominalMs),
    jbMaximumMs: whole(voipMetrics.jbMaximumMs),
    jbAbsMaxMs: whole(voipMetrics.jbAbsMaxMs),
  };
}

export type HistogramBar = {
  readonly from_ms: number;
  readonly to_ms: number | null;
  readonly count: number;
};

/** The bytes of that block in hexadecimal digits, as `asterisk-mes xr decode` takes them. */
export function voipMetricsHex(measured: MeasuredVoip): string {
  const bytes = encodeXrBlocks([voipMetricsBlock(measured)]);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The block as JSON, with exact ratios and durations in place of its rounded ones. */
export function exactVoipMetrics(measured: MeasuredVoip): JsonObject {
  const { voipMetrics: exact, audio } = measured;
  const orNull = (value: number | null): number | null => (value === null ? null : rounded(value));
  return {
    ...voipMetricsToJson(voipMetricsBlock(measured)),
    loss_rate: rounded(exact.lossRatio, 6),
    discard_rate: exact.discardRatio === null ? null : rounded(exact.discardRatio, 6),
    burst_density: rounded(exact.burstDensityRatio, 6),
    gap_density: rounded(exact.gapDensityRatio, 6),
    burst_duration_ms: orNull(exact.burstDurationMs),
    gap_duration_ms: orNull(exact.gapDurationMs),
    round_trip_delay_ms: orNull(exact.roundTripDelayMs),
    end_system_delay_ms: orNull(exact.endSystemDelayMs),
    burst_r: orNull(exact.burstR),
    signal_level_dbm: tenthOrNull(audio?.levels.signalDbm0),
    noise_level_dbm: tenthOrNull(audio?.levels.noiseDbm0),
    rerl_db: tenthOrNull(audio?.echo?.returnLossDb),
  };
}

export function arrivalHistogramToJson(bins: readonly ArrivalBin[]): HistogramBar[] {
  return bins.map(({ fromMs, toMs, count }) => ({
    from_ms: rounded(fromMs),
    to_ms: toMs === null ? null : rounded(toMs),
    count,
  }));
}

/** The findings in the audio itself. */
export function audioToJson(audio: CapturedAudio): {
  readonly looked_at_ms: number;
  readonly talk_ms: number;
  readonly pauses: number;
  readonly pause_ms_mean: number | null;
  readonly clipped_percent: number;
  readonly echo_delay_ms: number | null;
} {
  const { levels, echo } = audio;
  return {
    looked_at_ms: Math.round(levels.audioMs),
    talk_ms: Math.round(levels.talkMs),
    pauses: levels.pauses,
    pause_ms_mean: levels.meanPauseMs === null ? null : rounded(levels.meanPauseMs),
    clipped_percent: rounded(levels.clippedPercent),
    echo_delay_ms: echo === null ? null : rounded(echo.delayMs),
  };
}

/** As the JSON of captures shows numbers: three decimals unless told. */
export function rounded(value: number, decimals = 3): number {
  return Number(value.toFixed(decimals));
}

/** R as it is shown: within 0-100, the seed's "final range". */
export function shownR(r: number): number {
  return Math.min(MAX_R_FACTOR, Math.max(0, r));
}

function wholeOrNull(value: number | null | undefined): number | null {
  return typeof value === 'number' ? Math.round(value) : null;
}

function tenthOrNull(value: number | null | undefined): number | null {
  return typeof value === 'number' ? rounded(value, 1) : null;
}

function whole(ms: number): number {
  return Math.min(MAX_UINT16, Math.max(0, Math.round(ms)));
}

function tenths(mos: number): number {
  return Math.round(mos * 10) / 10;
}
