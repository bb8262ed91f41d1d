import type { ArrivalBin, CapturedAudio, FrameCounts, PacketTally, VoipMetrics } from '../../model/capture.ts';
import type { EModelScore } from '../../score/e-model.ts';
import { arrivalBins } from '../../stats/packets/arrival-histogram.ts';
import { isTimed, maxJitterMs, meanJitterMs, packetTally, voipMetrics } from '../../stats/packets/packet-tally.ts';
import { ASSUMED_CLOCK_RATE_HZ } from '../../units/rtp.ts';
import type { XrBlock } from '../../wire/rtcp/rtcp-xr-blocks.ts';
import type { CallAudio } from '../audio/call-audio.ts';
import type { ClockSource, StreamFormat } from './stream-format.ts';
import { scoreOf, segmentSummaries, type SegmentSummary } from './segment-summary.ts';
import type { TrackedStream } from './tracked-stream.ts';

/** Everything that a capture tells about one stream. */
export interface StreamSummary {
  readonly ssrc: number;
  /** `address:port` */
  readonly source: string;
  readonly destination: string;
  readonly payloadType: number;
  readonly codec: string | null;
  readonly clockRateHz: number;
  readonly clockRateSource: ClockSource;
  /** One sentence if the clock rate is not the codec's, or is not known; otherwise null. */
  readonly clockNote: string | null;
  /** Stretches with one payload type each, in their order. The longest one names the stream's codec. */
  readonly segments: readonly SegmentSummary[];
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** Each sequence number once. */
  readonly packetsReceived: number;
  readonly packetsExpected: number;
  readonly packetsLost: number;
  readonly duplicates: number;
  readonly outOfOrder: number;
  /** Null: before the second packet, and, like the jitter buffer's results, while the RTP clock rate is only a guess. */
  readonly jitterMeanMs: number | null;
  readonly jitterMaxMs: number | null;
  readonly maxGapMs: number;
  readonly voipMetrics: VoipMetrics;
  readonly discarded: number | null;
  readonly frames10ms: FrameCounts | null;
  readonly fills: number | null;
  readonly arrivalHistogram: readonly ArrivalBin[];
  /** Null: the audio was not examined, or cannot be read. */
  readonly audio: CapturedAudio | null;
  /** Null: too few packets, or a codec without impairment factors. */
  readonly score: EModelScore | null;
  readonly senderReports: number;
  readonly receiverReports: number;
  /** The latest extended report blocks about this stream. */
  readonly xrBlocks: readonly XrBlock[];
}

/** The summaries of streams in their order, one at a time: many summaries take more memory than the streams do. */
export function* eachSummary(
  streams: Iterable<TrackedStream>,
  callAudio: CallAudio | undefined,
): Generator<StreamSummary> {
  const loops = new Map<string, number>();
  for (const stream of streams) {
    const loopMs = stream.rtcp?.loopMs;
    if (loopMs !== undefined) loops.set(`${stream.source} ${stream.destination}`, loopMs);
  }
  for (const stream of streams) {
    const there = loops.get(`${stream.source} ${stream.destination}`);
    const back = loops.get(`${stream.destination} ${stream.source}`);
    // From the point of capture to each end and back: together the whole round trip.
    const roundTripMs = there === undefined || back === undefined ? undefined : there + back;
    const { packets, meter } = stream;
    if (packets === undefined || meter === undefined || packets.received === 0) continue;
    yield summarise(stream, packetTally(packets), segmentSummaries(meter.allSegments()), roundTripMs, callAudio);
  }
}

function summarise(
  stream: TrackedStream,
  tally: PacketTally,
  segments: readonly SegmentSummary[],
  roundTripMs: number | undefined,
  callAudio: CallAudio | undefined,
): StreamSummary {
  const main = longest(segments);
  const isKnown = isTimed(tally);
  const format: StreamFormat | undefined = main?.format ?? stream.format;
  return {
    ssrc: stream.ssrc,
    source: stream.source,
    destination: stream.destination,
    payloadType: main?.payloadType ?? stream.payloadType,
    codec: format?.codec ?? null,
    clockRateHz: format?.clockRateHz ?? ASSUMED_CLOCK_RATE_HZ,
    clockRateSource: format?.clockRateSource ?? 'assumed',
    clockNote: clockNote(segments),
    segments,
    firstAtMs: tally.firstAtMs,
    lastAtMs: tally.lastAtMs,
    packetsReceived: tally.packetsReceived,
    packetsExpected: tally.packetsExpected,
    packetsLost: tally.packetsExpected - tally.packetsReceived,
    duplicates: tally.duplicates,
    outOfOrder: tally.outOfOrder,
    jitterMeanMs: meanJitterMs(tally),
    jitterMaxMs: maxJitterMs(tally),
    maxGapMs: tally.maxGapMs,
    voipMetrics: voipMetrics(tally, roundTripMs ?? null),
    discarded: isKnown ? tally.discarded : null,
    frames10ms: isKnown ? tally.frames10ms : null,
    fills: isKnown ? tally.fills : null,
    arrivalHistogram: arrivalBins(tally.arrivalCounts),
    audio: callAudio?.audioOf(stream) ?? null,
    score: scoreOf(segments, tally, roundTripMs),
    senderReports: stream.rtcp?.senderReports ?? 0,
    receiverReports: stream.rtcp?.receiverReports ?? 0,
    xrBlocks: stream.rtcp?.xrBlocks ?? [],
  };
}

/** The longest stretch; of two equally long ones the later. */
function longest(segments: readonly SegmentSummary[]): SegmentSummary | undefined {
  return segments.reduce<SegmentSummary | undefined>(
    (best, segment) => (best !== undefined && best.packetsReceived > segment.packetsReceived ? best : segment),
    undefined,
  );
}

function clockNote(segments: readonly SegmentSummary[]): string | null {
  const notes = segments.flatMap(({ payloadType, format }) => {
    const { codec, clockRateHz, clockRateSource, signalledClockRateHz: ownHz } = format;
    if (clockRateSource === 'assumed') {
      return [
        `The RTP clock of payload type ${payloadType} is not known, so there is no jitter, no jitter buffer and no score.`,
      ];
    }
    if (ownHz === undefined) return [];
    return [
      `The sender's RTP clock runs at ${clockRateHz} Hz, which is not that of ${codec ?? 'its codec'} (${ownHz} Hz); ` +
        'jitter is by the clock that the packets show.',
    ];
  });
  return notes.length === 0 ? null : [...new Set(notes)].join(' ');
}
