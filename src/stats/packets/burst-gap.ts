import type { BurstGapTotals, BurstSpan } from '../../model/capture.ts';
import { BurstLog } from './burst-log.ts';

/** Received packets in a row that end a burst (RFC 3611 §4.7.2 recommends 16). */
export const DEFAULT_GMIN = 16;

/**
 * Cuts a stream into bursts and gaps (RFC 3611 §4.7.2), exactly and in constant memory, from its packets in the order of their
 * sequence numbers.
 * Losses with fewer than Gmin received packets between them belong together. Two or more together are a burst, from the first to
 * the last of them. Everything else is gaps. The session counts as preceded and followed by Gmin received packets. A gap without
 * packets (the session begins with a burst) is none.
 */
export class BurstGapMeter {
  readonly gmin: number;
  #bursts = 0;
  #burstPackets = 0;
  #burstLosses = 0;
  #gaps = 0;
  #gapPackets = 0;
  #gapLosses = 0;
  #lossRuns = 0;
  #longestLossRun = 0;
  readonly #log: BurstLog | undefined;
  /** Packets since the last burst, up to the losses that are not decided yet. */
  #openGapPackets = 0;
  #openGapLosses = 0;
  /** The undecided losses, and the packets from the first to the last of them. More than one loss is a burst. */
  #clusterLosses = 0;
  #clusterPackets = 0;
  /** Packets received since the last loss. */
  #receivedRun = 0;
  /** Packets lost since the last received one. */
  #lossRun = 0;
  /** When the cluster's first and last loss should have come. */
  #clusterFromMs = 0.5;
  #clusterToMs = 0.5;
  /** Media times of the first packet, of the latest one, and of the cluster's first and last loss. */
  #firstMediaMs = 0.5;
  #lastMediaMs = 0.5;
  #clusterFromMediaMs = 0.5;
  #clusterToMediaMs = 0.5;
  /** The sum over bursts of the time from the first to the last loss, without the length of the last packet. */
  #burstSpansMs = 0.5;
  #hasBegun = false;

  /** `log` gets each burst. Throws when `gmin` is not a whole number of at least 1. */
  constructor(gmin: number = DEFAULT_GMIN, log?: BurstLog) {
    if (!Number.isInteger(gmin) || gmin < 1) throw new RangeError('Gmin is a whole number of at least 1.');
    this.gmin = gmin;
    this.#log = log;
    this.#burstSpansMs = 0;
  }

