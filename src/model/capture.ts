/** Media as captured packets show it. `stats/packets/packet-tally.ts` computes it. */

import type { E_MODEL } from './fields/e-model-fields.ts';
import type { RecordOf } from './fields/field.ts';

/** Numbers of 10 ms frames, by how they were played. */
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

/** One burst in time. */
export interface BurstSpan {
  /** Epoch milliseconds, as the packets would have come; to a second or so where the sender paused soon after. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly packets: number;
  /** Lost or discarded. */
  readonly losses: number;
}

/** The sums over packets. Plain data: it is stored as it is, and tallies can be added. */
export interface PacketTally {
  /** Epoch milliseconds. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** Each sequence number once. */
  readonly packetsReceived: number;
  readonly packetsExpected: number;
  readonly duplicates: number;
  readonly outOfOrder: number;
  /** Interarrival jitter (RFC 3550 A.8) after each packet but the first: sum and number of samples. */
  readonly jitterSumMs: number;
  readonly jitterSamples: number;
  readonly jitterMaxMs: number;
  /** Packets with an unknown RTP clock; missing: none. With any, jitter and the buffer's results mean nothing. */
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
  /** Packets that the simulated jitter buffer discarded as too late or too early. */
  readonly discarded: number;
  readonly frames10ms: FrameCounts;
  /** Interruptions that were filled with something else. */
  readonly fills: number;
  readonly gmin: number;
  readonly jbNominalMs: number;
  readonly jbMaximumMs: number;
  readonly jbAbsMaxMs: number;
  readonly isJitterBufferAdaptive: boolean;
}

/** Levels of one direction's audio in dBm0: 0 is G.711's digital milliwatt, a loud talker is at -15. */
export interface AudioLevels {
  /** Level of talk spurts; null: nobody spoke. */
  readonly signalDbm0: number | null;
  /** Level of pauses; null: there were none. */
  readonly noiseDbm0: number | null;
  /** Length of the examined audio, and of the talk in it. */
  readonly audioMs: number;
  readonly talkMs: number;
  /** Number and mean length of pauses over 200 ms between talk spurts; null: there were none. */
  readonly pauses: number;
  readonly meanPauseMs: number | null;
  /** Share of samples in runs of the codec's greatest value. */
  readonly clippedPercent: number;
}

/** An echo: its delay, and how much quieter it is (residual echo return loss of RFC 3611). */
export interface Echo {
  readonly delayMs: number;
  readonly returnLossDb: number;
}

/** The findings in the audio. The audio itself is never stored. */
export interface CapturedAudio {
  readonly levels: AudioLevels;
  /** The echo that this direction's sender sends back; null: none was found, or it cannot be known. */
  readonly echo: Echo | null;
}

export const AUDIO_FINDINGS = ['silent', 'too-quiet', 'too-loud', 'clipped', 'noisy', 'echo'] as const;
export type AudioFinding = (typeof AUDIO_FINDINGS)[number];

/** How captured audio would have been played, over some time. */
export interface PlayedAudio {
  readonly packetsReceived: number;
  readonly frames10ms: FrameCounts;
}

/** The capture of one direction of a channel: its RTP streams, one after another. Plain data, like its tally. */
export interface CapturedMedia {
  readonly tally: PacketTally;
  /** More than one where the SSRC, an address or a port changed in mid-call. */
  readonly streams: number;
  /** SSRC and addresses of the latest stream; `address:port` as in its packets. */
  readonly ssrc: number;
  readonly source: string;
  readonly destination: string;
  readonly payloadType: number;
  /** The codec, by static payload type or by the channel's codec; null: unknown. */
  readonly codec: string | null;
  /** Null: the audio was not examined or cannot be read. Missing: stored by an older release. */
  readonly audio?: CapturedAudio | null;
  /** Packets of all streams that the kernel dropped in the same time, because we were slow. They look like losses. */
  readonly droppedByKernel: number;
  /** Interruptions of the capture in the same time. What passed meanwhile looks like losses, too. */
  readonly interruptions: number;
}

/** Captured packets of one direction over the channel's life; tx as it left this server. */
export interface CaptureRecord extends RecordOf<typeof E_MODEL> {
  readonly media: CapturedMedia;
  /** The latest round trip by RTCP (RFC 3611 §4.7.3); null: unknown. */
  readonly roundTripMs: number | null;
  /** Playback in the present or last RTP session. Missing: stored by an older release. */
  readonly session?: PlayedAudio;
}

/** The facts of a captured RTP stream by which its channel is found. */
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
  /** The known part of it: a packet's duration and the simulated jitter buffer. */
  readonly endSystemDelayMs: number | null;
  /** BurstR of the E-model: 1 for random loss, more for bursts; null: no loss. */
  readonly burstR: number | null;
  readonly gmin: number;
  readonly jbNominalMs: number;
  readonly jbMaximumMs: number;
  readonly jbAbsMaxMs: number;
  readonly isJitterBufferAdaptive: boolean;
}
