import type { ArrivalBin, FrameCounts, PacketTally, VoipMetrics } from '../model/capture.ts';
import { type EModelScore, computeEModel } from '../score/e-model.ts';
import { arrivalBins } from '../stats/arrival-histogram.ts';
import { burstRatio } from '../stats/burst-gap.ts';
import { meanJitterMs, packetTally, unheardPercent, voipMetrics } from '../stats/packet-tally.ts';
import type { XrBlock } from '../wire/rtcp-xr-blocks.ts';
import type { ClockSource, TrackedStream } from './tracked-stream.ts';

/** Fewer received packets than this say nothing of quality (README, The score). */
const MIN_PACKETS_FOR_SCORE = 5;

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

/** The summaries of streams, in their order, one at a time: of many they take more memory than the streams do. */
export function* eachSummary(streams: Iterable<TrackedStream>): Generator<StreamSummary> {
  const loops = new Map<string, number>();
  for (const stream of streams) {
    const loopMs = stream.rtcp?.loopMs;
    if (loopMs !== undefined) loops.set(`${stream.source} ${stream.destination}`, loopMs);
  }
  for (const stream of streams) {
    const there = loops.get(`${stream.source} ${stream.destination}`);
    const back = loops.get(`${stream.destination} ${stream.source}`);
    // From here to one end and back, and from here to the other end and back: together the whole way.
    const roundTripMs = there === undefined || back === undefined ? undefined : there + back;
    const { packets } = stream;
    if (packets !== undefined) yield summarise(stream, packetTally(packets), packets.clockRateHz, roundTripMs);
  }
}

function summarise(
  stream: TrackedStream,
  tally: PacketTally,
  clockRateHz: number,
  roundTripMs: number | undefined,
): StreamSummary {
  const { format } = stream;
  const codec = format?.codec ?? null;
  return {
    ssrc: stream.ssrc,
    source: stream.source,
    destination: stream.destination,
    payloadType: stream.payloadType,
    codec,
    clockRateHz,
    clockRateSource: format?.clockRateSource ?? 'assumed',
    firstAtMs: tally.firstAtMs,
    lastAtMs: tally.lastAtMs,
    packetsReceived: tally.packetsReceived,
    packetsExpected: tally.packetsExpected,
    packetsLost: tally.packetsExpected - tally.packetsReceived,
    duplicates: tally.duplicates,
    outOfOrder: tally.outOfOrder,
    jitterMeanMs: meanJitterMs(tally),
    jitterMaxMs: tally.jitterMaxMs,
    maxGapMs: tally.maxGapMs,
    voipMetrics: voipMetrics(tally, roundTripMs ?? null),
    discarded: tally.discarded,
    frames10ms: tally.frames10ms,
    fills: tally.fills,
    arrivalHistogram: arrivalBins(tally.arrivalCounts),
    score: scoreOf(codec, tally, roundTripMs),
    senderReports: stream.rtcp?.senderReports ?? 0,
    receiverReports: stream.rtcp?.receiverReports ?? 0,
    xrBlocks: stream.rtcp?.xrBlocks ?? [],
  };
}

function scoreOf(codec: string | null, tally: PacketTally, roundTripMs: number | undefined): EModelScore | null {
  const lossPercent = unheardPercent(tally);
  if (codec === null || lossPercent === null || tally.packetsReceived < MIN_PACKETS_FOR_SCORE) return null;
  return computeEModel({ codec, lossPercent, burstR: burstRatio(tally.burstGap), rttMs: roundTripMs }) ?? null;
}
