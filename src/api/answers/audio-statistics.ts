import { z } from 'zod';
import type { ChannelRecord, SegmentRecord, StreamRecord } from '../../model/record.ts';
import { isTimed } from '../../stats/packets/packet-tally.ts';
import { Q8_ONE } from '../../units/rtp.ts';

const MS_PER_SECOND = 1000;

const COUNT = z.int().nonnegative();
const RATIO = z.number().min(0).max(1);
const MOS = z.number().min(0).max(4.5);
const FLAG = z.union([z.literal(0), z.literal(1)]);

/**
 * The audio statistics record of softphone SDKs under its own field names (Genesys SIP Endpoint SDK, "Audio statistics and
 * MOS Calculation"), of the RTP session that a channel is in or was in last. Where a group's flag is 0, its fields are 0 and
 * mean nothing; `last_pkt_received` is known by RTCP without captured packets, too.
 */
export const AUDIO_STATISTICS = z.strictObject({
  got_local_stat: FLAG.describe('1: the next five fields are valid'),
  local_fraction_lost: RATIO.describe('of the packets from the endpoint, in the last report interval'),
  local_total_lost: z.int().describe('as RFC 3550 counts: below 0 when more packets came twice than did not arrive'),
  local_jitter: COUNT.describe('interarrival jitter in RTP clock ticks, as of the last report'),
  local_PktCount: COUNT.describe('RTP packets sent to the endpoint in this RTP session'),
  local_OctCount: COUNT.describe('octets of audio sent to the endpoint in this RTP session'),
  got_remote_SR: FLAG.describe('1: the next two fields are valid'),
  remote_PktCount: COUNT.describe('RTP packets that the endpoint says it sent'),
  remote_OctCount: COUNT.describe('octets of audio that the endpoint says it sent'),
  got_remote_RR: FLAG.describe('1: the next three fields are valid'),
  remote_fraction_lost: RATIO.describe('of the packets to the endpoint, in its last report interval'),
  remote_total_lost: z.int().describe('the same of the packets to the endpoint'),
  remote_jitter: COUNT.describe('in RTP clock ticks'),
  rttMs: COUNT.describe('last round trip in milliseconds, at least 1; 0: not known'),
  local_MOS: MOS.describe('listening quality over the RTP session; 0: not available'),
  local_interMOS: MOS.describe('the same over the last report interval'),
  local_MOS_base_inferred: FLAG.describe(
    '1: the table that the two come from does not say R0 - Is of this codec (Opus); 109 is inferred from its best R of 93',
  ),
  got_neteq_stat: FLAG.describe('1: packets were captured, and the fields up to decoded_10ms_silence are valid'),
  local_pkt_received: COUNT,
  last_pkt_received: z.number().nonnegative().describe('when RTP or RTCP last came from the endpoint, epoch seconds'),
  decoded_10ms_normal: COUNT,
  decoded_10ms_plc: COUNT,
  decoded_10ms_cng: COUNT,
  decoded_10ms_silence: COUNT,
  got_codec_info: FLAG.describe('1: the next two fields are valid'),
  codec_rtp_pt: z.int().min(-1).max(127).describe('as captured, or static (RFC 3551); -1: dynamic, and not known'),
  codec_sdp_name: z.string(),
});

/** Stands for an unknown dynamic payload type. */
const NEGOTIATED = -1;
/** Codecs whose R0 - Is in `score/codec-impairment.ts` is inferred. */
const BASE_INFERRED: readonly string[] = ['opus'];

interface SdpCodec {
  readonly name: string;
  /** Static payload type (RFC 3551 §6), -1 where it is negotiated. */
  readonly payloadType: number;
}

/** By Asterisk's names; a codec that is not here has the same name in SDP and a negotiated payload type. */
const SDP_CODECS: Readonly<Record<string, SdpCodec>> = {
  ulaw: { name: 'pcmu', payloadType: 0 },
  gsm: { name: 'gsm', payloadType: 3 },
  g723: { name: 'g723', payloadType: 4 },
  alaw: { name: 'pcma', payloadType: 8 },
  g722: { name: 'g722', payloadType: 9 },
  g729: { name: 'g729', payloadType: 18 },
  ilbc: { name: 'iLBC', payloadType: NEGOTIATED },
  isac: { name: 'iSAC', payloadType: NEGOTIATED },
};

/**
 * The audio statistics of a live or an ended channel, over the RTP session that it is in or was in last. "Local" is this
 * server: what it received from the endpoint, and what it sent there; "remote" is what the endpoint reported.
 */
