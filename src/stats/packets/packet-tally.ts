import type { BurstGapTotals, BurstSpan, PacketTally, VoipMetrics } from '../../model/capture.ts';
import { burstRatio } from './burst-gap.ts';
import { BurstLog } from './burst-log.ts';
import type { PacketStream } from './packet-stream.ts';

/** The sums over a stream's packets, as if it ended here. */
export function packetTally(packets: PacketStream): PacketTally {
  const { arrival, jitterBuffer, packetMs } = packets;
  const { burstGap, frames } = packets.ifEndedNow();
  const totals = burstGap.totals();
  const { burstMs, gapMs } = burstGap.durations(packetMs);
  return {
    firstAtMs: arrival.firstAtMs,
    lastAtMs: arrival.lastAtMs,
    packetsReceived: packets.received,
    packetsExpected: packets.expected,
    duplicates: packets.duplicates,
    outOfOrder: packets.outOfOrder,
    jitterSumMs: arrival.jitterSumMs,
    jitterSamples: arrival.jitterSamples,
    jitterMaxMs: arrival.jitterMaxMs,
    untimedPackets: arrival.untimed,
    maxGapMs: arrival.maxGapMs,
    arrivalCounts: [...arrival.counts],
    burstGap: totals,
    burstMs,
    gapMs,
    longestLossMs: totals.longestLossRun * packetMs,
    packetMs,
    burstSpans: burstGap.spans(),
    burstSpansLeftOut: burstGap.spansLeftOut,
    discarded: jitterBuffer.discarded,
    frames10ms: frames.counts(jitterBuffer.insertedFrames, jitterBuffer.droppedFrames),
    fills: frames.fills + jitterBuffer.insertedFrames,
    gmin: burstGap.gmin,
    jbNominalMs: jitterBuffer.nominalMs,
    jbMaximumMs: jitterBuffer.maximumMs,
    jbAbsMaxMs: jitterBuffer.absoluteMaximumMs,
    isJitterBufferAdaptive: jitterBuffer.isAdaptive,
  };
}

/** Adds two streams of one direction. The jitter buffer's sizes are those of the stream that ended later. */
export function addTallies(one: PacketTally, other: PacketTally): PacketTally {
  const later = other.lastAtMs >= one.lastAtMs ? other : one;
  const log = new BurstLog();
  for (const span of [...one.burstSpans, ...other.burstSpans].toSorted(byTime)) log.add(span);
  return {
    firstAtMs: Math.min(one.firstAtMs, other.firstAtMs),
    lastAtMs: later.lastAtMs,
    packetsReceived: one.packetsReceived + other.packetsReceived,
    packetsExpected: one.packetsExpected + other.packetsExpected,
    duplicates: one.duplicates + other.duplicates,
    outOfOrder: one.outOfOrder + other.outOfOrder,
    jitterSumMs: one.jitterSumMs + other.jitterSumMs,
    jitterSamples: one.jitterSamples + other.jitterSamples,
    jitterMaxMs: Math.max(one.jitterMaxMs, other.jitterMaxMs),
    untimedPackets: (one.untimedPackets ?? 0) + (other.untimedPackets ?? 0),
    maxGapMs: Math.max(one.maxGapMs, other.maxGapMs),
    arrivalCounts: one.arrivalCounts.map((count, bin) => count + (other.arrivalCounts[bin] ?? 0)),
    burstGap: addBurstGaps(one.burstGap, other.burstGap),
    burstMs: sumOfKnown(one.burstMs, other.burstMs),
    gapMs: sumOfKnown(one.gapMs, other.gapMs),
    longestLossMs:
      one.longestLossMs === null || other.longestLossMs === null
        ? null
        : Math.max(one.longestLossMs, other.longestLossMs),
    ...(later.packetMs === undefined ? {} : { packetMs: later.packetMs }),
    burstSpans: log.spans,
    burstSpansLeftOut: one.burstSpansLeftOut + other.burstSpansLeftOut + log.leftOut,
    discarded: one.discarded + other.discarded,
    frames10ms: {
      normal: one.frames10ms.normal + other.frames10ms.normal,
      plc: one.frames10ms.plc + other.frames10ms.plc,
      cng: one.frames10ms.cng + other.frames10ms.cng,
      silence: one.frames10ms.silence + other.frames10ms.silence,
    },
    fills: one.fills + other.fills,
    gmin: later.gmin,
    jbNominalMs: later.jbNominalMs,
    jbMaximumMs: later.jbMaximumMs,
    jbAbsMaxMs: later.jbAbsMaxMs,
    isJitterBufferAdaptive: later.isJitterBufferAdaptive,
  };
}