  /** An independent copy. */
  clone(): BurstGapMeter {
    const copy = new BurstGapMeter(this.gmin, this.#log === undefined ? undefined : new BurstLog(this.#log));
    copy.#bursts = this.#bursts;
    copy.#burstPackets = this.#burstPackets;
    copy.#burstLosses = this.#burstLosses;
    copy.#gaps = this.#gaps;
    copy.#gapPackets = this.#gapPackets;
    copy.#gapLosses = this.#gapLosses;
    copy.#lossRuns = this.#lossRuns;
    copy.#longestLossRun = this.#longestLossRun;
    copy.#openGapPackets = this.#openGapPackets;
    copy.#openGapLosses = this.#openGapLosses;
    copy.#clusterLosses = this.#clusterLosses;
    copy.#clusterPackets = this.#clusterPackets;
    copy.#receivedRun = this.#receivedRun;
    copy.#lossRun = this.#lossRun;
    copy.#clusterFromMs = this.#clusterFromMs;
    copy.#clusterToMs = this.#clusterToMs;
    copy.#firstMediaMs = this.#firstMediaMs;
    copy.#lastMediaMs = this.#lastMediaMs;
    copy.#clusterFromMediaMs = this.#clusterFromMediaMs;
    copy.#clusterToMediaMs = this.#clusterToMediaMs;
    copy.#burstSpansMs = this.#burstSpansMs;
    copy.#hasBegun = this.#hasBegun;
    return copy;
  }

  /** `mediaMs`: where the packet begins in the stream's media. */
  received(mediaMs = 0): void {
    this.#reach(mediaMs);
    this.#receivedRun += 1;
    if (this.#clusterLosses > 0 && this.#receivedRun >= this.gmin) this.#closeCluster();
  }

  /**
   * A packet was lost or discarded: both have the same effect. `mediaMs`: where it begins in the stream's media. `atMs`: when it
   * should have come, for the log.
   */
  missing(mediaMs = 0, atMs = 0): void {
    this.#reach(mediaMs);
    if (this.#receivedRun > 0 || this.#clusterLosses === 0) {
      this.#lossRuns += 1;
      this.#lossRun = 0;
    }
    this.#lossRun += 1;
    if (this.#lossRun > this.#longestLossRun) this.#longestLossRun = this.#lossRun;
    if (this.#clusterLosses === 0) {
      this.#clusterFromMs = atMs;
      this.#clusterFromMediaMs = mediaMs;
    }
    this.#clusterToMs = atMs;
    this.#clusterToMediaMs = mediaMs;
    if (this.#clusterLosses > 0) {
      this.#clusterPackets += this.#receivedRun + 1;
    } else {
      this.#openGapPackets += this.#receivedRun;
      this.#clusterPackets = 1;
    }
    this.#clusterLosses += 1;
    this.#receivedRun = 0;
  }

  /** Somebody set the clock that gives `atMs`, by `byMs`. */
  clockStepped(byMs: number): void {
    this.#clusterFromMs += byMs;
    this.#clusterToMs += byMs;
    this.#log?.clockStepped(byMs);
  }

  /** The totals as if the stream ended here; it may go on. */
  totals(): BurstGapTotals {
    const isBurst = this.#clusterLosses > 1;
    const gapTail = this.#receivedRun + (isBurst ? 0 : this.#clusterPackets);
    // The undecided packets are one gap. If they hold a burst, they are that burst and a gap on each side.
    const openGaps = isBurst
      ? Number(this.#openGapPackets > 0) + Number(gapTail > 0)
      : Number(this.#openGapPackets + gapTail > 0);
    return {
      bursts: this.#bursts + Number(isBurst),
      burstPackets: this.#burstPackets + (isBurst ? this.#clusterPackets : 0),
      burstLosses: this.#burstLosses + (isBurst ? this.#clusterLosses : 0),
      gaps: this.#gaps + openGaps,
      gapPackets: this.#gapPackets + this.#openGapPackets + gapTail,
      gapLosses: this.#gapLosses + this.#openGapLosses + (isBurst ? 0 : this.#clusterLosses),
      lossRuns: this.#lossRuns,
      longestLossRun: this.#longestLossRun,
    };
  }

  /**
   * How long all bursts and all gaps lasted, as if the stream ended here. By timestamps (RFC 3611 §4.7.2), from the begin of the
   * first packet to the end of the last, so a pause of the sender counts as time. `packetMs` is a packet's length.
   */
  durations(packetMs: number): { readonly burstMs: number; readonly gapMs: number } {
    if (!this.#hasBegun) return { burstMs: 0, gapMs: 0 };
    const isBurst = this.#clusterLosses > 1;
    const spansMs = this.#burstSpansMs + (isBurst ? this.#clusterToMediaMs - this.#clusterFromMediaMs : 0);
    const burstMs = spansMs + (this.#bursts + Number(isBurst)) * packetMs;
    return { burstMs, gapMs: Math.max(0, this.#lastMediaMs - this.#firstMediaMs + packetMs - burstMs) };
  }

  /** Copies of the bursts in the log, and of the one that goes on. The caller may move them in time. */
  spans(): BurstSpan[] {
    const closed = (this.#log?.spans ?? []).map((span) => ({ ...span }));
    return this.#log !== undefined && this.#clusterLosses > 1 ? [...closed, this.#openSpan()] : closed;
  }

  get spansLeftOut(): number {
    return this.#log?.leftOut ?? 0;
  }

  #reach(mediaMs: number): void {
    if (!this.#hasBegun) this.#firstMediaMs = mediaMs;
    this.#hasBegun = true;
    this.#lastMediaMs = mediaMs;
  }

  /** Gmin received packets have followed. So the losses before them are a burst, or a single loss that belongs to the gap. */
  #closeCluster(): void {
    if (this.#clusterLosses > 1) {
      this.#log?.add(this.#openSpan());
      this.#burstSpansMs += this.#clusterToMediaMs - this.#clusterFromMediaMs;
      this.#bursts += 1;
      this.#burstPackets += this.#clusterPackets;
      this.#burstLosses += this.#clusterLosses;
      this.#gaps += Number(this.#openGapPackets > 0);
      this.#gapPackets += this.#openGapPackets;
      this.#gapLosses += this.#openGapLosses;
      this.#openGapPackets = 0;
      this.#openGapLosses = 0;
    } else {
      this.#openGapPackets += this.#clusterPackets;
      this.#openGapLosses += this.#clusterLosses;
    }
    this.#clusterLosses = 0;
    this.#clusterPackets = 0;
  }

  #openSpan(): BurstSpan {
    return {
      fromMs: this.#clusterFromMs,
      toMs: this.#clusterToMs,
      packets: this.#clusterPackets,
      losses: this.#clusterLosses,
    };
  }
}

/**
 * BurstR of the E-model (G.107 §7.5): the mean length of loss runs over the length that random loss would have,
 * 1 / (1 − loss ratio). Undefined without losses, and when everything was lost.
 */
export function burstRatio(totals: BurstGapTotals): number | undefined {
  const losses = totals.burstLosses + totals.gapLosses;
  const packets = totals.burstPackets + totals.gapPackets;
  if (losses === 0 || losses === packets) return undefined;
  return (losses / totals.lossRuns) * (1 - losses / packets);
}
