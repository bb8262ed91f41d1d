/**
 * Looks for the audio of one direction in that of the other: who hears himself, how late and how loud. The cross spectrum,
 * divided by the spectrum of what was sent and averaged over the call, is the response of the echo's path. The response's peak is
 * the delay, even where speech repeats itself. The plain correlation at that delay is the loudness.
 */
import type { Echo } from '../../model/capture.ts';
import { FourierTransform } from './fft.ts';
import type { SampleHistory } from './sample-history.ts';

const TRANSFORM_BITS = 13;
const SAMPLES_PER_MS = 8;
/** One window: half a second that came back, and the half second before it in which all of it may have been sent. */
const WINDOW = 2 ** (TRANSFORM_BITS - 1);
const SPAN = 2 * WINDOW;
const DELAY_STEP = 32;
/** Windows with talk: so many are needed, and so many are enough. */
const LEAST_WINDOWS = 4;
const MOST_WINDOWS = 8;
/** The power of -45 dBm0. A quieter talker has no noticeable echo. */
const LEAST_POWER = 32_768 ** 2 / 2 / 10 ** 4.814;
/** How many times the peak must exceed what chance makes: the root mean square over all other delays. */
const LEAST_PEAK_RATIO = 8;
/**
 * A second peak, more than 2 ms away, may be at most this high in proportion. A higher one means that the sound repeats itself,
 * so that its delay cannot be told.
 */
const MOST_SECOND_RATIO = 0.7;
/** The sound must be spread over at least so many parts of the spectrum, each 1 Hz wide; a tone has only a few. */
const LEAST_SPREAD = 40;
const PEAK_SAMPLES = 2 * SAMPLES_PER_MS;
/** This share of the mean power is added before dividing, because nothing can be divided where nothing was sent. */
const REGULARISATION = 0.01;

const transform = new FourierTransform(TRANSFORM_BITS);
const real = new Float64Array(SPAN);
const imaginary = new Float64Array(SPAN);

/** Finds the echo of one direction in the other, within one call. */
export class EchoSearch {
  readonly #crossReal = new Float64Array(SPAN);
  readonly #crossImaginary = new Float64Array(SPAN);
  readonly #sentPower = new Float64Array(SPAN);
  /** Energy of what was sent in windows that begin whole steps earlier: an echo of that delay is made of it. */
  readonly #sentEnergy = new Float64Array(WINDOW / DELAY_STEP + 1);
  #windows = 0;

  get isDone(): boolean {
    return this.#windows >= MOST_WINDOWS;
  }

  /** How long a window is, in samples of both histories. */
  static readonly windowSamples: number = WINDOW;

  /**
   * Takes the half second of `returned` that ends before sample `end`; `offset`: where a sample of `returned` lies in the
   * count of `sent`. False when one of the two does not have it, or nobody spoke.
   */
  take(sent: SampleHistory, returned: SampleHistory, end: number, offset: number): boolean {
    real.fill(0);
    imaginary.fill(0);
    const isThere =
      sent.copyTo(real, 0, end + offset - SPAN, SPAN) && returned.copyTo(imaginary, WINDOW, end - WINDOW, WINDOW);
    if (!isThere || powerOf(real) < LEAST_POWER) return false;
    this.#addEnergies();
    transform.transform(real, imaginary);
    // Two real signals in one transform: the even part is what was sent, the odd part what came back.
    for (let n = 0; n < SPAN; n += 1) {
      const mirror = (SPAN - n) % SPAN;
      const sentReal = ((real[n] ?? 0) + (real[mirror] ?? 0)) / 2;
      const sentImaginary = ((imaginary[n] ?? 0) - (imaginary[mirror] ?? 0)) / 2;
      const backReal = ((imaginary[n] ?? 0) + (imaginary[mirror] ?? 0)) / 2;
      const backImaginary = ((real[mirror] ?? 0) - (real[n] ?? 0)) / 2;
      this.#crossReal[n] = (this.#crossReal[n] ?? 0) + backReal * sentReal + backImaginary * sentImaginary;
      this.#crossImaginary[n] = (this.#crossImaginary[n] ?? 0) + backImaginary * sentReal - backReal * sentImaginary;
      this.#sentPower[n] = (this.#sentPower[n] ?? 0) + sentReal ** 2 + sentImaginary ** 2;
    }
    this.#windows += 1;
    return true;
  }

