import type { AnalysisResult } from '../../capture/capture-analysis.ts';
import { type EndpointTotals, endpointTotals } from '../../capture/endpoint-totals.ts';
import type { SegmentSummary } from '../../capture/streams/segment-summary.ts';
import type { StreamSummary } from '../../capture/streams/stream-summary.ts';
import { audioFindings } from '../../stats/audio/audio-findings.ts';
import { type JsonObject, formatSsrc, xrBlockToJson } from '../../wire/rtcp/rtcp-xr-json.ts';
import {
  arrivalHistogramToJson,
  audioToJson,
  exactVoipMetrics,
  rounded,
  shownR,
} from '../../wire/rtcp/voip-metrics.ts';

/** What `analyze --json` prints (README, Captures), a part for each stream: with many it never exists as a whole. */
export function* analysisToJson(result: AnalysisResult): Generator<string> {
  yield '{';
  yield* list('streams', result.eachStream(), streamToJson);
  const rest = {
    packets: result.packets,
    skipped: result.skippedPackets,
    skipped_by_reason: {
      not_udp: result.skipped.notUdp,
      not_media: result.skipped.notMedia,
      fragments: result.skipped.fragments,
      cut_short: result.skipped.cutShort,
      unknown_link: result.skipped.unknownLink,
      rtcp_encrypted: result.skipped.rtcpEncrypted,
      rtcp_malformed: result.skipped.rtcpMalformed,
      unread: result.skipped.unread,
    },
    unread: [...result.unread].map(([inside, packets]) => ({ inside, packets })),
    unknown_links: [...result.unknownLinks].map(([type, packets]) => ({ type: type < 0 ? null : type, packets })),
    rtcp: {
      packets: result.rtcp.packets,
      duplicates: result.rtcp.duplicates,
      unmatched_reports: result.rtcp.unmatchedReports,
      other_xr_blocks: result.rtcp.otherXrBlocks.map(xrBlockToJson),
    },
    sip_messages: result.sipMessages,
  };
  yield `,${JSON.stringify(rest).slice(1, -1)},`;
  yield* list('endpoints', endpointTotals(result.eachStream()), endpointToJson);
  yield '}\n';
}

/** A list under its name, item by item. */
function* list<T>(name: string, items: Iterable<T>, toJson: (item: T) => JsonObject): Generator<string> {
  let separator = `"${name}":[`;
  for (const item of items) {
    yield `${separator}${JSON.stringify(toJson(item))}`;
    separator = ',\n';
  }
  yield separator.endsWith('[') ? `${separator}]` : ']';
}

function endpointToJson(endpoint: EndpointTotals): JsonObject {
  return {
    address: endpoint.address,
    streams: endpoint.streams,
    out_of_order: endpoint.outOfOrder,
    fills: endpoint.fills,
    arrival_histogram: arrivalHistogramToJson(endpoint.arrivalHistogram),
  };
}

function streamToJson(stream: StreamSummary): JsonObject {
  const { score } = stream;
  return {
    ssrc: formatSsrc(stream.ssrc),
    source: stream.source,
    destination: stream.destination,
    payload_type: stream.payloadType,
    codec: stream.codec,
    clock_rate_hz: stream.clockRateHz,
    clock_rate_source: stream.clockRateSource,
    clock_note: stream.clockNote,
    started_at: isoTime(stream.firstAtMs),
    ended_at: isoTime(stream.lastAtMs),
    packets_received: stream.packetsReceived,
    packets_expected: stream.packetsExpected,
    packets_lost: stream.packetsLost,
    duplicates: stream.duplicates,
    out_of_order: stream.outOfOrder,
    jitter_ms: { mean: orNull(stream.jitterMeanMs), max: orNull(stream.jitterMaxMs) },
    max_gap_ms: rounded(stream.maxGapMs),
    voip_metrics: exactVoipMetrics(stream),
    jitter_buffer: {
      discarded: stream.discarded,
      frames_10ms: { ...(stream.frames10ms ?? { normal: null, plc: null, cng: null, silence: null }) },
      fills: stream.fills,
    },
    arrival_histogram: arrivalHistogramToJson(stream.arrivalHistogram),
    r_lq: score === null ? null : rounded(shownR(score.rLq)),
    r_cq: score === null ? null : rounded(shownR(score.rCq)),
    mos_lq: orNull(score?.mosLq ?? null),
    mos_cq: orNull(score?.mosCq ?? null),
    audio: stream.audio === null ? null : audioToJson(stream.audio),
    findings: stream.audio === null ? [] : audioFindings(stream.audio),
    segments: stream.segments.map(segmentToJson),
    rtcp: {
      sender_reports: stream.senderReports,
      receiver_reports: stream.receiverReports,
      xr_blocks: stream.xrBlocks.map(xrBlockToJson),
    },
  };
}

function segmentToJson(segment: SegmentSummary): JsonObject {
  const { codec, clockRateHz, clockRateSource } = segment.format;
  return {
    payload_type: segment.payloadType,
    codec,
    clock_rate_hz: clockRateHz,
    clock_rate_source: clockRateSource,
    started_at: isoTime(segment.firstAtMs),
    ended_at: isoTime(segment.lastAtMs),
    packets_received: segment.packetsReceived,
    packets_expected: segment.packetsExpected,
    packets_lost: segment.packetsExpected - segment.packetsReceived,
    discarded: segment.discarded,
    jitter_ms: { mean: orNull(segment.jitterMeanMs), max: orNull(segment.jitterMaxMs) },
  };
}

function orNull(value: number | null): number | null {
  return value === null ? null : rounded(value);
}

/** Null for a time beyond the calendar, which a damaged capture can hold. */
function isoTime(epochMs: number): string | null {
  const date = new Date(epochMs);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
