/**
 * The last two seconds of one direction's audio, 8000 samples a second, addressed by sample number on its RTP clock. Lost samples
 * are silence.
 */
const KEPT_SAMPLES = 2 ** 14;
const MASK = KEPT_SAMPLES - 1;

export class SampleHistory {
  readonly #samples = new Int16Array(KEPT_SAMPLES);
  /** The number of the first sample ever taken, and the number after the last one. */
  #firstNumber = 0;
  #endNumber = 0;
  #isEmpty = true;

  /** The number after the last sample. */
  get endNumber(): number {
    return this.#endNumber;
  }

  /** Gives the next sample this number. False: the number is behind samples that are already there. */
  goTo(number: number): boolean {
    if (this.#isEmpty) {
      this.#isEmpty = false;
      this.#firstNumber = number;
      this.#endNumber = number;
    }
    if (number < this.#endNumber) return false;
    if (number - this.#endNumber >= KEPT_SAMPLES) {
      this.#samples.fill(0);
      this.#endNumber = number;
    }
    while (this.#endNumber < number) this.take(0);
    return true;
  }

  take(sample: number): void {
    this.#samples[this.#endNumber & MASK] = sample;
    this.#endNumber += 1;
  }

  /** Copies `count` samples, beginning with number `from`, to `target[at]`. False: some of them are not there. */
  copyTo(target: Float64Array, at: number, from: number, count: number): boolean {
    const isThere =
      !this.#isEmpty &&
      from >= this.#firstNumber &&
      from >= this.#endNumber - KEPT_SAMPLES &&
      from + count <= this.#endNumber;
    if (!isThere) return false;
    for (let n = 0; n < count; n += 1) target[at + n] = this.#samples[(from + n) & MASK] ?? 0;
    return true;
  }
}
