/**
 * How loud speech and noise are, from frames of 10 ms (RFC 3611 §4.7.3: the signal level is that of talk spurts, the noise level
 * that of the pauses). What counts as talk follows ITU-T P.56: frames that are at most 15.9 dB under the level of all such
 * frames, and pauses of up to 200 ms between them. P.56 lets a talk spurt end 200 ms late; here it ends with its last frame, so that
 * bursts of a tone have the level of the tone.
 */
import type { AudioLevels } from '../../model/capture.ts';

/** 8000 samples a second, whatever the codec. */
export const FRAME_SAMPLES = 80;
const FRAME_MS = 10;
/** 0 dBm0 is 3.14 dB under a sine of full scale (G.711, A-law; 3.17 for µ-law). */
const POWER_AT_0_DBM0 = 32_768 ** 2 / 2 / 10 ** 0.314;
/** Nothing at all has no level. */
const LEAST_DBM0 = -90;
const MARGIN_DB = 15.9;
/** A pause is at least so much quieter than talk. */
const OVER_NOISE_DB = 6;
const BRIDGED_FRAMES = 20;
const STEP_DB = 2;
const THRESHOLDS = 46;
const BINS_PER_DB = 2;
const BINS = 100 * BINS_PER_DB;
/** Of the quietest frames, which one is taken as the noise; noise that is steady is 0.2 dB louder. */
const NOISE_SHARE = 0.4;
const QUIET_SHARE = 0.1;
const LOUD_SHARE = 0.9;
const LEAST_TALK_FRAMES = 10;
const LEAST_PAUSE_FRAMES = 25;
/** Steady sound that is quieter than this is nobody who speaks. */
const LEAST_STEADY_TALK_DBM0 = -50;
const THRESHOLD_POWERS: readonly number[] = Array.from({ length: THRESHOLDS }, (_, index) =>
  powerOf(thresholdDbm0(index)),
);

/** Takes the audio of one direction, frame by frame. */
export class AudioLevelMeter {
  #frames = 0;
  #clippedSamples = 0;
  readonly #bins = new Uint32Array(BINS);
  /** By threshold: frames and power of talk, pauses between talk spurts, their frames, and the pause that goes on. */
  readonly #talkFrames = new Uint32Array(THRESHOLDS);
  readonly #talkPower = new Float64Array(THRESHOLDS);
  readonly #pauses = new Uint32Array(THRESHOLDS);
  readonly #pauseFrames = new Uint32Array(THRESHOLDS);
  readonly #openFrames = new Uint32Array(THRESHOLDS);
  readonly #openPower = new Float64Array(THRESHOLDS);

  /** A frame of 80 samples; `power`: the mean of their squares, all bands together; `clippedSamples`: of a run of the codec's greatest. */
  takeFrame(power: number, clippedSamples: number): void {
    this.#frames += 1;
    this.#clippedSamples += clippedSamples;
    const bin = binOf(dbm0Of(power));
    this.#bins[bin] = (this.#bins[bin] ?? 0) + 1;
    for (let index = 0; index < THRESHOLDS; index += 1) {
      if (power >= (THRESHOLD_POWERS[index] ?? 0)) this.#talk(index, power);
      else if ((this.#talkFrames[index] ?? 0) > 0) this.#pause(index, power);
    }
  }

  /** Null before there is any audio. */
  levels(): AudioLevels | null {
    if (this.#frames < LEAST_TALK_FRAMES) return null;
    const quietDbm0 = this.#levelAt(QUIET_SHARE, this.#frames);
    const clippedPercent = (100 * this.#clippedSamples) / (this.#frames * FRAME_SAMPLES);
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

  #talk(index: number, power: number): void {
    const open = this.#openFrames[index] ?? 0;
    const isBridged = open <= BRIDGED_FRAMES;
    if (!isBridged) {
      this.#pauses[index] = (this.#pauses[index] ?? 0) + 1;
      this.#pauseFrames[index] = (this.#pauseFrames[index] ?? 0) + open;
    }
    this.#talkFrames[index] = (this.#talkFrames[index] ?? 0) + 1 + (isBridged ? open : 0);
    this.#talkPower[index] = (this.#talkPower[index] ?? 0) + power + (isBridged ? (this.#openPower[index] ?? 0) : 0);
    this.#openFrames[index] = 0;
    this.#openPower[index] = 0;
  }

  #pause(index: number, power: number): void {
    this.#openFrames[index] = (this.#openFrames[index] ?? 0) + 1;
    this.#openPower[index] = (this.#openPower[index] ?? 0) + power;
  }

  /** The lowest threshold that P.56's margin and the noise allow. */
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

  /** Of as many of the quietest frames as the pauses have: dips within talk are quieter than talk, and louder than those. */
  #noiseBelow(threshold: number): number | null {
    const open = this.#openFrames[threshold] ?? 0;
    const frames = (this.#pauseFrames[threshold] ?? 0) + (open > BRIDGED_FRAMES ? open : 0);
    return frames < LEAST_PAUSE_FRAMES ? null : this.#levelAt(NOISE_SHARE, frames);
  }

  /** The level of the frame that stands so far up among the `frames` quietest ones. */
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
    // Every frame was at least as loud as the lowest threshold, or there is nothing to hear.
    const last = THRESHOLDS - 1;
    const frames = this.#talkFrames[last] ?? 0;
    return frames === 0 ? 0 : (this.#talkPower[last] ?? 0) / frames;
  }
}

function thresholdDbm0(index: number): number {
  return -STEP_DB * index;
}

function powerOf(dbm0: number): number {
  return POWER_AT_0_DBM0 * 10 ** (dbm0 / 10);
}

function dbm0Of(power: number): number {
  return power <= 0 ? LEAST_DBM0 : Math.max(LEAST_DBM0, 10 * Math.log10(power / POWER_AT_0_DBM0));
}

function binOf(dbm0: number): number {
  return Math.min(BINS - 1, Math.max(0, Math.floor((dbm0 - LEAST_DBM0) * BINS_PER_DB)));
}
