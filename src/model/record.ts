import type { CapturedMedia, PlayedAudio } from './capture.ts';
import type { Device } from './device.ts';
import type { PhoneHearing } from './phone-report.ts';
import type { Direction, Reporter } from './report.ts';
import type { ProfileName, Verdict } from './score.ts';

/** What is kept of a row of samples. Unknown (no sample yet) is null in every field but `count`. */
export interface SampleSummary {
  readonly last: number | null;
  readonly mean: number | null;
  readonly min: number | null;
  readonly max: number | null;
  /** Population standard deviation (divided by n). */
  readonly stdev: number | null;
  readonly count: number;
}

export type ClockRateSource = 'sr' | 'codec' | 'assumed';

/** Quality of listening (LQ) and of conversation (CQ) by the E-model: rating R, and opinion 1-4.5. */
export interface EModelRecord {
  /** All null: codec without impairment factors or not known, fewer than 5 packets received, or loss not known. */
  readonly rLq: number | null;
  readonly rCq: number | null;
  readonly mosLq: number | null;
  readonly mosCq: number | null;
}

/** What was measured of one direction over some time. Null is unknown, never zero. */
export interface StreamMeasures extends EModelRecord {
  readonly direction: Direction;
  readonly reporter: Reporter;
  readonly ssrc: number | null;
  readonly codec: string | null;
  readonly clockRateHz: number;
  readonly clockRateSource: ClockRateSource;
  readonly reports: number;
  readonly idleReports: number;
  readonly deadReports: number;
  /** Reports about another stream than ours, or about none: of them only the count is kept. Null, as the next two, where an older release stored it. */
  readonly unusedReports: number | null;
  readonly packetsExpected: number | null;
  readonly packetsReceived: number | null;
  readonly packetsLost: number | null;
  readonly duplicates: number;
  /** Times that sequence or cumulative loss jumped by more than the sender can have sent. */
  readonly sequenceRestarts: number | null;
  /** Reports whose jitter was no network's: what a jump of the sender's clock left in it. */
  readonly jitterResets: number | null;
  readonly lossPercent: number | null;
  readonly lostPacketsPerReportMean: number | null;
  readonly rttMs: SampleSummary;
  readonly jitterMs: SampleSummary;
  readonly rttKnown: boolean;
  readonly effectiveLatencyMs: number | null;
  readonly rValue: number | null;
  readonly mes: number | null;
  readonly mes100: number | null;
  readonly mesMin: number | null;
  readonly profile: ProfileName;
  readonly nativeMes100: number | null;
}

/** What captured packets tell of one direction, over the channel's life. Of tx: as it left this server. */
export interface CaptureRecord extends EModelRecord {
  readonly media: CapturedMedia;
  /** The latest, by RTCP (RFC 3611 §4.7.3); null is not known. */
  readonly roundTripMs: number | null;
  /** Of the RTP session that it is in, or was in last; missing where an older release stored it. */
  readonly session?: PlayedAudio;
}

/** What one direction of a channel amounts to, over all its segments, so far or in the end. */
export interface StreamRecord extends StreamMeasures {
  /** Of the last report interval alone. */
  readonly mosLqInterval: number | null;
  readonly mosCqInterval: number | null;
  /** What the sender of this direction last said that it sent. */
  readonly senderPackets: number | null;
  readonly senderOctets: number | null;
  /** Interarrival jitter packet by packet, as Asterisk's own counters have it: of rx, and only with ARI. */
  readonly packetJitterMeanMs: number | null;
  readonly packetJitterStdevMs: number | null;
  /** Of the last report. */
  readonly fractionLostQ8: number | null;
  readonly jitterTicks: number | null;
  /** Since when the far end's reports are about a stream that this server does not send any more; null: they are about ours. */
  readonly unknownSinceMs: number | null;
  readonly verdict: Verdict | null;
  readonly why: string | null;
  /** Which known defect explains that Asterisk's own score is more than 2 points of 100 away; null when it is not. */
  readonly nativeWhy: string | null;
  /** Null: no packet of it was captured. */
  readonly capture: CaptureRecord | null;
}

/** Why a new RTP session began: the channel's own start, hold or its end, another bridge, stream or codec. */
export type SegmentCause = 'start' | 'hold' | 'retrieve' | 'bridge' | 'ssrc' | 'codec';

