/**
 * The two sub-bands of a G.722 stream at 64 kbit/s (ITU-T G.722, clauses 4 and 6.2): below and above 4 kHz, each with 8000
 * samples a second. Levels and echoes need only these, so the filter that joins the bands is left out. Comments name the
 * recommendation's blocks.
 */

const LOW_CODE = 0x3f;
const HIGH_SHIFT = 6;
/** Bound on a reconstructed sub-band signal (LIMIT). */
const MAX_BAND = 16_383;
const MIN_BAND = -16_384;
const MAX_16 = 32_767;
const MIN_16 = -32_768;
/** A sub-band's sample has one bit less than a 16-bit linear sample. */
const TO_16_BIT = 2;

const LOW_STEPS_6: readonly number[] = [
  -136, -136, -136, -136, -24_808, -21_904, -19_008, -16_704, -14_984, -13_512, -12_280, -11_192, -10_232, -9360, -8576,
  -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040, -728,
  24_808, 21_904, 19_008, 16_704, 14_984, 13_512, 12_280, 11_192, 10_232, 9360, 8576, 7856, 7192, 6576, 6000, 5456,
  4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
];
const LOW_STEPS_4: readonly number[] = [
  0, -20_456, -12_896, -8968, -6288, -4240, -2584, -1200, 20_456, 12_896, 8968, 6288, 4240, 2584, 1200, 0,
];
const HIGH_STEPS_2: readonly number[] = [-7408, -1616, 7408, 1616];
const LOW_LOG_STEPS: readonly number[] = [-60, 3042, 1198, 538, 334, 172, 58, -30];
/** LOGSCL: by the four higher bits of the code. */
const LOW_LOGS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 7, 0].map(
  (index) => LOW_LOG_STEPS[index] ?? 0,
);
/** LOGSCH. */
const HIGH_LOGS: readonly number[] = [798, -214, 798, -214];
const ANTI_LOGS: readonly number[] = [
  2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896, 2960, 3025,
  3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];

/** How fast a band's step size may grow, and its bound. */
interface BandScale {
  readonly startDetector: number;
  readonly maxLog: number;
  readonly shift: number;
}
const LOW: BandScale = { startDetector: 32, maxLog: 18_432, shift: 8 };
const HIGH: BandScale = { startDetector: 8, maxLog: 22_528, shift: 10 };

/** An adaptive predictor and its step size. */
class Band {
  /** What the next sample is expected to be. */
  estimate = 0;
  detector: number;
  readonly #scale: BandScale;
  #log = 0;
  #zeroEstimate = 0;
  readonly #differences = new Int32Array(7);
  readonly #zeros = new Int32Array(7);
  #a1 = 0;
  #a2 = 0;
  #partial1 = 0;
  #partial2 = 0;
  #reconstructed1 = 0;

  constructor(scale: BandScale) {
    this.#scale = scale;
    this.detector = scale.startDetector;
  }

  /** LOGSCL and SCALEL, or LOGSCH and SCALEH. */
  rescale(step: number): void {
    const { maxLog, shift } = this.#scale;
    this.#log = Math.min(maxLog, Math.max(0, ((this.#log * 127) >> 7) + step));
    const down = shift - (this.#log >> 11);
    const antiLog = ANTI_LOGS[(this.#log >> 6) & 31] ?? 0;
    this.detector = (down < 0 ? antiLog << -down : antiLog >> down) << 2;
  }

  /** Block 4: adapts the predictor to the quantised difference, and predicts the next sample. */
  adapt(difference: number): void {
    const reconstructed = saturate(this.estimate + difference);
    const partial = saturate(this.#zeroEstimate + difference);
    const a2 = this.#nextA2(partial);
    const a1 = this.#nextA1(partial, a2);
    this.#adaptZeros(difference);
    this.#partial2 = this.#partial1;
    this.#partial1 = partial;
    this.#a1 = a1;
    this.#a2 = a2;
    const poleEstimate = saturate(
      ((a1 * saturate(2 * reconstructed)) >> 15) + ((a2 * saturate(2 * this.#reconstructed1)) >> 15),
    );
    this.#reconstructed1 = reconstructed;
    this.estimate = saturate(poleEstimate + this.#zeroEstimate);
  }

  /** UPPOL2. */
  #nextA2(partial: number): number {
    const grown = saturate(this.#a1 * 4);
    const turned = isSameSign(partial, this.#partial1) ? Math.min(MAX_16, -grown) : grown;
    const step = (turned >> 7) + (isSameSign(partial, this.#partial2) ? 128 : -128);
    return Math.min(12_288, Math.max(-12_288, step + ((this.#a2 * 32_512) >> 15)));
  }

  /** UPPOL1. */
  #nextA1(partial: number, a2: number): number {
    const step = isSameSign(partial, this.#partial1) ? 192 : -192;
    const most = saturate(15_360 - a2);
    return Math.min(most, Math.max(-most, saturate(step + ((this.#a1 * 32_640) >> 15))));
  }

  /** UPZERO, DELAYA and FILTEZ. */
  #adaptZeros(difference: number): void {
    const zeros = this.#zeros;
    const differences = this.#differences;
    const step = difference === 0 ? 0 : 128;
    let estimate = 0;
    for (let tap = 6; tap >= 1; tap -= 1) {
      const earlier = differences[tap] ?? 0;
      const turned = isSameSign(earlier, difference) ? step : -step;
      const zero = saturate(turned + (((zeros[tap] ?? 0) * 32_640) >> 15));
      zeros[tap] = zero;
      const shifted = tap === 1 ? difference : (differences[tap - 1] ?? 0);
      differences[tap] = shifted;
      estimate += (zero * saturate(2 * shifted)) >> 15;
    }
    this.#zeroEstimate = saturate(estimate);
  }
}

/** Decodes one code after another. A lost packet leaves the predictors unchanged; they adapt again by themselves. */
export class G722Bands {
  /** The latest samples of both bands, as 16-bit linear ones. */
  low = 0;
  high = 0;
  readonly #low = new Band(LOW);
  readonly #high = new Band(HIGH);

  /** Whether the lower band is at its maximum. */
  get isGreatest(): boolean {
    return this.low >= TO_16_BIT * MAX_BAND || this.low <= TO_16_BIT * MIN_BAND;
  }

  take(code: number): void {
    const low = this.#low;
    const lowCode = code & LOW_CODE;
    this.low = TO_16_BIT * limit(low.estimate + ((low.detector * (LOW_STEPS_6[lowCode] ?? 0)) >> 15));
    const difference = (low.detector * (LOW_STEPS_4[lowCode >> 2] ?? 0)) >> 15;
    low.rescale(LOW_LOGS[lowCode >> 2] ?? 0);
    low.adapt(difference);
    const high = this.#high;
    const highCode = code >> HIGH_SHIFT;
    const highDifference = (high.detector * (HIGH_STEPS_2[highCode] ?? 0)) >> 15;
    this.high = TO_16_BIT * limit(high.estimate + highDifference);
    high.rescale(HIGH_LOGS[highCode] ?? 0);
    high.adapt(highDifference);
  }
}

function limit(value: number): number {
  return Math.min(MAX_BAND, Math.max(MIN_BAND, value));
}

function saturate(value: number): number {
  return Math.min(MAX_16, Math.max(MIN_16, value));
}

/** Zero counts as positive. */
function isSameSign(one: number, other: number): boolean {
  return one < 0 === other < 0;
}
