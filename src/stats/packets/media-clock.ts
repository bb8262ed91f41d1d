import type { PayloadKind } from './playout-frames.ts';

/** Bound on votes: so many different votes replace even a long-established packet time. */
const MAX_VOTES = 3;
/** A packet's usual length where nothing tells (RFC 3551 §4.2). */
const DEFAULT_PACKET_MS = 20;
/** The network explains a shift of up to this much; beyond it, the sender's clock may have jumped. */
const LEAST_JUMP_MS = 60;
/** The RTP clock jumped if the sequence numbers explain an arrival this many times better. */
const JUMP_RATIO = 4;
/** No network holds a packet for this long, but a sender can pause. */
const LEAST_PAUSE_MS = 1000;
/** The same, where the RTP clock and the sequence stood still meanwhile, as they also do when a network stalls. */
const LEAST_FROZEN_PAUSE_MS = 2000;

/**
 * Turns the RTP times of a stream into milliseconds of media. Media time goes on as the sender's media did, even where its RTP
 * clock jumped, stood still during a hold, or changed with the codec, because what no network can do is not jitter. Where the
 * clock's rate is not known, media time follows the arrivals: that tells how long packets last, and nothing about jitter.
 */
export class MediaClock {
  /** How often the RTP clock jumped or stood still. */
  jumps = 0;
  /**
   * True: a pause of the sender precedes the latest packet, since the RTP clock went on for longer than the packets account for.
   */
  isAfterPause = false;
  /** Media time of the latest packet that is ahead of all others and has its own RTP time. */
  mediaMs = 0.5;
  #timestamp = 0;
  #atMs = 0.5;
  /** Sequence numbers since that packet. */
  #steps = 0;
  /** NaN while the rate is not known. */
  #msPerTick: number;
  #hasBegun = false;
  /** True: the next packet's RTP time cannot be compared with the one before. */
  #isAnew = false;
  #ticks = 0;
  #votes = 0;
  /** The same, from packets that do not follow each other directly. It serves while there are no others. */
  #spacedTicks = 0;
  #spacedVotes = 0;
  #allSteps = 0;

  constructor(clockRateHz: number | undefined) {
    this.#msPerTick = clockRateHz === undefined ? Number.NaN : 1000 / clockRateHz;
    this.mediaMs = 0;
  }

  get isKnown(): boolean {
    return this.#msPerTick > 0;
  }

  get msPerTick(): number {
    return this.#msPerTick;
  }

  /** RTP ticks from one packet to the next; 0 until known. */
  get packetTicks(): number {
    return this.#ticks > 0 ? this.#ticks : this.#spacedTicks;
  }

  /** A packet's usual length, ms, by neighbouring packets or else by the pace of arrivals. */
  get packetMs(): number {
    const ms = this.packetTicks * this.#msPerTick;
    if (ms > 0) return ms;
    return this.#allSteps > 0 && this.mediaMs > 0 ? this.mediaMs / this.#allSteps : DEFAULT_PACKET_MS;
  }

  /** The next packet's RTP time is by another clock. */
  change(clockRateHz: number | undefined): void {
    const { packetMs } = this;
    this.#msPerTick = clockRateHz === undefined ? Number.NaN : 1000 / clockRateHz;
    this.#ticks = clockRateHz === undefined ? 0 : Math.round((packetMs * clockRateHz) / 1000);
    this.#votes = 0;
    this.#spacedTicks = 0;
    this.#spacedVotes = 0;
    this.restart();
  }

  /** The sender began anew: the next packet's media time follows the last one's by their arrivals. */
  restart(): void {
    this.#isAnew = true;
    this.#steps = 0;
  }

  clockStepped(byMs: number): void {
    this.#atMs += byMs;
  }