/** One RTP session of a direction: its values start afresh. */
export interface SegmentRecord extends StreamMeasures {
  readonly uniqueid: string;
  /** 1, 2, 3 … per channel and direction. */
  readonly segmentNumber: number;
  readonly openedBy: SegmentCause;
  readonly startedAtMs: number;
  /** Its last report so far, or of all. */
  readonly endedAtMs: number;
  /** What the sender of this direction says that it has sent in it. */
  readonly senderPackets: number | null;
  readonly senderOctets: number | null;
}

/**
 * How an interval came out. `media` packets moved; `idle` nothing was sent; `dead` sent but nothing arrived; `unused` the
 * report was not about our stream.
 */
export type IntervalKind = 'media' | 'idle' | 'dead' | 'unused';

/** One report about one direction: its raw inputs (so that a score can be computed again) and what we made of them. */
export interface IntervalRecord {
  readonly uniqueid: string;
  readonly direction: Direction;
  readonly reporter: Reporter;
  /** 1, 2, 3 … per channel and direction; never reused. */
  readonly reportNumber: number;
  /** The same over both directions of the channel, in the order in which the reports came; null where an older release stored it. */
  readonly channelReportNumber: number | null;
  /** From when on it counts: the last report before it that told anything; null for the first. */
  readonly beganAtMs: number | null;
  readonly atMs: number;
  readonly kind: IntervalKind;
  readonly ssrc: number | null;
  readonly fractionLostQ8: number | null;
  readonly cumulativeLostPackets: number | null;
  readonly extendedHighestSequence: number | null;
  readonly jitterTicks: number | null;
  /** The direction's, as known when the report came. */
  readonly codec: string | null;
  readonly clockRateHz: number;
  /** Null where an older release stored it. */
  readonly clockRateSource: ClockRateSource | null;
  readonly lsrNtp32: number | null;
  readonly dlsrS: number | null;
  /** Latest known count of packets that the sender of this direction says it sent. */
  readonly senderPackets: number | null;
  /** The round-trip sample of this report; null when it brought none. */
  readonly rttMs: number | null;
  readonly jitterMs: number | null;
  readonly packetsExpected: number | null;
  readonly packetsLost: number | null;
  readonly duplicates: number;
  /** Packets that earlier intervals counted as lost and that came after all; null where an older release stored it. */
  readonly latePackets: number | null;
  readonly lossPercent: number | null;
  /** More than 1 when reports before this one were missed while the link to Asterisk was down. */
  readonly coversReports: number;
  /** Of this interval alone. */
  readonly effectiveLatencyMs: number | null;
  readonly rValue: number | null;
  readonly mes: number | null;
  /** Of the direction, up to and including this interval. */
  readonly mesRunning: number | null;
  readonly nativeMes100: number | null;
  /** What the same report said of its reporter's own sending: the other direction. Null: nothing, or an older release. */
  readonly sentNtpS: number | null;
  readonly sentRtpTicks: number | null;
  readonly sentPackets: number | null;
  readonly sentOctets: number | null;
  /** The reporter's own SSRC; known of our own reports only. */
  readonly sentSsrc: number | null;
  readonly profile: ProfileName;
}

/** How a channel came to its end: Asterisk said so, or it was gone when we looked again. */
export type EndReason = 'hangup' | 'vanished';

