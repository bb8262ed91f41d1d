import type { FrameCounts } from '../model/capture.ts';

/** Frames are counted in units of this many milliseconds, as softphone SDKs do. */
const FRAME_MS = 10;
/** Concealment fades out after this long (G.711 Appendix I); what follows of a loss is silence. */
const LONGEST_CONCEALMENT_MS = 60;
/** A step of the RTP clock longer than this is a new clock, not a pause. */
const LONGEST_PAUSE_MS = 600_000;

/** What a packet holds: sound, a description of background noise (RFC 3389), or a telephone event (RFC 4733). */
export type PayloadKind = 'audio' | 'comfort-noise' | 'event';

/**
 * Lays the packets of a stream, in the order of their sequence numbers, on the RTP clock and counts what a player would
 * have played in each 10 ms (`decoded_10ms_…` of the audio statistics), in constant memory.
 */
export class PlayoutFrames {
  /** Interruptions that something else had to fill: concealment or silence (RedPhone's "audio gap fill counts"). */
  fills = 0;
  readonly #clockRateHz: number;
  readonly #msPerTick: number;
  #normalMs = 0.5;
  #plcMs = 0.5;
  #cngMs = 0.5;
  #silenceMs = 0.5;
  #hasStarted = false;
  #nextTimestamp = 0;
  #missingPackets = 0;
  #lastKind: PayloadKind = 'audio';

  constructor(clockRateHz: number) {
    this.#clockRateHz = clockRateHz;
    this.#msPerTick = 1000 / clockRateHz;
    this.#normalMs = 0;
    this.#plcMs = 0;
    this.#cngMs = 0;
    this.#silenceMs = 0;
  }

  /** Another one that has been told the same, to go on with by itself. */
  clone(): PlayoutFrames {
    const copy = new PlayoutFrames(this.#clockRateHz);
    copy.fills = this.fills;
    copy.#normalMs = this.#normalMs;
    copy.#plcMs = this.#plcMs;
    copy.#cngMs = this.#cngMs;
    copy.#silenceMs = this.#silenceMs;
    copy.#hasStarted = this.#hasStarted;
    copy.#nextTimestamp = this.#nextTimestamp;
    copy.#missingPackets = this.#missingPackets;
    copy.#lastKind = this.#lastKind;
    return copy;
  }

  /** A packet was lost or discarded. */
  missing(): void {
    if (this.#hasStarted) this.#missingPackets += 1;
  }

  /** A packet was played; `packetTicks` is what one usually holds. Noise and events last until the next packet. */
  played(timestamp: number, packetTicks: number, kind: PayloadKind): void {
    if (this.#hasStarted) this.#fillUpTo(timestamp, packetTicks);
    this.#hasStarted = true;
    this.#missingPackets = 0;
    this.#lastKind = kind;
    const ticks = kind === 'audio' ? packetTicks : 0;
    this.#normalMs += ticks * this.#msPerTick;
    this.#nextTimestamp = (timestamp + ticks) | 0;
  }

  counts(insertedFrames: number, droppedFrames: number): FrameCounts {
    const frames = (ms: number): number => Math.round(ms / FRAME_MS);
    return {
      normal: Math.max(0, frames(this.#normalMs) - droppedFrames),
      plc: frames(this.#plcMs) + insertedFrames,
      cng: frames(this.#cngMs),
      silence: frames(this.#silenceMs),
    };
  }

  #fillUpTo(timestamp: number, packetTicks: number): void {
    const gapMs = ((timestamp - this.#nextTimestamp) | 0) * this.#msPerTick;
    if (gapMs <= 0 || gapMs > LONGEST_PAUSE_MS) return;
    if (this.#lastKind === 'comfort-noise') {
      this.#cngMs += gapMs;
      return;
    }
    if (this.#lastKind === 'event') {
      this.#normalMs += gapMs;
      return;
    }
    this.fills += 1;
    const lostMs = Math.min(gapMs, this.#missingPackets * packetTicks * this.#msPerTick);
    const concealedMs = Math.min(lostMs, LONGEST_CONCEALMENT_MS);
    this.#plcMs += concealedMs;
    this.#silenceMs += gapMs - concealedMs;
  }
}
