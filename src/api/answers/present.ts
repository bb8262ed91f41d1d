import type { z } from 'zod';
import { AUDIO_FINDINGS, type AudioFinding } from '../../model/capture.ts';
import { audioFindings } from '../../stats/audio/audio-findings.ts';
import { CALL_FIELDS } from '../../model/fields/call-fields.ts';
import { CHANNEL_FIELDS } from '../../model/fields/channel-fields.ts';
import { INTERVAL_FIELDS } from '../../model/fields/interval-fields.ts';
import { SEGMENT_FIELDS, STREAM_FIELDS } from '../../model/fields/stream-fields.ts';
import type { CallWithChannels, PbxPart } from '../../model/ports.ts';
import type { ChannelRecord, SegmentRecord, StreamRecord } from '../../model/record.ts';
import { OPINION_TO_100 } from '../../score/opinion.ts';
import { CALL_SUMMARY, CHANNEL_SUMMARY, type CALL, type CHANNEL, type STREAM } from './answers.ts';
import { presentCapture, presentVoipMetrics } from './captured.ts';
import { presentDevice } from './device.ts';
import { namesOf, presenter, rounded } from './json.ts';
import { presentHearing } from '../phone/hearing.ts';

const streamFields = presenter(STREAM_FIELDS);
const channelFields = presenter(CHANNEL_FIELDS);
const channelSummary = presenter(CHANNEL_FIELDS, namesOf(CHANNEL_SUMMARY));
const callFields = presenter(CALL_FIELDS);
const callSummary = presenter(CALL_FIELDS, namesOf(CALL_SUMMARY));
const legFields = presenter(CHANNEL_FIELDS, namesOf(CALL_SUMMARY.shape.channels.element));
export const presentSegment = presenter(SEGMENT_FIELDS);
export const presentInterval = presenter(INTERVAL_FIELDS);

/** `pbx` and `site` on a fleet; an empty object on a PBX. */
export function pbxPart({ pbx, site }: PbxPart): PbxPart {
  return { ...(pbx === undefined ? {} : { pbx }), ...(site === undefined ? {} : { site }) };
}

/** Seconds from the start to the end, or to now; 0 when the clock was set back. */
export function durationS(part: { startedAtMs: number; endedAtMs: number | null }, nowMs: number): number {
  return rounded(Math.max(0, (part.endedAtMs ?? nowMs) - part.startedAtMs) / 1000, 3);
}

/** `isWhole`: with the capture. */
export function presentStream(stream: StreamRecord, isWhole = false): z.output<typeof STREAM> {
  const { capture } = stream;
  const packets = {
    voip_metrics: capture === null ? null : presentVoipMetrics(capture),
    capture: capture === null ? null : presentCapture(capture),
  };
  return {
    ...streamFields(stream),
    captured: capture !== null,
    findings: findingsOf(capture),
    ...(isWhole ? packets : {}),
  };
}

function findingsOf(capture: StreamRecord['capture']): AudioFinding[] | null {
  const audio = capture?.media.audio ?? null;
  return audio === null ? null : [...audioFindings(audio)];
}

/** `segments` undefined: the answer has neither segments nor captures. */
export function presentChannel(
  channel: ChannelRecord & Pick<PbxPart, 'pbx'>,
  nowMs: number,
  segments?: readonly SegmentRecord[],
): z.output<typeof CHANNEL> {
  const { deviceDetails, phone, streams } = channel;
  return {
    ...pbxPart({ pbx: channel.pbx }),
    ...channelFields(channel),
    duration_s: durationS(channel, nowMs),
    device_details: deviceDetails === null ? null : presentDevice(deviceDetails),
    phone: phone === null ? null : presentHearing(phone),
    streams: streams.map((stream) => presentStream(stream, segments !== undefined)),
    ...(segments === undefined ? {} : { segments: segments.map((segment) => presentSegment(segment)) }),
  };
}

/** A channel in a list. */
export function presentChannelSummary(channel: ChannelRecord, nowMs: number): z.output<typeof CHANNEL_SUMMARY> {
  return { ...channelSummary(channel), duration_s: durationS(channel, nowMs) };
}

/** Fields of a call that come from its channels. */
function factsOf(
  call: CallWithChannels,
  nowMs: number,
): Pick<z.output<typeof CALL>, 'state' | 'duration_s' | 'mes_100' | 'endpoints' | 'codecs' | 'findings'> {
  const codecs = call.channels.flatMap(({ streams }) => streams.flatMap(({ codec }) => codec ?? []));
  return {
    state: call.endedAtMs === null ? 'up' : 'ended',
    duration_s: durationS(call, nowMs),
    mes_100: call.mes === null ? null : rounded(call.mes * OPINION_TO_100, 1),
    endpoints: [...new Set(call.channels.map(({ endpoint }) => endpoint))],
    codecs: [...new Set(codecs)],
    findings: AUDIO_FINDINGS.filter((finding) => call.findings?.split(' ').includes(finding)),
  };
}

/** `segmentsOf` undefined: the answer has neither segments nor captures. */
export function presentCall(
  call: CallWithChannels,
  nowMs: number,
  segmentsOf?: ReadonlyMap<string, readonly SegmentRecord[]>,
): z.output<typeof CALL> {
  return {
    ...pbxPart(call),
    ...callFields(call),
    ...factsOf(call, nowMs),
    channels: call.channels.map((channel) => presentChannel(channel, nowMs, segmentsOf?.get(channel.uniqueid))),
  };
}

/** A call in a list: its legs without their streams. */
export function presentCallSummary(call: CallWithChannels, nowMs: number): z.output<typeof CALL_SUMMARY> {
  return { ...pbxPart(call), ...callSummary(call), ...factsOf(call, nowMs), channels: call.channels.map(legFields) };
}
