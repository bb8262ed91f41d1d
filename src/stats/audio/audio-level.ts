/**
 * How loud speech and noise are, packet by packet. By RFC 3611 §4.7.3 the signal level is that of talk spurts, the noise level
 * that of the pauses. By ITU-T P.56 a frame is talk if it is at most 15.9 dB below the level of all such frames, or lies in a
 * pause of up to 200 ms between them. P.56 ends a talk spurt 200 ms late. Here it ends with its last frame, so that bursts of a
 * tone have the level of the tone.
 */
import type { AudioLevels } from '../../model/capture.ts';

const FRAME_MS = 10;
/** The power of 0 dBm0: 3.14 dB below a sine of full scale (G.711, A-law; 3.17 for µ-law). */
const POWER_AT_0_DBM0 = 32_768 ** 2 / 2 / 10 ** 0.314;
/** The level of digital silence, which has none. */
const LEAST_DBM0 = -90;
const MARGIN_DB = 15.9;
/** Talk is at least this much louder than a pause. */
const OVER_NOISE_DB = 6;
const BRIDGED_FRAMES = 20;
const STEP_DB = 3;
const THRESHOLDS = 31;
const BINS_PER_DB = 2;
const BINS = 100 * BINS_PER_DB;
/** The noise is the frame at this share of the quietest ones, from the quietest up. Steady noise is 0.2 dB louder than that. */
const NOISE_SHARE = 0.4;
const QUIET_SHARE = 0.1;
const LOUD_SHARE = 0.9;
const LEAST_TALK_FRAMES = 10;
const LEAST_PAUSE_FRAMES = 25;
/** A steady sound that is quieter than this is no speech. */
const LEAST_STEADY_TALK_DBM0 = -50;

/** Takes the audio of one direction, packet by packet; lengths are in frames of 10 ms, and parts of one. */
export class AudioLevelMeter {
  #frames = 0;
  #clippedFrames = 0;
  /** Of the packets in a row that reach the same threshold: that threshold, their length and their power. */
  #reached = 0;
  #stretchFrames = 0;
  #stretchPower = 0;
  readonly #bins = new Float32Array(BINS);
  /** For each threshold: frames and power of talk, pauses between talk spurts, their frames, and the pause that goes on. */
  readonly #talkFrames = new Float32Array(THRESHOLDS);
  readonly #talkPower = new Float64Array(THRESHOLDS);
  readonly #pauses = new Uint32Array(THRESHOLDS);
  readonly #pauseFrames = new Float32Array(THRESHOLDS);
  readonly #openFrames = new Float32Array(THRESHOLDS);
  readonly #openPower = new Float64Array(THRESHOLDS);

