/** What captured packets tell, as the API answers it; field names of VoIP metrics as RFC 3611 and `analyze` have them. */
import { z } from 'zod';
import { LOCAL_CHANNEL_PREFIX } from '../../model/channel.ts';
import type { CaptureHealth } from '../../model/ports.ts';
import type { ChannelRecord } from '../../model/record.ts';
import type { CaptureRecord } from '../../model/capture.ts';
import type { Direction } from '../../model/report.ts';
import { arrivalBins } from '../../stats/packets/arrival-histogram.ts';
import { isTimed, maxJitterMs, meanJitterMs, voipMetrics } from '../../stats/packets/packet-tally.ts';
import {
  arrivalHistogramToJson,
  audioToJson,
  exactVoipMetrics,
  type MeasuredVoip,
  rounded,
  shownR,
  voipMetricsHex,
} from '../../wire/rtcp/voip-metrics.ts';
import { formatSsrc } from '../../wire/rtcp/rtcp-xr-json.ts';

const NUMBER = z.number().nullable();
const COUNT = z.int().nonnegative();
const RATIO = z.number().min(0).max(1);
const Q8 = z.int().min(0).max(255).describe("the block's own, in 1/256");
const SSRC = z.string().regex(/^0x[0-9a-f]{8}$/);
const TIME = z.iso.datetime({ precision: 3 });

export const VOIP_METRICS = z.strictObject({
  ssrc: SSRC,
  loss_rate: RATIO,
  loss_rate_q8: Q8,
  discard_rate: RATIO.nullable().describe('by a simulated jitter buffer of 60 ms; null: the RTP clock is not known'),
  discard_rate_q8: Q8,
  burst_density: RATIO,
  burst_density_q8: Q8,
  gap_density: RATIO,
  gap_density_q8: Q8,
  burst_duration_ms: NUMBER.describe('mean'),
  gap_duration_ms: NUMBER.describe('mean'),
  round_trip_delay_ms: NUMBER,
  end_system_delay_ms: NUMBER,
  signal_level_dbm: NUMBER,
  noise_level_dbm: NUMBER,
  rerl_db: NUMBER,
  gmin: z.int().min(1).max(255),
  r_factor: NUMBER,
  ext_r_factor: NUMBER,
  mos_lq: NUMBER,
  mos_cq: NUMBER,
  rx_config: z.strictObject({ plc: NUMBER, jba: NUMBER, jb_rate: NUMBER }),
  jb_nominal_ms: COUNT,
  jb_maximum_ms: COUNT,
  jb_abs_max_ms: COUNT,
  burst_r: NUMBER.describe("the E-model's: 1 for random loss, more for bursts; null without loss"),
});

export const CAPTURE = z.strictObject({
  streams: z.int().positive().describe('RTP streams one after another; what names one is that of the latest'),
  ssrc: SSRC,
  source: z.string(),
  destination: z.string(),
  payload_type: z.int().min(0).max(127),
  started_at: TIME,
  ended_at: TIME.describe('its last packet so far'),
  packets_expected: COUNT,
  packets_received: COUNT.describe('each sequence number once'),
  packets_lost: z.int(),
  duplicates: COUNT,
  out_of_order: COUNT,
  jitter_ms: z.strictObject({ mean: NUMBER, max: NUMBER }).describe('null: the RTP clock is not known'),
  max_gap_ms: z.number().describe('longest interval between two packets'),
  longest_loss_ms: NUMBER.describe('longest stretch of audio lost in one piece'),
  jitter_buffer: z.strictObject({
    discarded: COUNT.nullable(),
    frames_10ms: z
      .strictObject({ normal: COUNT, plc: COUNT, cng: COUNT, silence: COUNT })
      .nullable()
      .describe('null: the RTP clock is not known'),
    fills: COUNT.nullable(),
  }),
  audio: z
    .strictObject({
      looked_at_ms: COUNT.describe('audio that was looked at'),
      talk_ms: COUNT.describe('how much of it was talk'),
      pauses: COUNT.describe('of more than 200 ms, between talk spurts'),
      pause_ms_mean: NUMBER.describe('how long those were'),
      clipped_percent: z.number().describe('samples in a row that were as great as the codec has them'),
      echo_delay_ms: NUMBER.describe('how late its sender sends back what it gets; null: no echo was found'),
    })
    .nullable()
    .describe('null: the audio was not looked at ([capture] audio), or cannot be read'),
  arrival_histogram: z.array(z.strictObject({ from_ms: z.number(), to_ms: NUMBER, count: COUNT })),
  bursts: z.array(z.strictObject({ from: TIME, to: TIME, packets: COUNT, lost: COUNT })),
  bursts_left_out: COUNT.describe('shorter ones than those, which are at most 60'),
  r_lq: NUMBER,
  r_cq: NUMBER,
  mos_lq: NUMBER,
  mos_cq: NUMBER,
  dropped_by_kernel: COUNT.describe('packets of any stream that this server missed meanwhile: they look like losses'),
  interruptions: COUNT.describe('how often capturing was interrupted meanwhile: what passed then looks like losses'),
});