/** The metrics of RFC 3611; `roundTripMs` null: not known. */
export function voipMetrics(tally: PacketTally, roundTripMs: number | null): VoipMetrics {
  const { burstGap, burstMs, gapMs, packetsExpected, packetsReceived, discarded } = tally;
  const meanMs = (totalMs: number | null, count: number): number | null =>
    totalMs === null ? null : ratio(totalMs, count);
  return {
    lossRatio: ratio(packetsExpected - packetsReceived, packetsExpected),
    discardRatio: isTimed(tally) ? ratio(discarded, packetsExpected) : null,
    burstDensityRatio: ratio(burstGap.burstLosses, burstGap.burstPackets),
    gapDensityRatio: ratio(burstGap.gapLosses, burstGap.gapPackets),
    burstDurationMs: meanMs(burstMs, burstGap.bursts),
    gapDurationMs: meanMs(gapMs, burstGap.gaps),
    roundTripDelayMs: roundTripMs,
    endSystemDelayMs: tally.packetMs === undefined || !isTimed(tally) ? null : tally.packetMs + tally.jbNominalMs,
    burstR: burstRatio(burstGap) ?? null,
    gmin: tally.gmin,
    jbNominalMs: tally.jbNominalMs,
    jbMaximumMs: tally.jbMaximumMs,
    jbAbsMaxMs: tally.jbAbsMaxMs,
    isJitterBufferAdaptive: tally.isJitterBufferAdaptive,
  };
}

/** Whether the RTP clock's rate was known. Without it there is no jitter and no simulated jitter buffer. */
export function isTimed({ untimedPackets = 0 }: PacketTally): boolean {
  return untimedPackets === 0;
}

/**
 * The percentage of packets that the listener did not hear: discarded packets count as lost (RFC 3611 §4.7.1). Null: there were
 * no packets, or nobody knows which came too late.
 */
export function unheardPercent(tally: PacketTally): number | null {
  const { packetsExpected, packetsReceived, discarded } = tally;
  if (packetsExpected === 0 || !isTimed(tally)) return null;
  return (100 * (packetsExpected - packetsReceived + discarded)) / packetsExpected;
}

/** Mean of the jitter after each packet, ms; null: before the second packet, and where the RTP clock's rate is not known. */
export function meanJitterMs(tally: PacketTally): number | null {
  return hasJitter(tally) ? tally.jitterSumMs / tally.jitterSamples : null;
}

/** Maximum of the jitter, ms; null under the same conditions. */
export function maxJitterMs(tally: PacketTally): number | null {
  return hasJitter(tally) ? tally.jitterMaxMs : null;
}

function hasJitter(tally: PacketTally): boolean {
  return isTimed(tally) && tally.jitterSamples > 0;
}

function addBurstGaps(one: BurstGapTotals, other: BurstGapTotals): BurstGapTotals {
  return {
    bursts: one.bursts + other.bursts,
    burstPackets: one.burstPackets + other.burstPackets,
    burstLosses: one.burstLosses + other.burstLosses,
    gaps: one.gaps + other.gaps,
    gapPackets: one.gapPackets + other.gapPackets,
    gapLosses: one.gapLosses + other.gapLosses,
    lossRuns: one.lossRuns + other.lossRuns,
    longestLossRun: Math.max(one.longestLossRun, other.longestLossRun),
  };
}

function sumOfKnown(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : one + other;
}

function byTime(one: BurstSpan, other: BurstSpan): number {
  return one.fromMs - other.fromMs;
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
