import { type VoipMetricsBlock, ratioToQ8 } from '../wire/rtcp-xr-voip.ts';
import type { StreamSummary } from './stream-summary.ts';

const MAX_UINT16 = 0xffff;
const MAX_R_FACTOR = 100;
const JITTER_BUFFER_FIXED = 2;
const JITTER_BUFFER_ADAPTIVE = 3;

/**
 * A stream's VoIP Metrics block (RFC 3611 §4.7), as its receiver could send it: what packets cannot tell (levels, echo, the
 * end systems' delay, concealment) is unknown. The R factor is the conversational one; a wideband R above 100 is 100.
 */
export function voipMetricsBlock({ ssrc, voipMetrics, score }: StreamSummary): VoipMetricsBlock {
  return {
    kind: 'voip-metrics',
    ssrc,
    lossRateQ8: ratioToQ8(voipMetrics.lossRatio),
    discardRateQ8: ratioToQ8(voipMetrics.discardRatio),
    burstDensityQ8: ratioToQ8(voipMetrics.burstDensityRatio),
    gapDensityQ8: ratioToQ8(voipMetrics.gapDensityRatio),
    burstDurationMs: whole(voipMetrics.burstDurationMs ?? 0),
    gapDurationMs: whole(voipMetrics.gapDurationMs ?? 0),
    roundTripDelayMs: voipMetrics.roundTripDelayMs === null ? null : whole(voipMetrics.roundTripDelayMs),
    endSystemDelayMs: null,
    signalLevelDbm: null,
    noiseLevelDbm: null,
    rerlDb: null,
    gmin: voipMetrics.gmin,
    rFactor: score === null ? null : Math.round(Math.min(MAX_R_FACTOR, Math.max(0, score.rCq))),
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

function whole(ms: number): number {
  return Math.min(MAX_UINT16, Math.max(0, Math.round(ms)));
}

function tenths(mos: number): number {
  return Math.round(mos * 10) / 10;
}
