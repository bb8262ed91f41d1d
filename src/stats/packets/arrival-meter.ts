import { ARRIVAL_BINS, arrivalBin } from './arrival-histogram.ts';

/** Measures arrivals: the intervals between packets, and interarrival jitter by RFC 3550 A.8. Times are epoch milliseconds. */
export class ArrivalMeter {
  firstAtMs = 0.5;
  lastAtMs = 0.5;
  /** Jitter after the latest packet; 0 before the second one. */
  jitterMs = 0.5;
  /** The sum of the jitter after each packet but the first, and the number of these values. */
  jitterSumMs = 0.5;
  jitterSamples = 0;
  /** Longest interval between two arrivals; 0 before the second packet. */
  maxGapMs = 0.5;
  arrivals = 0;
  /** Packets without a transit time, because the RTP clock's rate is not known. */
  untimed = 0;
  readonly counts: Uint32Array;
  #peakMs = 0.5;
  #earlierPeakMs = 0.5;
  #transitMs = 0.5;
  #hasTransit = false;

  /** `counts` gets the intervals by the bins of `arrival-histogram.ts`. The caller may provide its memory. */
  constructor(counts: Uint32Array = new Uint32Array(ARRIVAL_BINS)) {
    this.counts = counts;
    // V8 keeps a field that begins as a fraction as a double in place. A field that begins as 0 would be allocated anew with each
    // change.
    this.jitterMs = 0;
    this.jitterSumMs = 0;
    this.maxGapMs = 0;
    this.#peakMs = 0;
    this.#earlierPeakMs = 0;
  }

  get jitterMaxMs(): number {
    return Math.max(this.#peakMs, this.#earlierPeakMs);
  }

  /** The highest jitter since the last call. Begins a new peak and leaves `jitterMaxMs` unchanged. */
  takePeakMs(): number {
    const peakMs = this.#peakMs;
    this.#earlierPeakMs = this.jitterMaxMs;
    this.#peakMs = this.jitterMs;
    return peakMs;
  }

  /** The highest jitter since the last `takePeakMs`. */
  get peakMs(): number {
    return this.#peakMs;
  }

  /** Notes the arrival of a packet. */
  addArrival(atMs: number): void {
    if (this.arrivals === 0) this.firstAtMs = atMs;
    else {
      const intervalMs = atMs - this.lastAtMs;
      if (intervalMs > this.maxGapMs) this.maxGapMs = intervalMs;
      const bin = arrivalBin(intervalMs);
      this.counts[bin] = (this.counts[bin] ?? 0) + 1;
    }
    this.arrivals += 1;
    this.lastAtMs = atMs;
  }

  /**
   * Adds the packet's transit time (arrival less RTP time, from any origin) to the jitter: J += (|D| − J) / 16, RFC 3550 A.8.
   */
  addTransit(transitMs: number): void {
    if (this.#hasTransit) {
      this.jitterMs += (Math.abs(transitMs - this.#transitMs) - this.jitterMs) / 16;
      if (this.jitterMs > this.#peakMs) this.#peakMs = this.jitterMs;
      this.jitterSumMs += this.jitterMs;
      this.jitterSamples += 1;
    }
    this.#hasTransit = true;
    this.#transitMs = transitMs;
  }

  /** Counts the present jitter once more, for a packet without a transit time, such as a telephone event. */
  repeatJitter(): void {
    if (!this.#hasTransit) return;
    this.jitterSumMs += this.jitterMs;
    this.jitterSamples += 1;
  }

  clockStepped(byMs: number): void {
    this.firstAtMs += byMs;
    this.lastAtMs += byMs;
  }
}