export function audioStatistics(
  channel: ChannelRecord,
  segments: readonly SegmentRecord[],
): z.output<typeof AUDIO_STATISTICS> {
  const rx = channel.streams.find(({ direction }) => direction === 'rx');
  const tx = channel.streams.find(({ direction }) => direction === 'tx');
  // An older release stored no segments: take the whole channel.
  const rxSession = segments.findLast(({ direction }) => direction === 'rx') ?? rx;
  const txSession = segments.findLast(({ direction }) => direction === 'tx') ?? tx;
  const received = rx !== undefined && rx.jitterTicks !== null;
  const sentPackets = txSession?.senderPackets ?? null;
  // This server knows what it sends from the start, also while nothing comes in.
  const hasLocal = received || sentPackets !== null;
  const hasRemoteRr = tx !== undefined && tx.jitterTicks !== null;
  const hasRemoteSr = rx !== undefined && rx.senderPackets !== null;
  const codecName = tx?.codec ?? null;
  const codec = codecName === null ? undefined : sdpCodec(codecName);
  return {
    got_local_stat: flag(hasLocal),
    local_fraction_lost: received ? fractionLost(rx) : 0,
    local_total_lost: hasLocal ? totalLost(rxSession) : 0,
    local_jitter: received ? Math.round(rx.jitterTicks ?? 0) : 0,
    local_PktCount: sentPackets ?? 0,
    local_OctCount: txSession?.senderOctets ?? 0,
    got_remote_SR: flag(hasRemoteSr),
    remote_PktCount: rx?.senderPackets ?? 0,
    remote_OctCount: rx?.senderOctets ?? 0,
    got_remote_RR: flag(hasRemoteRr),
    remote_fraction_lost: hasRemoteRr ? fractionLost(tx) : 0,
    remote_total_lost: hasRemoteRr ? totalLost(txSession) : 0,
    remote_jitter: hasRemoteRr ? Math.round(tx.jitterTicks ?? 0) : 0,
    rttMs: wholeMs(rxSession?.rttMs.last ?? txSession?.rttMs.last ?? null),
    local_MOS: decimals(rxSession?.mosLq ?? 0, 2),
    local_interMOS: decimals(rx?.mosLqInterval ?? 0, 2),
    local_MOS_base_inferred: flag(BASE_INFERRED.includes(rxSession?.codec ?? '')),
    ...playedOut(channel),
    got_codec_info: flag(codec !== undefined),
    codec_rtp_pt: codec === undefined ? 0 : payloadTypeOf(codec, codecName, tx),
    codec_sdp_name: codec?.name ?? '',
  };
}

type Played = Pick<
  z.output<typeof AUDIO_STATISTICS>,
  | 'got_neteq_stat'
  | 'local_pkt_received'
  | 'last_pkt_received'
  | 'decoded_10ms_normal'
  | 'decoded_10ms_plc'
  | 'decoded_10ms_cng'
  | 'decoded_10ms_silence'
>;

/** How a simulated jitter buffer played the audio from the endpoint. It needs captured packets: RTCP does not tell. */
function playedOut({ streams, lastReceivedAtMs }: ChannelRecord): Played {
  const capture = streams.find(({ direction }) => direction === 'rx')?.capture ?? null;
  const tally = capture?.media.tally;
  const frames = { normal: 0, plc: 0, cng: 0, silence: 0 };
  const played = capture?.session ?? tally ?? { packetsReceived: 0, frames10ms: frames };
  const lastAtMs = Math.max(tally?.lastAtMs ?? 0, lastReceivedAtMs ?? 0);
  const { normal, plc, cng, silence } = tally === undefined || isTimed(tally) ? played.frames10ms : frames;
  return {
    got_neteq_stat: flag(tally !== undefined),
    local_pkt_received: played.packetsReceived,
    last_pkt_received: decimals(lastAtMs / MS_PER_SECOND, 3),
    decoded_10ms_normal: normal,
    decoded_10ms_plc: plc,
    decoded_10ms_cng: cng,
    decoded_10ms_silence: silence,
  };
}

/** Cumulative lost by RFC 3550 §6.4.1: lost packets less duplicates. */
function totalLost(session: Pick<StreamRecord, 'packetsLost' | 'duplicates'> | undefined): number {
  return session === undefined || session.packetsLost === null ? 0 : session.packetsLost - session.duplicates;
}

/** The payload type that this server sends: the captured one in this codec, otherwise the codec's own. */
function payloadTypeOf(codec: SdpCodec, name: string | null, tx: StreamRecord | undefined): number {
  const media = tx?.capture?.media;
  return media !== undefined && (media.codec === null || media.codec === name) ? media.payloadType : codec.payloadType;
}

function flag(isSet: boolean): 0 | 1 {
  return isSet ? 1 : 0;
}

/** Whole milliseconds, at least 1: 0 means "not available". */
function wholeMs(rttMs: number | null): number {
  return rttMs === null ? 0 : Math.max(1, Math.round(rttMs));
}

function fractionLost({ fractionLostQ8 }: StreamRecord): number {
  return decimals((fractionLostQ8 ?? 0) / Q8_ONE, 4);
}

function sdpCodec(codec: string): SdpCodec {
  const known = Object.hasOwn(SDP_CODECS, codec) ? SDP_CODECS[codec] : undefined;
  return known ?? { name: codec, payloadType: NEGOTIATED };
}

function decimals(value: number, count: number): number {
  return Number(value.toFixed(count));
}