  /** RTP ticks since the latest packet with its own RTP time. */
  ticksSince(timestamp: number): number {
    return (timestamp - this.#timestamp) | 0;
  }

  /** Sequence numbers since that packet, if the next packet is `step` numbers ahead. */
  stepsTo(step: number): number {
    return this.#steps + step;
  }

  elapsedMs(atMs: number): number {
    return atMs - this.#atMs;
  }

  /** The media time of a packet `step` numbers ahead of the highest so far. */
  ahead(step: number, timestamp: number, atMs: number, kind: PayloadKind): number {
    this.#steps += step;
    const steps = this.#steps;
    this.isAfterPause = false;
    // A telephone event keeps one RTP time for all its packets (RFC 4733 §2.1).
    if (kind === 'event') return this.mediaMs + steps * this.packetMs;
    if (this.#hasBegun) {
      const elapsedMs = atMs - this.#atMs;
      const ticks = (timestamp - this.#timestamp) | 0;
      if (kind === 'audio' && !this.#isAnew) this.#learn(ticks, steps);
      this.mediaMs += this.#isAnew ? Math.max(0, elapsedMs) : this.#advanceMs(ticks, steps, elapsedMs);
      this.#allSteps += steps;
    }
    this.#hasBegun = true;
    this.#isAnew = false;
    this.#timestamp = timestamp;
    this.#atMs = atMs;
    this.#steps = 0;
    return this.mediaMs;
  }

  /** The media time of a packet `behind` numbers below the highest. Where it has no RTP time by this clock, its number tells. */
  behind(behind: number, timestamp: number | undefined): number {
    const expectedMs = this.mediaMs + (this.#steps - behind) * this.packetMs;
    if (timestamp === undefined) return expectedMs;
    const byClockMs = this.mediaMs + ((timestamp - this.#timestamp) | 0) * this.#msPerTick;
    return Math.abs(byClockMs - expectedMs) <= LEAST_PAUSE_MS ? byClockMs : expectedMs;
  }

  #advanceMs(ticks: number, steps: number, elapsedMs: number): number {
    const byClockMs = ticks * this.#msPerTick;
    const offMs = Math.abs(elapsedMs - byClockMs);
    // NaN: the rate is not known.
    if (!(offMs >= 0)) return Math.max(0, elapsedMs);
    const packetTicks = this.#ticks > 0 ? this.#ticks : this.#spacedTicks;
    this.isAfterPause = packetTicks > 0 && ticks > steps * packetTicks;
    if (offMs <= LEAST_JUMP_MS) return byClockMs;
    const isFrozen = packetTicks > 0 && ticks === steps * packetTicks;
    if (packetTicks > 0 && !isFrozen) {
      const bySequenceMs = steps * packetTicks * this.#msPerTick;
      const stillOffMs = Math.abs(elapsedMs - bySequenceMs);
      if (stillOffMs <= LEAST_JUMP_MS && stillOffMs * JUMP_RATIO < offMs) {
        this.jumps += 1;
        this.isAfterPause = false;
        return bySequenceMs;
      }
    }
    if (offMs <= (isFrozen ? LEAST_FROZEN_PAUSE_MS : LEAST_PAUSE_MS)) return byClockMs;
    this.jumps += 1;
    this.isAfterPause = true;
    return Math.max(0, elapsedMs);
  }

  /** Majority vote (Boyer and Moore) over the steps of the RTP clock. */
  #learn(ticks: number, steps: number): void {
    if (ticks <= 0) return;
    if (steps === 1) {
      if (ticks === this.#ticks) this.#votes = Math.min(MAX_VOTES, this.#votes + 1);
      else {
        this.#votes -= 1;
        if (this.#votes < 0) {
          this.#ticks = ticks;
          this.#votes = 0;
        }
      }
      return;
    }
    if (ticks % steps !== 0) return;
    if (ticks / steps === this.#spacedTicks) this.#spacedVotes = Math.min(MAX_VOTES, this.#spacedVotes + 1);
    else {
      this.#spacedVotes -= 1;
      if (this.#spacedVotes < 0) {
        this.#spacedTicks = ticks / steps;
        this.#spacedVotes = 0;
      }
    }
  }
}
