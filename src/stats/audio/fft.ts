/** Discrete Fourier transform in place, of a power of two (Cooley and Tukey, 1965): decimation in time. */
export class FourierTransform {
  readonly size: number;
  readonly #cosines: Float64Array;
  readonly #sines: Float64Array;
  readonly #reversed: Uint32Array;

  constructor(bits: number) {
    this.size = 2 ** bits;
    const half = this.size / 2;
    this.#cosines = Float64Array.from({ length: half }, (_, n) => Math.cos((2 * Math.PI * n) / this.size));
    this.#sines = Float64Array.from({ length: half }, (_, n) => -Math.sin((2 * Math.PI * n) / this.size));
    this.#reversed = new Uint32Array(this.size);
    for (let n = 0; n < this.size; n += 1) {
      this.#reversed[n] = ((this.#reversed[n >> 1] ?? 0) >> 1) | ((n & 1) << (bits - 1));
    }
  }

  /** Replaces `size` values of `real` and `imaginary` by their spectrum. */
  transform(real: Float64Array, imaginary: Float64Array): void {
    this.#reorder(real, imaginary);
    for (let length = 2; length <= this.size; length *= 2) {
      const half = length / 2;
      const stride = this.size / length;
      for (let start = 0; start < this.size; start += length) {
        for (let n = 0; n < half; n += 1) {
          const cosine = this.#cosines[n * stride] ?? 0;
          const sine = this.#sines[n * stride] ?? 0;
          const at = start + n;
          const other = at + half;
          const otherReal = real[other] ?? 0;
          const otherImaginary = imaginary[other] ?? 0;
          const turnedReal = otherReal * cosine - otherImaginary * sine;
          const turnedImaginary = otherReal * sine + otherImaginary * cosine;
          const ownReal = real[at] ?? 0;
          const ownImaginary = imaginary[at] ?? 0;
          real[other] = ownReal - turnedReal;
          imaginary[other] = ownImaginary - turnedImaginary;
          real[at] = ownReal + turnedReal;
          imaginary[at] = ownImaginary + turnedImaginary;
        }
      }
    }
  }

  #reorder(real: Float64Array, imaginary: Float64Array): void {
    for (let n = 0; n < this.size; n += 1) {
      const other = this.#reversed[n] ?? 0;
      if (other <= n) continue;
      [real[n], real[other]] = [real[other] ?? 0, real[n] ?? 0];
      [imaginary[n], imaginary[other]] = [imaginary[other] ?? 0, imaginary[n] ?? 0];
    }
  }
}
