/** What the API answers, field by field. Times are ISO 8601 in UTC; null is "not known". */
import { z } from 'zod';
import { AUDIO_FINDINGS } from '../../model/capture.ts';
import { CAPTURE, VOIP_METRICS } from './captured.ts';
import { PHONE_HEARING } from '../phone/hearing.ts';
import { NETWORK_KINDS, SIP_TRANSPORTS } from '../../model/device.ts';
import { FAULT_PLACES } from '../../model/record.ts';
import { PROFILE_NAMES, VERDICTS } from '../../model/score.ts';

const NUMBER = z.number().nullable();
const COUNT = z.int().nonnegative();
const TEXT = z.string().nullable();
const TIME = z.iso.datetime({ precision: 3 });
const OPINION = z.number().max(4.5).nullable().describe('opinion scale, 1.00-4.50, two decimals');
const DIRECTION = z.enum(['rx', 'tx']).describe("Asterisk's view: rx they sent, tx we sent");
const REPORTER = z.enum(['local', 'remote']).describe('who measured: Asterisk, or the far end');
const SSRC = z
  .string()
  .regex(/^0x[0-9a-f]{8}$/)
  .nullable();
const VERDICT = z.enum(VERDICTS).nullable();
const PROFILE = z.enum(PROFILE_NAMES);

const SUMMARY = z.strictObject({ last: NUMBER, mean: NUMBER, min: NUMBER, max: NUMBER, stdev: NUMBER, count: COUNT });

const MEASURES = {
  direction: DIRECTION,
  reporter: REPORTER,
  ssrc: SSRC,
  codec: TEXT,
  clock_rate_hz: z.int().positive(),
  clock_rate_source: z.enum(['sr', 'codec', 'assumed']),
  reports: COUNT,
  unused_reports: NUMBER.describe('about another stream than ours, or about none: only counted'),
  packets_expected: NUMBER,
  packets_received: NUMBER,
  packets_lost: NUMBER,
  sequence_restarts: NUMBER.describe('jumps of sequence or cumulative loss beyond what can have been sent: no loss'),
  jitter_resets: NUMBER.describe("reports whose jitter was a jump of the sender's clock: no sample"),
  loss_percent: NUMBER,
  lost_packets_per_report_mean: NUMBER,
  rtt_ms: SUMMARY,
  jitter_ms: SUMMARY,
  rtt_known: z.boolean(),
  effective_latency_ms: NUMBER,
  r_value: NUMBER,
  mes: OPINION,
  mes_100: NUMBER,
  profile: PROFILE,
  native_mes_100: NUMBER,
  r_lq: NUMBER,
  r_cq: NUMBER,
  mos_lq: NUMBER,
  mos_cq: NUMBER,
} as const;

export const STREAM = z.strictObject({
  ...MEASURES,
  native_why: TEXT.describe("which known defect explains that Asterisk's own score is more than 2 points away"),
  packet_jitter_mean_ms: NUMBER.describe("packet by packet, by Asterisk's own counters: rx only, and only with ARI"),
  packet_jitter_stdev_ms: NUMBER,
  mos_lq_interval: NUMBER,
  mos_cq_interval: NUMBER,
  verdict: VERDICT,
  why: TEXT,
  captured: z.boolean().describe('whether packets of it were captured'),
  findings: z
    .array(z.enum(AUDIO_FINDINGS))
    .nullable()
    .describe('what is wrong with the audio itself; null: it was not looked at ([capture] audio), or cannot be read'),
  voip_metrics: VOIP_METRICS.nullable().optional().describe('of one call or channel only, like capture'),
  capture: CAPTURE.nullable().optional(),
});

export const SEGMENT = z.strictObject({
  segment_number: z.int().positive(),
  opened_by: z.enum(['start', 'hold', 'retrieve', 'bridge', 'ssrc', 'codec']),
  started_at: TIME,
  ended_at: TIME.describe('its last report'),
  sender_packets: NUMBER.describe('what the sender says that it has sent in it'),
  sender_octets: NUMBER,
  ...MEASURES,
});

