import type { PhoneMetrics, PhoneReport } from '../../model/phones/phone-report.ts';
import { withoutEmptyZeros } from '../vq-report/empty-zeros.ts';
import { type VoipMetricsBlock, q8ToRatio } from './rtcp-xr-voip.ts';

const PERCENT = 100;

/** Where and over which time a receiver measured what its VoIP Metrics block says (RFC 3611 §4.7: from the beginning of the stream). */
export interface XrMeasurement {
  /** Epoch milliseconds. */
  readonly startAtMs: number;
  readonly stopAtMs: number;
  readonly payloadType: number;
  readonly codec: string | null;
}

/** Turns what a phone reports in RTCP XR about the audio it received into a report like those of RFC 6035. */
export function xrPhoneReport(block: VoipMetricsBlock, measured: XrMeasurement): PhoneReport {
  return {
    kind: 'xr',
    callId: null,
    localId: null,
    remoteId: null,
    local: { address: null, port: null, ssrc: null },
    remote: { address: null, port: null, ssrc: block.ssrc },
    localMetrics: withoutEmptyZeros(metricsOf(block, measured), false),
    remoteMetrics: null,
    alert: null,
  };
}

function metricsOf(block: VoipMetricsBlock, { startAtMs, stopAtMs, payloadType, codec }: XrMeasurement): PhoneMetrics {
  const percent = (q8: number): number => q8ToRatio(q8) * PERCENT;
  return {
    startAtMs,
    stopAtMs,
    payloadType,
    codec,
    clockRateHz: null,
    frameDurationMs: null,
    framesPerPacket: null,
    packetsPerS: null,
    plc: block.plc,
    jba: block.jba,
    jbRate: block.jbRate,
    jbNominalMs: block.jbNominalMs,
    jbMaximumMs: block.jbMaximumMs,
    jbAbsMaxMs: block.jbAbsMaxMs,
    networkLossPercent: percent(block.lossRateQ8),
    discardPercent: percent(block.discardRateQ8),
    burstLossPercent: percent(block.burstDensityQ8),
    burstDurationMs: block.burstDurationMs,
    gapLossPercent: percent(block.gapDensityQ8),
    gapDurationMs: block.gapDurationMs,
    gmin: block.gmin,
    roundTripDelayMs: block.roundTripDelayMs,
    endSystemDelayMs: block.endSystemDelayMs,
    oneWayDelayMs: null,
    interarrivalJitterMs: null,
    meanAbsoluteJitterMs: null,
    signalLevelDbm: block.signalLevelDbm,
    noiseLevelDbm: block.noiseLevelDbm,
    rerlDb: block.rerlDb,
    rLq: null,
    rCq: block.rFactor,
    extRIn: block.extRFactor,
    extROut: null,
    mosLq: block.mosLq,
    mosCq: block.mosCq,
  };
}
