/** What captured packets tell of media; `stats/packets/packet-tally.ts` computes it. */

import type { EModelRecord } from './record.ts';

/** Numbers of 10 ms frames, as the ear gets them. */
export interface FrameCounts {
  /** Decoded from a packet. */
  readonly normal: number;
  /** Concealed loss. */
  readonly plc: number;
  /** Comfort noise that the sender asked for. */
  readonly cng: number;
  /** Nothing to play: a loss too long to conceal, or a sender that paused without comfort noise. */
  readonly silence: number;
}

export interface ArrivalBin {
  readonly fromMs: number;
  /** Null: no upper end. */
  readonly toMs: number | null;
  readonly count: number;
}

/** Lengths in packets. */
export interface BurstGapTotals {
  readonly bursts: number;
  readonly burstPackets: number;
  /** Lost or discarded within bursts. */
  readonly burstLosses: number;
  readonly gaps: number;
  readonly gapPackets: number;
  readonly gapLosses: number;
  /** Stretches of lost or discarded packets with nothing received in between. */
  readonly lossRuns: number;
  /** The longest of them. */
  readonly longestLossRun: number;
}

/** One burst, as it lay in time. */
export interface BurstSpan {
  /** Epoch milliseconds, as the packets would have come; to a second or so where the sender paused soon after. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly packets: number;
  /** Lost or discarded. */
  readonly losses: number;
}

/** What packets add up to. Plain data: it is stored as it is, and added to others of its kind. */
export interface PacketTally {
  /** Epoch milliseconds. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** Each sequence number once. */
  readonly packetsReceived: number;
  readonly packetsExpected: number;
  readonly duplicates: number;
  readonly outOfOrder: number;
  /** RFC 3550 A.8 after each packet but the first: their sum, and how many they are. */
  readonly jitterSumMs: number;
  readonly jitterSamples: number;
  readonly jitterMaxMs: number;
  /** Packets whose RTP clock was not known: with any, jitter and the buffer's results say nothing. Missing is none. */
  readonly untimedPackets?: number;
  /** Longest interval between two arrivals. */
  readonly maxGapMs: number;
  /** Intervals between arrivals, by the bins of `stats/packets/arrival-histogram.ts`. */
  readonly arrivalCounts: readonly number[];
  readonly burstGap: BurstGapTotals;
  /** All bursts, all gaps, and the longest stretch without a packet to play; null only in what older releases stored. */
  readonly burstMs: number | null;
  readonly gapMs: number | null;
  readonly longestLossMs: number | null;
  /** What a packet usually holds; missing in what older releases stored. */
  readonly packetMs?: number;
  /** The longest ones, in order of time; empty where they were not asked for. */
  readonly burstSpans: readonly BurstSpan[];
  readonly burstSpansLeftOut: number;
  /** By the simulated jitter buffer: too late, or too early. */
  readonly discarded: number;
  readonly frames10ms: FrameCounts;
  /** Interruptions that something else had to fill. */
  readonly fills: number;
  readonly gmin: number;
  readonly jbNominalMs: number;
  readonly jbMaximumMs: number;
  readonly jbAbsMaxMs: number;
  readonly isJitterBufferAdaptive: boolean;
}

/** How loud the audio of one direction was; dBm0: 0 is G.711's digital milliwatt, a loud talker has -15. */
export interface AudioLevels {
  /** Of talk spurts; null: nobody spoke. */
  readonly signalDbm0: number | null;
  /** Of the pauses; null: there were none to tell it by. */
  readonly noiseDbm0: number | null;
  /** Audio that was looked at, and how much of it was talk. */
  readonly audioMs: number;
  readonly talkMs: number;
  /** Pauses of more than 200 ms between talk spurts, and how long they were; null without any. */
  readonly pauses: number;
  readonly meanPauseMs: number | null;
  /** Samples in a row that were as great as the codec has them. */
  readonly clippedPercent: number;
}

/** What was said comes back: how late, and how much quieter (RFC 3611's residual echo return loss). */
export interface Echo {
  readonly delayMs: number;
  readonly returnLossDb: number;
}

/** What was found by looking at the audio itself, which is never stored. */
export interface CapturedAudio {
  readonly levels: AudioLevels;
  /** What this direction's sender sends back of what it gets; null: none was found, or nothing can be told. */
  readonly echo: Echo | null;
}

export const AUDIO_FINDINGS = ['silent', 'too-quiet', 'too-loud', 'clipped', 'noisy', 'echo'] as const;
export type AudioFinding = (typeof AUDIO_FINDINGS)[number];

/** How captured audio was played, over a stretch of it. */
export interface PlayedAudio {
  readonly packetsReceived: number;
  readonly frames10ms: FrameCounts;
}

/** What was captured of one direction of a channel: its RTP streams, one after another. Plain data, like its tally. */
export interface CapturedMedia {
  readonly tally: PacketTally;
  /** More than one where the SSRC, an address or a port changed in mid-call. */
  readonly streams: number;
  /** Of the latest one; `address:port` as the packets have them. */
  readonly ssrc: number;
  readonly source: string;
  readonly destination: string;
  readonly payloadType: number;
  /** By a static payload type, or by the channel's codec; null when neither tells. */
  readonly codec: string | null;
  /** Null: the audio was not looked at, or cannot be read; missing in what older releases stored. */
  readonly audio?: CapturedAudio | null;
  /** Packets of any stream that the kernel dropped meanwhile because we did not take them in time: they look like losses. */
  readonly droppedByKernel: number;
  /** How often capturing was interrupted meanwhile: what passed then looks like losses, too. */
  readonly interruptions: number;
}

/** What captured packets tell of one direction, over the channel's life. Of tx: as it left this server. */
export interface CaptureRecord extends EModelRecord {
  readonly media: CapturedMedia;
  /** The latest, by RTCP (RFC 3611 §4.7.3); null is not known. */
  readonly roundTripMs: number | null;
  /** Of the RTP session that it is in, or was in last; missing where an older release stored it. */
  readonly session?: PlayedAudio;
}

/** A captured RTP stream, as far as it tells whose it is. */
export interface SeenStream {
  readonly ssrc: number;
  /** `address:port` */
  readonly source: string;
  readonly destination: string;
  /** Epoch milliseconds. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** RFC 3611's VoIP metrics with exact values; null is unknown. */
export interface VoipMetrics {
  readonly lossRatio: number;
  /** Null where the RTP clock is not known. */
  readonly discardRatio: number | null;
  readonly burstDensityRatio: number;
  readonly gapDensityRatio: number;
  /** Null while it is not known how long a packet lasts. */
  readonly burstDurationMs: number | null;
  readonly gapDurationMs: number | null;
  readonly roundTripDelayMs: number | null;
  /** What is known of it: a packet's time and the simulated jitter buffer. */
  readonly endSystemDelayMs: number | null;
  /** Of the E-model: 1 for random loss, more for bursts; null without loss. */
  readonly burstR: number | null;
  readonly gmin: number;
  readonly jbNominalMs: number;
  readonly jbMaximumMs: number;
  readonly jbAbsMaxMs: number;
  readonly isJitterBufferAdaptive: boolean;
}
