import type { BurstSpan } from '../../model/capture.ts';

/** Bound on the bursts remembered of one direction. A strip on a screen shows no more. */
export const MOST_SPANS = 60;

/** Remembers when the longest bursts were, in order of time and in bounded memory. */
export class BurstLog {
  #spans: BurstSpan[];
  leftOut: number;

  /** Begins with a copy of `other`. */
  constructor(other?: BurstLog) {
    this.#spans = [...(other?.spans ?? [])];
    this.leftOut = other?.leftOut ?? 0;
  }

  get spans(): readonly BurstSpan[] {
    return this.#spans;
  }

  /** Somebody set the clock by `byMs`. */
  clockStepped(byMs: number): void {
    this.#spans = this.#spans.map((span) => ({ ...span, fromMs: span.fromMs + byMs, toMs: span.toMs + byMs }));
  }

  /** Adds a burst that is later than those before it. */
  add(span: BurstSpan): void {
    this.#spans.push(span);
    if (this.#spans.length <= MOST_SPANS) return;
    let shortest = 0;
    for (let index = 1; index < this.#spans.length; index += 1) {
      if (lengthOf(this.#spans[index]) < lengthOf(this.#spans[shortest])) shortest = index;
    }
    this.#spans.splice(shortest, 1);
    this.leftOut += 1;
  }
}

function lengthOf(span: BurstSpan | undefined): number {
  return span?.packets ?? 0;
}