export const CHANNEL = z.strictObject({
  uniqueid: z.string(),
  linkedid: z.string(),
  name: z.string(),
  endpoint: z.string(),
  caller_number: TEXT,
  caller_name: TEXT,
  connected_number: TEXT,
  connected_name: TEXT,
  exten: TEXT,
  codec: TEXT,
  started_at: TIME,
  answered_at: TIME.nullable(),
  ended_at: TIME.nullable(),
  duration_s: z.number().nonnegative().describe('until now while it is up'),
  end_reason: z.enum(['hangup', 'vanished']).nullable(),
  hangup_cause: NUMBER,
  hangup_cause_text: TEXT,
  bridge_id: TEXT,
  bridge_technology: TEXT,
  peer_uniqueid: TEXT,
  on_hold: z.boolean(),
  mes: OPINION,
  mes_rx: OPINION,
  mes_tx: OPINION,
  mes_peer_rx: OPINION,
  mes_peer_tx: OPINION,
  mes_call: OPINION,
  mes_min: OPINION,
  verdict: VERDICT,
  profile: PROFILE,
  version: z.string(),
  final_at: TIME.nullable().describe('when the hangup handler had the last word'),
  last_received_at: TIME.nullable().describe('when RTCP of the far end last came'),
  device: TEXT.describe('make, model and firmware, as its SIP tells'),
  site: TEXT.describe('by [network:PREFIX] of mes.conf'),
  device_details: z
    .strictObject({
      make: TEXT,
      model: TEXT,
      firmware: TEXT,
      transport: z.enum(SIP_TRANSPORTS).nullable(),
      address: TEXT.describe('of its signalling'),
      is_behind_nat: z.boolean().nullable().describe('it knows another address of its own than this server sees'),
      network_kind: z.enum(NETWORK_KINDS).nullable().describe('by [network:PREFIX] of mes.conf'),
      country: TEXT.optional().describe('by the same section'),
      asn: z.int().nullable().optional().describe('by the same section'),
      local_media: TEXT.optional().describe("this server's end of its RTP when it was answered"),
      remote_media: TEXT.optional().describe('the far end of its RTP when it was answered'),
    })
    .nullable(),
  sip_call_id: TEXT.describe('of the leg'),
  phone: PHONE_HEARING.nullable().describe("what the phone's own reports say of tx; phone-reports has them one by one"),
  streams: z.array(STREAM),
  segments: z.array(SEGMENT).optional().describe('RTP sessions of both directions; of one call or channel only'),
});

/** What a list of many channels shows of each. */
export const CHANNEL_SUMMARY = CHANNEL.pick({
  uniqueid: true,
  linkedid: true,
  name: true,
  endpoint: true,
  caller_number: true,
  caller_name: true,
  connected_number: true,
  connected_name: true,
  exten: true,
  codec: true,
  started_at: true,
  answered_at: true,
  duration_s: true,
  peer_uniqueid: true,
  on_hold: true,
  mes: true,
  mes_rx: true,
  mes_tx: true,
  mes_call: true,
  mes_min: true,
  verdict: true,
});

export const CALL = z.strictObject({
  linkedid: z.string(),
  state: z.enum(['up', 'ended']),
  started_at: TIME,
  ended_at: TIME.nullable(),
  duration_s: z.number().nonnegative().describe('until now while it is up'),
  mes: OPINION,
  mes_100: NUMBER,
  mes_min: OPINION,
  verdict: VERDICT,
  profile: PROFILE,
  version: z.string(),
  fault_place: z.enum(FAULT_PLACES).nullable(),
  fault_certainty: z.enum(['sure', 'likely', 'guess']).nullable(),
  fault_reports: NUMBER,
  fault_why: TEXT,
  endpoints: z.array(z.string()),
  codecs: z.array(z.string()),
  tags: z.array(z.string()).optional().describe('what people tagged it with; not in evidence for others'),
  channels: z.array(CHANNEL),
});

/** What a list of many calls shows of each. */
export const CALL_SUMMARY = CALL.omit({ channels: true, fault_why: true, fault_reports: true }).extend({
  channels: z.array(
    CHANNEL.pick({
      uniqueid: true,
      linkedid: true,
      endpoint: true,
      caller_number: true,
      caller_name: true,
      connected_number: true,
      exten: true,
      started_at: true,
      mes: true,
      mes_rx: true,
      mes_tx: true,
      verdict: true,
    }),
  ),
});

