import type { PayloadKind } from './playout-frames.ts';

/** Votes that a new packet time needs against a well established one. */
const MAX_VOTES = 3;
/** RFC 3551 §4.2: what a packet holds where nothing tells. */
const DEFAULT_PACKET_MS = 20;
/** Up to here the network, not the sender's clock, is taken to have moved a packet. */
const LEAST_JUMP_MS = 60;
/** The RTP clock has jumped when the sequence explains an arrival this many times better. */
const JUMP_RATIO = 4;
/** No network holds a packet for this long (formulas: "a jump of the sender's clock"), but a sender can pause. */
const LEAST_PAUSE_MS = 1000;
/** The same where the RTP clock stood still meanwhile, as the sequence did: a network that stalls looks like that, too. */
const LEAST_FROZEN_PAUSE_MS = 2000;

/**
 * Turns the RTP times of a stream into milliseconds of media. They go on as the sender's media did, also where its RTP clock
 * jumped, stood still during a hold, or was exchanged with the codec: what no network can have done is not jitter. Where the
 * clock's rate is not known, media time goes on with the arrivals, which tells how long packets last but nothing of jitter.
 */
export class MediaClock {
  /** Times that the RTP clock jumped or stood still. */
  jumps = 0;
  /** The latest packet came after media that nobody sent: the RTP clock went on for longer than the packets account for. */
  isAfterPause = false;
  /** Of the latest packet that is ahead of all before it and has an RTP time of its own. */
  mediaMs = 0.5;
  #timestamp = 0;
  #atMs = 0.5;
  /** Sequence numbers since then. */
  #steps = 0;
  /** Not a number while the rate is not known. */
  #msPerTick: number;
  #hasBegun = false;
  /** The next packet's RTP time cannot be compared with the one before it. */
  #isAnew = false;
  #ticks = 0;
  #votes = 0;
  /** The same of neighbours that are not next to each other, for where there are no others. */
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

  /** What one packet usually holds, ms: as its neighbours tell, or by the pace of arrivals. */
  get packetMs(): number {
    const ms = this.packetTicks * this.#msPerTick;
    if (ms > 0) return ms;
    return this.#allSteps > 0 && this.mediaMs > 0 ? this.mediaMs / this.#allSteps : DEFAULT_PACKET_MS;
  }

  /** From the next packet on, RTP time is that of another clock. */
  change(clockRateHz: number | undefined): void {
    const { packetMs } = this;
    this.#msPerTick = clockRateHz === undefined ? Number.NaN : 1000 / clockRateHz;
    this.#ticks = clockRateHz === undefined ? 0 : Math.round((packetMs * clockRateHz) / 1000);
    this.#votes = 0;
    this.#spacedTicks = 0;
    this.#spacedVotes = 0;
    this.restart();
  }

  /** The sender began anew: the next packet goes on where the last one was, as its arrival says. */
  restart(): void {
    this.#isAnew = true;
    this.#steps = 0;
  }

  clockStepped(byMs: number): void {
    this.#atMs += byMs;
  }

  /** Ticks since the latest packet that had an RTP time. */
  ticksSince(timestamp: number): number {
    return (timestamp - this.#timestamp) | 0;
  }

  /** Sequence numbers to that packet, when the next one is `step` numbers ahead. */
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

  /** The media time of a packet `behind` numbers below the highest; without an RTP time by this clock, as its number says. */
  behind(behind: number, timestamp: number | undefined): number {
    const expectedMs = this.mediaMs + (this.#steps - behind) * this.packetMs;
    if (timestamp === undefined) return expectedMs;
    const byClockMs = this.mediaMs + ((timestamp - this.#timestamp) | 0) * this.#msPerTick;
    return Math.abs(byClockMs - expectedMs) <= LEAST_PAUSE_MS ? byClockMs : expectedMs;
  }

  #advanceMs(ticks: number, steps: number, elapsedMs: number): number {
    const byClockMs = ticks * this.#msPerTick;
    const offMs = Math.abs(elapsedMs - byClockMs);
    // Not a number: the rate is not known.
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
