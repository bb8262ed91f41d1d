import { type EModelScore, computeEModel } from '../score/e-model.ts';
import { type ArrivalBin, arrivalBins } from '../stats/arrival-histogram.ts';
import { burstRatio } from '../stats/burst-gap.ts';
import type { PacketStream } from '../stats/packet-stream.ts';
import type { FrameCounts } from '../stats/playout-frames.ts';
import type { XrBlock } from '../wire/rtcp-xr.ts';
import type { ClockSource, TrackedStream } from './tracked-stream.ts';

/** Fewer received packets than this say nothing of quality (seed 002). */
const MIN_PACKETS_FOR_SCORE = 5;

/** RFC 3611's VoIP metrics with exact values; null is unknown. */
export interface VoipMetrics {
  readonly lossRatio: number;
  readonly discardRatio: number;
  readonly burstDensityRatio: number;
  readonly gapDensityRatio: number;
  /** Null while it is not known how long a packet lasts. */
  readonly burstDurationMs: number | null;
  readonly gapDurationMs: number | null;
  readonly roundTripDelayMs: number | null;
  /** Of the E-model: 1 for random loss, more for bursts; null without loss. */
  readonly burstR: number | null;
  readonly gmin: number;
  readonly jbNominalMs: number;
  readonly jbMaximumMs: number;
  readonly jbAbsMaxMs: number;
  readonly isJitterBufferAdaptive: boolean;
}

/** All that a capture tells of one stream. */
export interface StreamSummary {
  readonly ssrc: number;
  /** `address:port` */
  readonly source: string;
  readonly destination: string;
  readonly payloadType: number;
  readonly codec: string | null;
  readonly clockRateHz: number;
  readonly clockRateSource: ClockSource;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** Each sequence number once. */
  readonly packetsReceived: number;
  readonly packetsExpected: number;
  readonly packetsLost: number;
  readonly duplicates: number;
  readonly outOfOrder: number;
  readonly jitterMeanMs: number;
  readonly jitterMaxMs: number;
  readonly maxGapMs: number;
  readonly voipMetrics: VoipMetrics;
  readonly discarded: number;
  readonly frames10ms: FrameCounts;
  readonly fills: number;
  readonly arrivalHistogram: readonly ArrivalBin[];
  /** Null with too few packets, and for a codec without impairment factors. */
  readonly score: EModelScore | null;
  readonly senderReports: number;
  readonly receiverReports: number;
  /** The latest extended report blocks about this stream. */
  readonly xrBlocks: readonly XrBlock[];
}

/** The summaries of some streams, in their order; the way back of each is looked for in `among`. */
export function summariseStreams(
  streams: Iterable<TrackedStream>,
  among: Iterable<TrackedStream> = streams,
): StreamSummary[] {
  const loops = new Map<string, number>();
  for (const stream of among) {
    const loopMs = stream.rtcp?.loopMs;
    if (loopMs !== undefined) loops.set(`${stream.source} ${stream.destination}`, loopMs);
  }
  return Array.from(streams).flatMap((stream) => {
    const there = loops.get(`${stream.source} ${stream.destination}`);
    const back = loops.get(`${stream.destination} ${stream.source}`);
    // From here to one end and back, and from here to the other end and back: together the whole way.
    const roundTripMs = there === undefined || back === undefined ? undefined : there + back;
    const { packets } = stream;
    return packets === undefined ? [] : [summarise(stream, packets, roundTripMs)];
  });
}

function summarise(stream: TrackedStream, packets: PacketStream, roundTripMs: number | undefined): StreamSummary {
  const { format } = stream;
  const codec = format?.codec ?? null;
  return {
    ssrc: stream.ssrc,
    source: stream.source,
    destination: stream.destination,
    payloadType: stream.payloadType,
    codec,
    clockRateHz: packets.clockRateHz,
    clockRateSource: format?.clockRateSource ?? 'assumed',
    firstAtMs: packets.firstAtMs,
    lastAtMs: packets.lastAtMs,
    packetsReceived: packets.received,
    packetsExpected: packets.expected,
    packetsLost: packets.lost,
    duplicates: packets.duplicates,
    outOfOrder: packets.outOfOrder,
    jitterMeanMs: packets.jitterMeanMs,
    jitterMaxMs: packets.jitterMaxMs,
    maxGapMs: packets.maxGapMs,
    voipMetrics: voipMetricsOf(packets, roundTripMs),
    discarded: packets.jitterBuffer.discarded,
    frames10ms: packets.frames.counts(packets.jitterBuffer.insertedFrames, packets.jitterBuffer.droppedFrames),
    fills: packets.frames.fills + packets.jitterBuffer.insertedFrames,
    arrivalHistogram: arrivalBins(packets.arrivalCounts),
    score: scoreOf(codec, packets, roundTripMs),
    senderReports: stream.rtcp?.senderReports ?? 0,
    receiverReports: stream.rtcp?.receiverReports ?? 0,
    xrBlocks: stream.rtcp?.xrBlocks ?? [],
  };
}

function voipMetricsOf(packets: PacketStream, roundTripMs: number | undefined): VoipMetrics {
  const totals = packets.burstGap.totals();
  const { packetMs, expected, jitterBuffer } = packets;
  const meanMs = (total: number, count: number): number | null =>
    count === 0 ? 0 : packetMs === undefined ? null : (total / count) * packetMs;
  return {
    lossRatio: ratio(packets.lost, expected),
    discardRatio: ratio(jitterBuffer.discarded, expected),
    burstDensityRatio: ratio(totals.burstLosses, totals.burstPackets),
    gapDensityRatio: ratio(totals.gapLosses, totals.gapPackets),
    burstDurationMs: meanMs(totals.burstPackets, totals.bursts),
    gapDurationMs: meanMs(totals.gapPackets, totals.gaps),
    roundTripDelayMs: roundTripMs ?? null,
    burstR: burstRatio(totals) ?? null,
    gmin: packets.burstGap.gmin,
    jbNominalMs: jitterBuffer.nominalMs,
    jbMaximumMs: jitterBuffer.maximumMs,
    jbAbsMaxMs: jitterBuffer.absoluteMaximumMs,
    isJitterBufferAdaptive: jitterBuffer.isAdaptive,
  };
}

/** What is discarded is lost to the listener (RFC 3611 §4.7.1). */
function scoreOf(codec: string | null, packets: PacketStream, roundTripMs: number | undefined): EModelScore | null {
  if (codec === null || packets.received < MIN_PACKETS_FOR_SCORE) return null;
  const lossPercent = 100 * ratio(packets.lost + packets.jitterBuffer.discarded, packets.expected);
  const burstR = burstRatio(packets.burstGap.totals());
  return computeEModel({ codec, lossPercent, burstR, rttMs: roundTripMs }) ?? null;
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