export const INTERVAL = z.strictObject({
  uniqueid: z.string(),
  direction: DIRECTION,
  reporter: REPORTER,
  report_number: z.int().positive(),
  channel_report_number: NUMBER.describe('the same over both directions of the channel'),
  began_at: TIME.nullable().describe('from when on it counts; null for the first'),
  at: TIME,
  kind: z.enum(['media', 'idle', 'dead', 'unused']),
  ssrc: SSRC,
  fraction_lost_q8: NUMBER,
  cumulative_lost_packets: NUMBER,
  extended_highest_sequence: NUMBER,
  jitter_ticks: NUMBER,
  codec: TEXT,
  clock_rate_hz: z.int().positive(),
  clock_rate_source: z.enum(['sr', 'codec', 'assumed']).nullable(),
  lsr_ntp32: NUMBER,
  dlsr_s: NUMBER,
  sender_packets: NUMBER,
  rtt_ms: NUMBER,
  jitter_ms: NUMBER,
  packets_expected: NUMBER,
  packets_lost: NUMBER,
  duplicates: COUNT,
  late_packets: NUMBER.describe('counted as lost by earlier intervals, but came after all'),
  loss_percent: NUMBER,
  covers_reports: z.int().positive(),
  effective_latency_ms: NUMBER,
  r_value: NUMBER,
  mes: OPINION,
  mes_running: OPINION,
  native_mes_100: NUMBER,
  sent_ntp_s: NUMBER.describe('what the report said of its sender: the other direction'),
  sent_rtp_ticks: NUMBER,
  sent_packets: NUMBER,
  sent_octets: NUMBER,
  sent_ssrc: SSRC.describe("the reporter's own; of our own reports only"),
  profile: PROFILE,
});

const CALLS_MATCHING = COUNT.nullable().optional().describe('with count: how many fit; null: more than 10,000');
const NEXT_CURSOR = TEXT.describe('leads to the next page; null: this is the last one, or the calls are sorted');
export const CALLS_ANSWER = z.strictObject({
  calls: z.array(CALL),
  next_cursor: NEXT_CURSOR,
  matching: CALLS_MATCHING,
});
export const CALLS_SUMMARY_ANSWER = z.strictObject({
  calls: z.array(CALL_SUMMARY),
  next_cursor: NEXT_CURSOR,
  matching: CALLS_MATCHING,
});
/** The second with `fields=summary`. */
export const CALLS_ANSWERS = z.union([CALLS_ANSWER, CALLS_SUMMARY_ANSWER]);
export const INTERVALS_ANSWER = z.strictObject({ intervals: z.array(INTERVAL) });
const MATCHING = COUNT.optional().describe('with limit: how many fit the question');
export const LIVE_ANSWER = z.strictObject({ channels: z.array(CHANNEL), matching: MATCHING });
export const LIVE_SUMMARY_ANSWER = z.strictObject({ channels: z.array(CHANNEL_SUMMARY), matching: MATCHING });
/** The second with `fields=summary`. */
export const LIVE_ANSWERS = z.union([LIVE_ANSWER, LIVE_SUMMARY_ANSWER]);
export const HEALTH_ANSWER = z.strictObject({
  status: z.literal('ok'),
  capture: z.strictObject({ status: z.enum(['off', 'capturing', 'waiting']), problem: TEXT }),
  counters: z.record(z.string(), z.number()),
});
export const READY_ANSWER = z.strictObject({
  status: z.literal('ready'),
  ari_connected: z.boolean().nullable().describe('null: ARI is not configured'),
  asterisk_version: TEXT,
});

/** RFC 9457. */
export const PROBLEM = z.strictObject({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int().min(400).max(599),
  detail: z.string(),
  code: z
    .string()
    .regex(/^MES_ERR_[A-Z_]+$/)
    .describe('permanent; src/api/README.md lists them'),
  parameter: z.string().optional(),
});
