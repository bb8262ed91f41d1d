/**
 * A jitter buffer to simulate. `fixed` holds the first packet of a talkspurt for `nominalMs` and plays the others at their RTP
 * times after it.
 */
export type JitterBufferKind = { readonly kind: 'fixed'; readonly nominalMs: number } | { readonly kind: 'adaptive' };

/** A fixed buffer has room for packets that come up to this many times the nominal delay before they are played. */
const FIXED_ROOM_RATIO = 2;
/** Where the adaptive one begins. */
const ADAPTIVE_START_MS = 60;
/** Bounds of the adaptive delay: one usual packet, and Asterisk's own bound (`jbmaxsize`, 200 ms by default). */
const ADAPTIVE_LEAST_MS = 20;
const ADAPTIVE_MOST_MS = 200;
/** Weight of the past in both estimates, per packet, and the number of mean deviations that the buffer waits (Ramjee et al.). */
const ALPHA = 0.998002;
const DEVIATIONS = 4;
/** Within a talkspurt the buffer inserts or leaves out one frame of 10 ms, at most this often. */
const STEP_MS = 10;
const STEP_EVERY_MS = 100;
/** After so many discarded packets in a row, the sender's clock has moved and not the network: the buffer starts afresh. */
const RESYNC_AFTER_DISCARDS = 10;

/** What happened to an arriving packet. Late and early packets are discarded. */
export type BufferOutcome = 'played' | 'late' | 'early';

/**
 * Simulates one jitter buffer. A packet's transit is its arrival time minus its RTP time, ms, from any origin; one whose
 * transit is later than the playout point comes too late, and one that would have to wait longer than there is room
 * comes too early. A talkspurt (marker bit, or a silence before it) sets the playout point anew, as players do.
 *
 * `fixed`: playout point = transit of the talkspurt's first packet + nominal; room for twice the nominal.
 *
 * `adaptive`: Algorithm 1 of Ramjee, Kurose, Towsley and Schulzrinne, "Adaptive Playout Mechanisms for Packetized Audio
 * Applications in Wide-Area Networks", INFOCOM 1994: d = α d + (1 − α) n and v = α v + (1 − α) |d − n| over the transits
 * n, α = 0.998002, playout point = d + 4 v, held within 20 to 200 ms after d; it begins at 60 ms. Theirs moves between
 * talkspurts only; a PBX sends for minutes without one, so within a talkspurt ours steps towards that point by one frame
 * of 10 ms at most every 100 ms, inserting a concealed frame or leaving one out.
 */
export class JitterBuffer {
  readonly #nominalMs: number;
  readonly #roomMs: number;
  readonly isAdaptive: boolean;
  discardedLate = 0;
  discardedEarly = 0;
  /** Frames of 10 ms that the adaptive buffer inserted or left out to move its playout point. */
  insertedFrames = 0;
  droppedFrames = 0;
  #isEmpty = true;
  #discardRun = 0;
  #playoutMs = 0.5;
  #meanTransitMs = 0.5;
  #deviationMs = ADAPTIVE_START_MS / DEVIATIONS + 0.5;
  #sinceStepMs = 0.5;

  constructor(kind: JitterBufferKind) {
    this.isAdaptive = kind.kind === 'adaptive';
    this.#nominalMs = kind.kind === 'fixed' ? kind.nominalMs : ADAPTIVE_START_MS;
    this.#roomMs = kind.kind === 'fixed' ? kind.nominalMs * FIXED_ROOM_RATIO : ADAPTIVE_MOST_MS;
    this.#deviationMs = ADAPTIVE_START_MS / DEVIATIONS;
  }

  get discarded(): number {
    return this.discardedLate + this.discardedEarly;
  }

  /** The wait of a packet that comes exactly on time. */
  get nominalMs(): number {
    return this.isAdaptive && !this.#isEmpty ? this.#playoutMs - this.#meanTransitMs : this.#nominalMs;
  }

  /** The wait of the earliest packet that is not discarded. */
  get maximumMs(): number {
    return this.#roomMs;
  }

  /** The longest time that the buffer can ever hold a packet. */
  get absoluteMaximumMs(): number {
    return this.#roomMs;
  }

  /** Decides about a packet. `elapsedMs` is the media time since the packet before. */
  arrive(transitMs: number, elapsedMs: number, startsTalkspurt: boolean): BufferOutcome {
    if (this.#isEmpty || this.#discardRun >= RESYNC_AFTER_DISCARDS) this.#restart(transitMs);
    else if (this.isAdaptive) this.#adapt(transitMs, elapsedMs, startsTalkspurt);
    else if (startsTalkspurt) this.#playoutMs = transitMs + this.#nominalMs;

    const waitsMs = this.#playoutMs - transitMs;
    if (waitsMs < 0) {
      this.discardedLate += 1;
      this.#discardRun += 1;
      return 'late';
    }
    if (waitsMs > this.#roomMs) {
      this.discardedEarly += 1;
      this.#discardRun += 1;
      return 'early';
    }
    this.#discardRun = 0;
    return 'played';
  }

  #restart(transitMs: number): void {
    this.#isEmpty = false;
    this.#discardRun = 0;
    this.#meanTransitMs = transitMs;
    this.#playoutMs = transitMs + this.#nominalMs;
    this.#sinceStepMs = 0;
  }

  #adapt(transitMs: number, elapsedMs: number, startsTalkspurt: boolean): void {
    this.#meanTransitMs += (1 - ALPHA) * (transitMs - this.#meanTransitMs);
    this.#deviationMs += (1 - ALPHA) * (Math.abs(this.#meanTransitMs - transitMs) - this.#deviationMs);
    const holdMs = Math.min(ADAPTIVE_MOST_MS, Math.max(ADAPTIVE_LEAST_MS, DEVIATIONS * this.#deviationMs));
    const targetMs = this.#meanTransitMs + holdMs;
    if (startsTalkspurt) {
      this.#playoutMs = targetMs;
      this.#sinceStepMs = 0;
      return;
    }
    this.#sinceStepMs += elapsedMs;
    if (this.#sinceStepMs < STEP_EVERY_MS) return;
    if (targetMs - this.#playoutMs >= STEP_MS) {
      this.#playoutMs += STEP_MS;
      this.insertedFrames += 1;
      this.#sinceStepMs = 0;
    } else if (this.#playoutMs - targetMs >= STEP_MS) {
      this.#playoutMs -= STEP_MS;
      this.droppedFrames += 1;
      this.#sinceStepMs = 0;
    }
  }
}
