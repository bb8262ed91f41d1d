import { ARRIVAL_BINS, arrivalBin } from './arrival-histogram.ts';

/** When packets came: intervals between arrivals, and interarrival jitter by RFC 3550 A.8. */
export class ArrivalMeter {
  firstAtMs = 0.5;
  lastAtMs = 0.5;
  /** After the latest packet, ms. */
  jitterMs = 0.5;
  /** The sum of the jitter after each packet but the first, and how many those are. */
  jitterSumMs = 0.5;
  jitterSamples = 0;
  /** Longest interval between two arrivals, ms. */
  maxGapMs = 0.5;
  arrivals = 0;
  /** Packets whose RTP clock was not known. */
  untimed = 0;
  readonly counts: Uint32Array;
  #peakMs = 0.5;
  #earlierPeakMs = 0.5;
  #transitMs = 0.5;
  #hasTransit = false;

  /** `counts`: for the intervals, by the bins of the arrival histogram. */
  constructor(counts: Uint32Array = new Uint32Array(ARRIVAL_BINS)) {
    this.counts = counts;
    // They began as fractions so that V8 keeps them as doubles in place.
    this.jitterMs = 0;
    this.jitterSumMs = 0;
    this.maxGapMs = 0;
    this.#peakMs = 0;
    this.#earlierPeakMs = 0;
  }

  get jitterMaxMs(): number {
    return Math.max(this.#peakMs, this.#earlierPeakMs);
  }

  /** The highest jitter since the last call; the stream's maximum stays. */
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

  /** A packet came. */
  arrive(atMs: number): void {
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

  /** Its transit time, from any origin: RFC 3550 A.8. */
  passed(transitMs: number): void {
    if (this.#hasTransit) {
      this.jitterMs += (Math.abs(transitMs - this.#transitMs) - this.jitterMs) / 16;
      if (this.jitterMs > this.#peakMs) this.#peakMs = this.jitterMs;
      this.jitterSumMs += this.jitterMs;
      this.jitterSamples += 1;
    }
    this.#hasTransit = true;
    this.#transitMs = transitMs;
  }

  /** It says nothing of jitter: a telephone event. */
  passedUntold(): void {
    if (!this.#hasTransit) return;
    this.jitterSumMs += this.jitterMs;
    this.jitterSamples += 1;
  }

  clockStepped(byMs: number): void {
    this.firstAtMs += byMs;
    this.lastAtMs += byMs;
  }
}
