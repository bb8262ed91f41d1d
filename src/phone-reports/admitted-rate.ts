/** Admits so many things a second. As many as one second admits may come at once. */
export class AdmittedRate {
  readonly #perS: number;
  #left: number;
  #atMs: number;

  /** `nowMs` may come from any clock. When it steps back, nothing is added or taken. */
  constructor(perS: number, nowMs: number) {
    this.#perS = perS;
    this.#left = perS;
    this.#atMs = nowMs;
  }

  admits(nowMs: number): boolean {
    if (nowMs > this.#atMs) {
      this.#left = Math.min(this.#perS, this.#left + ((nowMs - this.#atMs) * this.#perS) / 1000);
    }
    this.#atMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
