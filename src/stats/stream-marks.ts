/** Where the two ends of a stream stood, as far as they said. Each count of the sender has its time beside it. */
export interface StreamMarks {
  /** Where the receiver stood then; all three null: it had received nothing. */
  markAtMs: number | null;
  /** Where it stood then; all three null when it had received nothing at all. */
  markSsrc: number | null;
  markLostPackets: number | null;
  markHighestSequence: number | null;
  /** When the receiver's highest sequence number last moved; null: it never did. */
  markMovedAtMs: number | null;
  /** The sender's count at that number, and when the sender gave it; a null time: the count is calculated from an older one. */
  markMovedSenderPackets: number | null;
  markMovedSenderAtMs: number | null;
  /** The sender's latest count at the last report, and when it came. */
  markSenderPackets: number | null;
  markSenderAtMs: number | null;
  /** Packets counted as lost since the receiver stopped receiving; null: it received something. */
  markLostWhileStillPackets: number | null;
  /** The cumulative count at which the present numbering began: 0, or what a restart left. */
  baselineLostPackets: number;
  /** Packets counted as lost in the present numbering, less those that came late. */
  countedLostPackets: number;
  /** The recent part of them: each report halves it. */
  recentLostPackets: number;
  /** The packet count of the sender's latest SR, and when it came (epoch milliseconds); null: no SR came. */
  readonly senderPackets: number | null;
  readonly senderAtMs: number | null;
  /** Packets a second while the sender sends; 50 when unknown. */
  readonly packetRateHz: number;
  /** How often the receiver reports; null when unknown. */
  readonly paceMs: number | null;
}

/** The circumstances of a receiver's report. */
export interface ReportMoment {
  readonly atMs: number;
  /** When the channel began: no packet is older. */
  readonly startedAtMs: number;
  readonly answeredAtMs: number | null;
  /** True on hold and before the answer: a stream that stands still is no fault then. */
  readonly mayBeSilent: boolean;
  /** True: the channel was up before the sidecar, so the counts of a first report are not those of one interval. */
  readonly joinedLate: boolean;
  /** When this is the first report that we have of a stream, there was none before it. */
  readonly isSurelyFirst: boolean;
}