  /** `power`: the mean of the squares of its samples, all bands together; `frames`: how many times 10 ms it lasts. */
  take(power: number, frames: number, clippedPercent: number): void {
    this.#frames += frames;
    this.#clippedFrames += (frames * clippedPercent) / 100;
    const dbm0 = dbm0Of(power);
    const bin = binOf(dbm0);
    this.#bins[bin] = (this.#bins[bin] ?? 0) + frames;
    // Packets in a row that reach the same thresholds are one stretch.
    const reached = Math.min(THRESHOLDS, Math.max(0, Math.ceil(-dbm0 / STEP_DB)));
    if (reached !== this.#reached) this.#endStretch(reached);
    this.#stretchFrames += frames;
    this.#stretchPower += power * frames;
  }

  /** Null before there is any audio. */
  levels(): AudioLevels | null {
    this.#endStretch(this.#reached);
    if (this.#frames < LEAST_TALK_FRAMES) return null;
    const quietDbm0 = this.#levelAt(QUIET_SHARE, this.#frames);
    const clippedPercent = (100 * this.#clippedFrames) / this.#frames;
    const audioMs = this.#frames * FRAME_MS;
    const loudDbm0 = this.#levelAt(LOUD_SHARE, this.#frames);
    // No pauses: a tone, steady noise, or nothing at all.
    const threshold = loudDbm0 - quietDbm0 < OVER_NOISE_DB ? undefined : this.#talkThreshold(quietDbm0);
    if (threshold === undefined || (this.#talkFrames[threshold] ?? 0) < LEAST_TALK_FRAMES) {
      const dbm0 = dbm0Of(this.#meanPower());
      const isTalk = dbm0 >= LEAST_STEADY_TALK_DBM0;
      const level = isTalk ? { signalDbm0: dbm0, noiseDbm0: null } : { signalDbm0: null, noiseDbm0: dbm0 };
      return { ...level, audioMs, talkMs: isTalk ? audioMs : 0, pauses: 0, meanPauseMs: null, clippedPercent };
    }
    const talkFrames = this.#talkFrames[threshold] ?? 0;
    const pauses = this.#pauses[threshold] ?? 0;
    return {
      signalDbm0: dbm0Of((this.#talkPower[threshold] ?? 0) / talkFrames),
      noiseDbm0: this.#noiseBelow(threshold),
      audioMs,
      talkMs: talkFrames * FRAME_MS,
      pauses,
      meanPauseMs: pauses === 0 ? null : ((this.#pauseFrames[threshold] ?? 0) * FRAME_MS) / pauses,
      clippedPercent,
    };
  }

  /** Ends a stretch and counts it for each threshold. `reached`: the first threshold that the next stretch reaches. */
  #endStretch(reached: number): void {
    const [frames, power] = [this.#stretchFrames, this.#stretchPower];
    const first = this.#reached;
    this.#reached = reached;
    this.#stretchFrames = 0;
    this.#stretchPower = 0;
    if (frames === 0) return;
    for (let index = first; index < THRESHOLDS; index += 1) this.#talk(index, power, frames);
    for (let index = 0; index < first; index += 1) {
      if ((this.#talkFrames[index] ?? 0) > 0) this.#pause(index, power, frames);
    }
  }

  /** `power`: the sum over its frames. */
  #talk(index: number, power: number, frames: number): void {
    const open = this.#openFrames[index] ?? 0;
    const isBridged = open <= BRIDGED_FRAMES;
    if (!isBridged) {
      this.#pauses[index] = (this.#pauses[index] ?? 0) + 1;
      this.#pauseFrames[index] = (this.#pauseFrames[index] ?? 0) + open;
    }
    this.#talkFrames[index] = (this.#talkFrames[index] ?? 0) + frames + (isBridged ? open : 0);
    this.#talkPower[index] = (this.#talkPower[index] ?? 0) + power + (isBridged ? (this.#openPower[index] ?? 0) : 0);
    this.#openFrames[index] = 0;
    this.#openPower[index] = 0;
  }

  #pause(index: number, power: number, frames: number): void {
    this.#openFrames[index] = (this.#openFrames[index] ?? 0) + frames;
    this.#openPower[index] = (this.#openPower[index] ?? 0) + power;
  }

  /** The lowest threshold that P.56's margin and the noise allow; undefined: there is none. */
  #talkThreshold(quietDbm0: number): number | undefined {
    let chosen: number | undefined;
    for (let index = 0; index < THRESHOLDS; index += 1) {
      const frames = this.#talkFrames[index] ?? 0;
      if (frames < LEAST_TALK_FRAMES) continue;
      const atDbm0 = thresholdDbm0(index);
      if (chosen !== undefined && atDbm0 < quietDbm0 + OVER_NOISE_DB) break;
      chosen = index;
      if (dbm0Of((this.#talkPower[index] ?? 0) / frames) - atDbm0 >= MARGIN_DB) break;
    }
    return chosen;
  }

  /**
   * The noise, taken from as many of the quietest frames as there are frames in pauses. Frames in dips within talk are quieter
   * than talk and louder than those.
   */
  #noiseBelow(threshold: number): number | null {
    const open = this.#openFrames[threshold] ?? 0;
    const frames = (this.#pauseFrames[threshold] ?? 0) + (open > BRIDGED_FRAMES ? open : 0);
    return frames < LEAST_PAUSE_FRAMES ? null : this.#levelAt(NOISE_SHARE, frames);
  }

  /** The level of the frame at `share` among the `frames` quietest ones, from the quietest up. */
  #levelAt(share: number, frames: number): number {
    let left = share * frames;
    for (let bin = 0; bin < BINS; bin += 1) {
      const here = this.#bins[bin] ?? 0;
      if (here >= left && here > 0) return LEAST_DBM0 + (bin + left / here) / BINS_PER_DB;
      left -= here;
    }
    return LEAST_DBM0;
  }

  #meanPower(): number {
    // Every frame reaches the lowest threshold, or there is nothing to hear.
    const last = THRESHOLDS - 1;
    const frames = this.#talkFrames[last] ?? 0;
    return frames === 0 ? 0 : (this.#talkPower[last] ?? 0) / frames;
  }
}

function thresholdDbm0(index: number): number {
  return -STEP_DB * index;
}

function dbm0Of(power: number): number {
  return power <= 0 ? LEAST_DBM0 : Math.max(LEAST_DBM0, 10 * Math.log10(power / POWER_AT_0_DBM0));
}

function binOf(dbm0: number): number {
  return Math.min(BINS - 1, Math.max(0, Math.floor((dbm0 - LEAST_DBM0) * BINS_PER_DB)));
}
