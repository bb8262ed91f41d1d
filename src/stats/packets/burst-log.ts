import type { BurstSpan } from '../../model/capture.ts';

/** Bursts remembered of one direction; a strip on a screen shows no more. */
export const MOST_SPANS = 60;

/** Remembers when bursts were: the longest ones, in order of time, in bounded memory. */
export class BurstLog {
  #spans: BurstSpan[];
  leftOut: number;

  /** Begins with what another one holds, if given. */
  constructor(other?: BurstLog) {
    this.#spans = [...(other?.spans ?? [])];
    this.leftOut = other?.leftOut ?? 0;
  }

  get spans(): readonly BurstSpan[] {
    return this.#spans;
  }

  /** The clock was set by `byMs`. */
  clockStepped(byMs: number): void {
    this.#spans = this.#spans.map((span) => ({ ...span, fromMs: span.fromMs + byMs, toMs: span.toMs + byMs }));
  }

  /** Bursts come in order of time. */
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
