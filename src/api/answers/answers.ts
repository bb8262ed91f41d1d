/** What the API answers. Times are ISO 8601 in UTC; null is "not known". Fields of records come from the tables in `model/fields/`. */
import { z } from 'zod';
import { AUDIO_FINDINGS } from '../../model/capture.ts';
import { CALL_FIELDS } from '../../model/fields/call-fields.ts';
import { CHANNEL_FIELDS } from '../../model/fields/channel-fields.ts';
import { INTERVAL_FIELDS } from '../../model/fields/interval-fields.ts';
import { SEGMENT_FIELDS, STREAM_FIELDS } from '../../model/fields/stream-fields.ts';
import { CAPTURE, VOIP_METRICS } from './captured.ts';
import { DEVICE } from './device.ts';
import { shapeOf } from './json.ts';
import { PHONE_HEARING } from '../phone/hearing.ts';

const COUNT = z.int().nonnegative();
const TEXT = z.string().nullable();
/** Fields that answers of a fleet's gateway add. */
export const PBX_SHAPE = {
  pbx: z.string().optional().describe('on a fleet: the PBX that it is of'),
  site: z.string().optional().describe('on a fleet: where that PBX is'),
};

export const STREAM = z.strictObject({
  ...shapeOf(STREAM_FIELDS),
  captured: z.boolean().describe('whether packets of it were captured'),
  findings: z
    .array(z.enum(AUDIO_FINDINGS))
    .nullable()
    .describe('what is wrong with the audio itself; null: it was not looked at ([capture] audio), or cannot be read'),
  voip_metrics: VOIP_METRICS.nullable().optional().describe('of one call or channel only, like capture'),
  capture: CAPTURE.nullable().optional(),
});

export const SEGMENT = z.strictObject(shapeOf(SEGMENT_FIELDS));

const DURATION_S = z.number().nonnegative().describe('until now while it is up');

export const CHANNEL = z.strictObject({
  pbx: PBX_SHAPE.pbx,
  ...shapeOf(CHANNEL_FIELDS),
  duration_s: DURATION_S,
  device_details: DEVICE.nullable(),
  phone: PHONE_HEARING.nullable().describe("what the phone's own reports say of tx; phone-reports has them one by one"),
  streams: z.array(STREAM),
  segments: z.array(SEGMENT).optional().describe('RTP sessions of both directions; of one call or channel only'),
});

/** A channel in a list. */
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
  ...PBX_SHAPE,
  ...shapeOf(CALL_FIELDS),
  state: z.enum(['up', 'ended']),
  duration_s: DURATION_S,
  mes_100: z.number().nullable(),
  endpoints: z.array(z.string()),
  codecs: z.array(z.string()),
  findings: z
    .array(z.enum(AUDIO_FINDINGS))
    .describe('what is wrong with the audio itself, of any party; none too where nobody looked'),
  tags: z.array(z.string()).optional().describe('what people tagged it with; not in evidence for others'),
  channels: z.array(CHANNEL),
});

/** A call in a list. */
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

export const INTERVAL = z.strictObject(shapeOf(INTERVAL_FIELDS));

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
