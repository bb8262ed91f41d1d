import type { FrameCounts } from '../../model/capture.ts';

/** Frames are counted in units of this many milliseconds, as softphone SDKs do. */
const FRAME_MS = 10;
/** Concealment fades out after this long (G.711 Appendix I); the rest of a loss is silence. */
const LONGEST_CONCEALMENT_MS = 60;
/** A longer pause ends the stream: media after it belongs to another. */
const LONGEST_PAUSE_MS = 600_000;

/** A shorter gap is rounding, of a clock that does not divide a millisecond. */
const LEAST_GAP_MS = 0.25;

/** What a packet holds: sound, a description of background noise (RFC 3389), or a telephone event (RFC 4733). */
export type PayloadKind = 'audio' | 'comfort-noise' | 'event';

/**
 * Counts what a player would have played in each 10 ms of media time (`decoded_10ms_…` of the audio statistics). It takes a
 * stream's packets in the order of their sequence numbers and needs constant memory.
 */
export class PlayoutFrames {
  /** Interruptions that concealment or silence had to fill (RedPhone's "audio gap fill counts"). */
  fills = 0;
  #normalMs = 0.5;
  #plcMs = 0.5;
  #cngMs = 0.5;
  #silenceMs = 0.5;
  #hasStarted = false;
  #nextMs = 0.5;
  #missingPackets = 0;
  #lastKind: PayloadKind = 'audio';

  constructor() {
    this.#normalMs = 0;
    this.#plcMs = 0;
    this.#cngMs = 0;
    this.#silenceMs = 0;
  }

  /** An independent copy. */
  clone(): PlayoutFrames {
    const copy = new PlayoutFrames();
    copy.fills = this.fills;
    copy.#normalMs = this.#normalMs;
    copy.#plcMs = this.#plcMs;
    copy.#cngMs = this.#cngMs;
    copy.#silenceMs = this.#silenceMs;
    copy.#hasStarted = this.#hasStarted;
    copy.#nextMs = this.#nextMs;
    copy.#missingPackets = this.#missingPackets;
    copy.#lastKind = this.#lastKind;
    return copy;
  }

  /** A packet was lost or discarded. */
  missing(): void {
    if (this.#hasStarted) this.#missingPackets += 1;
  }

  /** A packet was played. `packetMs` is a packet's usual length. Noise and events last until the next packet. */
  played(mediaMs: number, packetMs: number, kind: PayloadKind): void {
    if (this.#hasStarted) this.#fillUpTo(mediaMs, packetMs);
    this.#hasStarted = true;
    this.#missingPackets = 0;
    this.#lastKind = kind;
    const ownMs = kind === 'audio' ? packetMs : 0;
    this.#normalMs += ownMs;
    this.#nextMs = mediaMs + ownMs;
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

  #fillUpTo(mediaMs: number, packetMs: number): void {
    const gapMs = mediaMs - this.#nextMs;
    if (gapMs < LEAST_GAP_MS || gapMs > LONGEST_PAUSE_MS) return;
    if (this.#lastKind === 'comfort-noise') {
      this.#cngMs += gapMs;
      return;
    }
    if (this.#lastKind === 'event') {
      this.#normalMs += gapMs;
      return;
    }
    this.fills += 1;
    const lostMs = Math.min(gapMs, this.#missingPackets * packetMs);
    const concealedMs = Math.min(lostMs, LONGEST_CONCEALMENT_MS);
    this.#plcMs += concealedMs;
    this.#silenceMs += gapMs - concealedMs;
  }
}