  /** Null: there was too little talk to tell, or no echo was found. */
  echo(): Echo | null {
    if (this.#windows < LEAST_WINDOWS || spreadOf(this.#sentPower) < LEAST_SPREAD) return null;
    const response = this.#overTime((n, floor) => 1 / ((this.#sentPower[n] ?? 0) + floor));
    const delaySamples = standingOut(response);
    if (delaySamples === undefined) return null;
    const correlation = this.#overTime(() => 1);
    const sentEnergy = this.#sentEnergy[Math.round(delaySamples / DELAY_STEP)] ?? 0;
    const gain = Math.abs(correlation[delaySamples] ?? 0) / sentEnergy;
    if (gain === 0) return null;
    return { delayMs: delaySamples / SAMPLES_PER_MS, returnLossDb: Math.max(0, -20 * Math.log10(gain)) };
  }

  #addEnergies(): void {
    let energy = 0;
    for (let n = WINDOW; n < SPAN; n += 1) energy += (real[n] ?? 0) ** 2;
    for (let delay = 0; delay <= WINDOW; delay += 1) {
      if (delay % DELAY_STEP === 0) {
        const step = delay / DELAY_STEP;
        this.#sentEnergy[step] = (this.#sentEnergy[step] ?? 0) + energy;
      }
      energy += (real[WINDOW - 1 - delay] ?? 0) ** 2 - (real[SPAN - 1 - delay] ?? 0) ** 2;
    }
  }

  /** The cross spectrum, weighted, as a function of the delay in samples. */
  #overTime(weight: (n: number, floor: number) => number): Float64Array {
    const floor = (REGULARISATION * this.#sentPower.reduce((sum, power) => sum + power, 0)) / SPAN;
    for (let n = 0; n < SPAN; n += 1) {
      const factor = weight(n, floor) / SPAN;
      real[n] = (this.#crossReal[n] ?? 0) * factor;
      // The inverse transform is the transform of the conjugate.
      imaginary[n] = -(this.#crossImaginary[n] ?? 0) * factor;
    }
    transform.transform(real, imaginary);
    return real.slice(0, WINDOW);
  }
}

/** The delay at which a response has its one peak; undefined: it has none. */
function standingOut(response: Float64Array): number | undefined {
  let best = 0;
  for (let n = 1; n < response.length; n += 1) {
    if (Math.abs(response[n] ?? 0) > Math.abs(response[best] ?? 0)) best = n;
  }
  const peak = Math.abs(response[best] ?? 0);
  let power = 0;
  let second = 0;
  let others = 0;
  for (let n = 0; n < response.length; n += 1) {
    if (Math.abs(n - best) <= PEAK_SAMPLES) continue;
    const value = Math.abs(response[n] ?? 0);
    power += value * value;
    others += 1;
    second = Math.max(second, value);
  }
  const isOne = peak >= LEAST_PEAK_RATIO * Math.sqrt(power / others) && second <= MOST_SECOND_RATIO * peak;
  return isOne ? best : undefined;
}

/** How many values hold most of the sum: all of them when they are equal, 1 when there is only one. */
function spreadOf(values: Float64Array): number {
  let sum = 0;
  let squares = 0;
  for (const value of values) {
    sum += value;
    squares += value * value;
  }
  return squares === 0 ? 0 : (sum * sum) / squares;
}

function powerOf(samples: Float64Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return sum / samples.length;
}
