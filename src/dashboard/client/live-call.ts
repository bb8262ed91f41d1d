import type { Channel, Direction, IntervalsAnswer, Stream } from './answers.ts';
import { el, foreign } from './dom.ts';
import { get } from './rest.ts';
import { callAddress } from './route.ts';
import { sparkline, SPARK_POINTS } from './sparkline.ts';
import { score, verdictChip } from './verdict-chip.ts';
import { byStart, directionWords, duration, party, quantity, streamOf, verdictWords } from './words.ts';

const DIRECTIONS = ['rx', 'tx'] as const satisfies readonly Direction[];

/** One direction of one leg with its latest scores. */
class LiveDirection {
  readonly element = el('li', { class: 'way' });
  readonly #direction: Direction;
  #scores: (number | null)[] = [];
  #reports = 0;

  constructor(direction: Direction) {
    this.#direction = direction;
  }

  /** Scores from before the page was opened. */
  seed(scores: readonly (number | null)[]): void {
    this.#scores = [...scores.slice(-SPARK_POINTS), ...this.#scores.slice(1)];
  }

  update(channel: Channel, stream: Stream | undefined): void {
    if (stream !== undefined && stream.reports !== this.#reports) {
      this.#reports = stream.reports;
      this.#scores = [...this.#scores, stream.mes].slice(-SPARK_POINTS);
    }
    const { tone } = verdictWords(stream?.verdict ?? null);
    const numbers = [
      `loss ${quantity(stream?.loss_percent, 1, '%')}`,
      `jitter ${quantity(stream?.jitter_ms.mean, 0, 'ms')}`,
      `RTT ${quantity(stream?.rtt_ms.mean, 0, 'ms')}`,
    ];
    this.element.className = `way tone-${tone}`;
    this.element.replaceChildren(
      el(
        'span',
        { class: 'way-name' },
        el('span', { 'aria-hidden': 'true' }, this.#direction === 'rx' ? '→ ' : '← '),
        foreign(directionWords(channel, this.#direction)),
      ),
      verdictChip(stream?.verdict ?? null),
      score(stream?.mes ?? null),
      sparkline(this.#scores),
      el('span', { class: 'numbers' }, ...numbers.map((text) => el('span', {}, text))),
    );
  }
}

/** Intervals are fetched one channel at a time, so that open pages do not overload a busy server. */
let seeding: Promise<void> = Promise.resolve();

/** One call on the page of live calls. */
export class LiveCall {
  readonly linkedid: string;
  readonly element = el('article', { class: 'call' });
  readonly #head = el('header', {});
  readonly #link: HTMLAnchorElement;
  readonly #length = el('span', { class: 'length' });
  readonly #why = el('p', { class: 'why' });
  readonly #ways = el('ul', { class: 'ways' });
  readonly #directions = new Map<string, LiveDirection>();
  readonly #hold = el('span', { class: 'chip tone-unknown', hidden: true }, '❚❚ on hold');
  #legs: readonly Channel[] = [];
  #shown: readonly Channel[] = [];
  #startedAtMs = 0;

  constructor(linkedid: string) {
    this.linkedid = linkedid;
    this.#link = el('a', { href: callAddress(linkedid) });
    this.#head.append(el('h2', {}, this.#link), this.#hold, this.#length);
    this.element.append(this.#head, this.#why, this.#ways);
  }

  /** Lower is worse. */
  get rank(): number {
    return Math.min(...this.#streams().map(({ verdict }) => verdictWords(verdict).rank), 7);
  }

  /** The lowest known score of its directions. */
  get worstMes(): number {
    return Math.min(...this.#streams().map(({ mes }) => mes ?? Number.POSITIVE_INFINITY));
  }

  get startedAtMs(): number {
    return this.#startedAtMs;
  }

  /** Does nothing when no channel has changed: hundreds of calls may be up, and few change at a time. */
  update(channels: readonly Channel[]): void {
    const { length } = this.#shown;
    if (channels.length === length && channels.every((channel, index) => channel === this.#shown[index])) return;
    this.#shown = channels;
    this.#legs = byStart(channels);
    // The sidecar's own count: the viewer's clock may be wrong.
    this.#startedAtMs = Date.now() - Math.max(...channels.map(({ duration_s: seconds }) => seconds)) * 1000;
    const worst = this.#streams().toSorted(
      (a, b) => verdictWords(a.verdict).rank - verdictWords(b.verdict).rank || (a.mes ?? 5) - (b.mes ?? 5),
    )[0];
    this.element.className = `call tone-${verdictWords(worst?.verdict ?? null).tone}`;
    this.#why.textContent = worst === undefined || worst.verdict === 'good' ? '' : (worst.why ?? '');
    this.#why.hidden = this.#why.textContent === '';
    this.#link.replaceChildren(
      ...this.#legs.flatMap((leg, index) => (index === 0 ? [foreign(party(leg))] : [' ↔ ', foreign(party(leg))])),
    );
    this.#hold.hidden = !channels.some(({ on_hold: onHold }) => onHold);
    this.tick();

    const wanted: HTMLElement[] = [];
    for (const leg of this.#legs) {
      for (const direction of DIRECTIONS) {
        const key = `${direction} ${leg.uniqueid}`;
        let row = this.#directions.get(key);
        if (row === undefined) {
          row = new LiveDirection(direction);
          this.#directions.set(key, row);
          if (direction === 'tx') this.#seed(leg.uniqueid);
        }
        row.update(leg, streamOf(leg, direction));
        wanted.push(row.element);
      }
    }
    if (
      wanted.some((row, index) => row !== this.#ways.children[index]) ||
      wanted.length !== this.#ways.childElementCount
    ) {
      this.#ways.replaceChildren(...wanted);
    }
  }

  /** Advances the shown length of the call. */
  tick(): void {
    this.#length.textContent = duration((Date.now() - this.#startedAtMs) / 1000);
  }

  remove(): void {
    this.element.remove();
  }

  #streams(): readonly Stream[] {
    return this.#legs.flatMap(({ streams }) => streams);
  }

  #seed(uniqueid: string): void {
    seeding = seeding.then(() => this.#loadScores(uniqueid));
  }

  async #loadScores(uniqueid: string): Promise<void> {
    if (!this.element.isConnected) return;
    const path = `/v1/channels/${encodeURIComponent(uniqueid)}/intervals`;
    // Without the earlier scores the line begins now; that is no failure.
    const { intervals } = await get<IntervalsAnswer>(path).catch((): IntervalsAnswer => ({ intervals: [] }));
    for (const direction of DIRECTIONS) {
      const own = intervals.filter((interval) => interval.direction === direction);
      this.#directions.get(`${direction} ${uniqueid}`)?.seed(own.map(({ mes_running: mes }) => mes));
    }
  }
}

/** Worst verdict first; among equals the lowest score, then the oldest. */
export function worstFirst(calls: readonly LiveCall[]): readonly LiveCall[] {
  return calls.toSorted(
    (a, b) => a.rank - b.rank || compare(a.worstMes, b.worstMes) || a.linkedid.localeCompare(b.linkedid),
  );
}

/** Infinity is equal to itself. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