const DIRECTION_ANSWER = z.strictObject({
  direction: z.enum(['rx', 'tx']),
  measured: z.enum(['as it arrived at this server', 'as it left this server']),
  captured: z.boolean(),
  voip_metrics: VOIP_METRICS.nullable(),
  block: z.string().nullable().describe('the VoIP Metrics block (RFC 3611 §4.7) in hexadecimal digits'),
  why: z.string().nullable().describe('why there is none'),
});

export const VOIP_METRICS_ANSWER = z.strictObject({ uniqueid: z.string(), streams: z.array(DIRECTION_ANSWER) });

/** The capture of a direction, as a part of its stream. */
export function presentCapture(capture: CaptureRecord): z.output<typeof CAPTURE> {
  const { media, rLq, rCq, mosLq, mosCq } = capture;
  const { tally } = media;
  const isKnown = isTimed(tally);
  const value = (quality: number | null): number | null => (quality === null ? null : rounded(quality));
  return {
    streams: media.streams,
    ssrc: formatSsrc(media.ssrc),
    source: media.source,
    destination: media.destination,
    payload_type: media.payloadType,
    started_at: isoTime(tally.firstAtMs),
    ended_at: isoTime(tally.lastAtMs),
    packets_expected: tally.packetsExpected,
    packets_received: tally.packetsReceived,
    packets_lost: tally.packetsExpected - tally.packetsReceived,
    duplicates: tally.duplicates,
    out_of_order: tally.outOfOrder,
    jitter_ms: { mean: value(meanJitterMs(tally)), max: value(maxJitterMs(tally)) },
    max_gap_ms: rounded(tally.maxGapMs),
    longest_loss_ms: value(tally.longestLossMs),
    jitter_buffer: {
      discarded: isKnown ? tally.discarded : null,
      frames_10ms: isKnown ? { ...tally.frames10ms } : null,
      fills: isKnown ? tally.fills : null,
    },
    audio: media.audio === undefined || media.audio === null ? null : audioToJson(media.audio),
    arrival_histogram: arrivalHistogramToJson(arrivalBins(tally.arrivalCounts)),
    bursts: tally.burstSpans.map(({ fromMs, toMs, packets, losses }) => ({
      from: isoTime(fromMs),
      to: isoTime(toMs),
      packets,
      lost: losses,
    })),
    bursts_left_out: tally.burstSpansLeftOut,
    r_lq: value(rLq === null ? null : shownR(rLq)),
    r_cq: value(rCq === null ? null : shownR(rCq)),
    mos_lq: value(mosLq),
    mos_cq: value(mosCq),
    dropped_by_kernel: media.droppedByKernel,
    interruptions: media.interruptions,
  };
}

export function presentVoipMetrics(capture: CaptureRecord): z.output<typeof VOIP_METRICS> {
  return exactVoipMetrics(measured(capture)) as z.output<typeof VOIP_METRICS>;
}

/** VoIP metrics of both directions of a channel. Without captured packets null, and one sentence why. */
export function voipMetricsAnswer(channel: ChannelRecord, health: CaptureHealth): z.output<typeof VOIP_METRICS_ANSWER> {
  return {
    uniqueid: channel.uniqueid,
    streams: channel.streams.map(({ direction, capture }) => ({
      direction,
      measured: direction === 'rx' ? 'as it arrived at this server' : 'as it left this server',
      captured: capture !== null,
      voip_metrics: capture === null ? null : presentVoipMetrics(capture),
      block: capture === null ? null : voipMetricsHex(measured(capture)),
      why: capture === null ? whyNotCaptured(channel, direction, health) : null,
    })),
  };
}

function measured({ media, roundTripMs, rCq, mosLq, mosCq }: CaptureRecord): MeasuredVoip {
  return {
    ssrc: media.ssrc,
    voipMetrics: voipMetrics(media.tally, roundTripMs),
    audio: media.audio ?? null,
    score: rCq === null || mosLq === null || mosCq === null ? null : { rCq, mosLq, mosCq },
  };
}

function whyNotCaptured({ endpoint }: ChannelRecord, direction: Direction, health: CaptureHealth): string {
  if (endpoint.startsWith(LOCAL_CHANNEL_PREFIX)) return 'A Local channel carries no audio of its own.';
  if (health.status === 'off') {
    return 'Packets are not captured, and RTCP does not tell how they were lost; set enabled = yes in [capture] of mes.conf.';
  }
  if (health.problem !== null) return health.problem;
  return (
    `No packet of the audio ${direction === 'rx' ? 'from' : 'to'} ${endpoint} was captured: there was none, ` +
    'it was before packets were captured, or [capture] names other ports or another interface.'
  );
}

function isoTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