export interface ChannelRecord {
  readonly uniqueid: string;
  readonly linkedid: string;
  readonly name: string;
  /** The name without its serial number: `PJSIP/alice`. */
  readonly endpoint: string;
  readonly callerNumber: string | null;
  readonly callerName: string | null;
  readonly connectedNumber: string | null;
  readonly connectedName: string | null;
  readonly exten: string | null;
  /** Of both directions; null when they differ, or neither is known. */
  readonly codec: string | null;
  readonly startedAtMs: number;
  /** When it came Up; null if it never did. */
  readonly answeredAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly endReason: EndReason | null;
  readonly hangupCause: number | null;
  readonly hangupCauseText: string | null;
  readonly bridgeId: string | null;
  readonly bridgeTechnology: string | null;
  readonly peerUniqueid: string | null;
  readonly onHold: boolean;
  readonly mes: number | null;
  readonly mesRx: number | null;
  readonly mesTx: number | null;
  readonly mesPeerRx: number | null;
  readonly mesPeerTx: number | null;
  readonly mesCall: number | null;
  readonly mesMin: number | null;
  readonly verdict: Verdict | null;
  readonly profile: ProfileName;
  /** Version of asterisk-mes that computed the score. */
  readonly version: string;
  /** When the hangup handler had the last word, and peer's and call's scores were noted; null without a handler. */
  readonly finalAtMs: number | null;
  /** When RTCP of the far end last came. */
  readonly lastReceivedAtMs: number | null;
  /** The leg's SIP Call-ID, hidden as numbers are; null when it is not known. */
  readonly sipCallId: string | null;
  /** Make, model and firmware of what is at the other end, in one line. */
  readonly device: string | null;
  /** Where it is, by the administrator's `[network:PREFIX]`. */
  readonly site: string | null;
  readonly deviceDetails: Device | null;
  /** What the phone's own reports say of tx; null without any. */
  readonly phone: PhoneHearing | null;
  readonly streams: readonly StreamRecord[];
}

/** Which stretch of a two-party call is at fault. */
export const FAULT_PLACES = [
  'caller-network',
  'callee-network',
  'both-networks',
  'this-server',
  'caller-phone',
  'callee-phone',
  'none',
] as const;
export type FaultPlace = (typeof FAULT_PLACES)[number];
/** What RTCP alone can tell. */
export type NetworkPlace = Exclude<FaultPlace, 'caller-phone' | 'callee-phone'>;

/** Where the fault of a call lies, as far as its four directions tell; all null for other than two parties. */
export interface FaultRecord {
  readonly faultPlace: FaultPlace | null;
  readonly faultCertainty: 'sure' | 'likely' | 'guess' | null;
  /** Reports that the judgement rests on. */
  readonly faultReports: number | null;
  readonly faultWhy: string | null;
}

export interface CallRecord extends FaultRecord {
  readonly linkedid: string;
  readonly startedAtMs: number;
  /** Null while one of its channels is up. */
  readonly endedAtMs: number | null;
  readonly mes: number | null;
  readonly mesMin: number | null;
  readonly verdict: Verdict | null;
  readonly profile: ProfileName;
  readonly version: string;
}

/** The state from which scoring goes on after a restart: opaque text, and how many reports of each direction it counts. */
export interface ResumeState {
  readonly state: string;
  readonly rxReports: number;
  readonly txReports: number;
}

/** The scores of a direction, without what they are made of. */
export type StreamScores = Pick<StreamRecord, 'direction' | 'mes' | 'mes100' | 'verdict'>;

export interface ChannelScores extends Pick<
  ChannelRecord,
  'uniqueid' | 'mes' | 'mesRx' | 'mesTx' | 'mesPeerRx' | 'mesPeerTx' | 'mesCall' | 'mesMin' | 'verdict'
> {
  readonly streams: readonly StreamScores[];
}

/** The scores of a call that is up, and of those of its channels that have new ones. */
export interface CallScores extends Pick<CallRecord, 'linkedid' | 'mes' | 'mesMin' | 'verdict'> {
  readonly channels: readonly ChannelScores[];
}

/** What changed, in the order in which it happened. Applying the same change twice leaves the same history. */
export type HistoryChange =
  | { readonly kind: 'interval'; readonly interval: IntervalRecord }
  | { readonly kind: 'segment'; readonly segment: SegmentRecord }
  /** `resume`: null once the whole call has ended. */
  | { readonly kind: 'channel'; readonly channel: ChannelRecord; readonly resume: ResumeState | null }
  /** Of rows that are stored; the rest of them, and the state to go on from, is some reports older. */
  | { readonly kind: 'scores'; readonly scores: CallScores }
  | { readonly kind: 'call'; readonly call: CallRecord }
  /** All channels of `fromLinkedid` belong to `intoLinkedid` now; asking for the old one finds the new one. */
  | { readonly kind: 'call-merged'; readonly fromLinkedid: string; readonly intoLinkedid: string };

/** Every change but a report: of each channel, call and segment only the last state matters. */
export type StateChange = Exclude<HistoryChange, { kind: 'interval' }>;
