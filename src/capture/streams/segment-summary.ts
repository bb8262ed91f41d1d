import type { PacketTally } from '../../model/capture.ts';
import { codecImpairment } from '../../score/codec-impairment.ts';
import { type EModelScore, computeEModel } from '../../score/e-model.ts';
import { burstRatio } from '../../stats/packets/burst-gap.ts';
import { isTimed, unheardPercent } from '../../stats/packets/packet-tally.ts';
import type { StreamFormat } from './stream-format.ts';
import type { StreamSegment } from './stream-segments.ts';

/** Fewer received packets tell nothing about quality (formulas §3). */
const MIN_PACKETS_FOR_SCORE = 5;

/** A stretch of a stream with one payload type. */
export interface SegmentSummary {
  readonly payloadType: number;
  readonly format: StreamFormat;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly packetsReceived: number;
  readonly packetsExpected: number;
  /** Null, like the discards: the RTP clock is only a guess. */
  readonly jitterMeanMs: number | null;
  readonly jitterMaxMs: number | null;
  readonly discarded: number | null;
}

/** Stretches of a few packets tell nothing, and are left out if there is a longer one. */
export function segmentSummaries(segments: readonly StreamSegment[]): SegmentSummary[] {
  const telling = segments.filter(({ packetsReceived }) => packetsReceived >= MIN_PACKETS_FOR_SCORE);
  return (telling.length > 0 ? telling : segments).map((segment) => {
    const { format, jitterSumMs, jitterSamples } = segment;
    const isKnown = format.clockRateSource !== 'assumed';
    return {
      payloadType: segment.payloadType,
      format,
      firstAtMs: segment.firstAtMs,
      lastAtMs: segment.lastAtMs,
      packetsReceived: segment.packetsReceived,
      packetsExpected: segment.packetsExpected,
      jitterMeanMs: isKnown && jitterSamples > 0 ? jitterSumMs / jitterSamples : null,
      jitterMaxMs: isKnown && jitterSamples > 0 ? segment.jitterMaxMs : null,
      discarded: isKnown ? segment.discarded : null,
    };
  });
}

/**
 * The E-model's quality of a stream: that of its codec, or the mean of its stretches, each by its own codec and loss, weighted by
 * packets. Null: too few packets, a codec without impairment factors, or nobody knows what came too late.
 */
export function scoreOf(
  segments: readonly SegmentSummary[],
  tally: PacketTally,
  roundTripMs: number | undefined,
): EModelScore | null {
  const lossPercent = unheardPercent(tally);
  if (lossPercent === null || !isTimed(tally) || tally.packetsReceived < MIN_PACKETS_FOR_SCORE) return null;
  const burstR = burstRatio(tally.burstGap);
  const packets = segments.reduce((sum, { packetsExpected }) => sum + packetsExpected, 0);
  const sum = { rLq: 0, rCq: 0, mosLq: 0, mosCq: 0 };
  for (const segment of segments) {
    const codec = segment.format.codec === null ? undefined : codecImpairment(segment.format.codec);
    if (codec === undefined) return null;
    const own = segments.length === 1 ? lossPercent : unheardOf(segment);
    const score = computeEModel({ codec, lossPercent: own, burstR, rttMs: roundTripMs });
    const weight = segment.packetsExpected / packets;
    sum.rLq += score.rLq * weight;
    sum.rCq += score.rCq * weight;
    sum.mosLq += score.mosLq * weight;
    sum.mosCq += score.mosCq * weight;
  }
  return segments.length === 0 ? null : sum;
}

function unheardOf({ packetsExpected, packetsReceived, discarded }: SegmentSummary): number {
  return (100 * (packetsExpected - packetsReceived + (discarded ?? 0))) / packetsExpected;
}
