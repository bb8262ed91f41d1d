import type { Channel, Direction, IntervalsAnswer, Stream, Verdict } from '../rest/answers.ts';
import { el, foreign } from '../parts/dom.ts';
import { liveArrows } from './live-arrows.ts';
import { t } from '../words/language.ts';
import { get } from '../rest/rest.ts';
import { callAddress } from '../rest/route.ts';
import { sparkline, SPARK_POINTS } from '../parts/sparkline.ts';
import { score, verdictChip } from '../parts/verdict-chip.ts';
import {
  byStart,
  directionWords,
  duration,
  oneWayWords,
  party,
  quantity,
  streamOf,
  verdictOfLegs,
  verdictWords,
} from '../words/words.ts';

const DIRECTIONS = ['rx', 'tx'] as const satisfies readonly Direction[];

/** One direction of one leg with its latest scores. */
class LiveDirection {
  readonly element = el('li', { class: 'way' });
  readonly #direction: Direction;
  #course = sparkline([]);
  #scores: readonly (number | null)[] = [];
  #reports = 0;

  constructor(direction: Direction) {
    this.#direction = direction;
  }

  /** The stored scores up to now. The newest is the one shown beside them, which may not be stored yet. */
  seed(scores: readonly (number | null)[]): void {
    if (scores.length === 0) return;
    this.#scores = [...scores.slice(0, -1), ...this.#scores.slice(-1)].slice(-SPARK_POINTS);
    this.#drawCourse();
  }

  update(channel: Channel, stream: Stream | undefined): void {
    if (stream !== undefined && stream.reports !== this.#reports) {
      this.#reports = stream.reports;
      this.#scores = [...this.#scores, stream.mes].slice(-SPARK_POINTS);
    }
    this.#drawCourse();
    const { tone } = verdictWords(stream?.verdict ?? null);
    const numbers = [
      `${t('loss')} ${quantity(stream?.loss_percent, 1, '%')}`,
      `${t('jitter')} ${quantity(stream?.jitter_ms.mean, 0, 'ms')}`,
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
      this.#course,
      el('span', { class: 'numbers' }, ...numbers.map((text) => el('span', {}, text))),
    );
  }

  #drawCourse(): void {
    const course = sparkline(this.#scores);
    this.#course.replaceWith(course);
    this.#course = course;
  }
}

/** Intervals are fetched one channel at a time, so that open pages do not overload a busy server. */
let seeding: Promise<void> = Promise.resolve();

/** One call on the page of live calls: a line, below which its directions can be opened. */
export class LiveCall {
  readonly key: string;
  readonly #head = el('header', {});
  readonly #link: HTMLElement;
  readonly #toggle = el('button', { type: 'button', class: 'toggle', 'aria-expanded': 'false' });
  readonly #arrows = el('span');
  readonly #worst = el('span', { class: 'worst' });
  readonly #length = el('span', { class: 'length' });
  readonly #why = el('p', { class: 'why' });
  readonly #ways = el('ul', { class: 'ways' });
  readonly #directions = new Map<string, LiveDirection>();
  readonly #hold = el('span', { class: 'chip tone-unknown', hidden: true }, '❚❚', ' ', t('on hold'));
  readonly #element = el('article', { class: 'call' });
  readonly #pbx: string | undefined;
  #legs: readonly Channel[] = [];
  #drawn: readonly Channel[] = [];
  #verdict: Verdict | null = null;
  #standing = standingOf([], null);
  #startedAtMs = 0;
  #isOpen = false;
  /** Whether the reader opened or closed it; undefined: the page decides. */
  #chosen: boolean | undefined;

  constructor(linkedid: string, pbx?: string) {
    this.key = pbx === undefined ? linkedid : `${linkedid} ${pbx}`;
    // The fleet's store has a call only when it is over: no page to link to yet.
    this.#link = pbx === undefined ? el('a', { href: callAddress(linkedid) }) : el('span');
    this.#pbx = pbx;
    this.#element.dataset['key'] = this.key;
    this.#toggle.addEventListener('click', () => {
      this.#chosen = !this.#isOpen;
      this.#draw();
    });
    this.#head.append(this.#toggle, el('h2', {}, this.#link), this.#arrows, this.#worst, this.#hold, this.#length);
    this.#element.append(this.#head, this.#why, this.#ways);
  }

  /** The element. It is drawn when it is asked for, since most of hundreds are not on the screen. */
  get element(): HTMLElement {
    this.#draw();
    return this.#element;
  }

  get legs(): readonly Channel[] {
    return this.#legs;
  }

  /** As REST has it of the call. */
  get verdict(): Verdict | null {
    return this.#verdict;
  }

  /** The worst stream; undefined: there is none yet. Found once a change: hundreds of calls are compared at each message. */
  get worst(): Stream | undefined {
    return this.#standing.worst;
  }

  /** Lower is worse. */
  get rank(): number {
    return this.#standing.rank;
  }

  /** The lowest known score of its directions; Infinity: none is known. */
  get worstMes(): number {
    return this.#standing.mes;
  }

  update(channels: readonly Channel[]): void {
    const { length } = this.#legs;
    if (channels.length === length && channels.every((channel) => this.#legs.includes(channel))) return;
    this.#legs = byStart(channels);
    this.#verdict = verdictOfLegs(this.#legs);
    this.#standing = standingOf(
      channels.flatMap(({ streams }) => streams),
      this.#verdict,
    );
    // Use the sidecar's duration: the viewer's clock may be wrong.
    this.#startedAtMs = Date.now() - Math.max(...channels.map(({ duration_s: seconds }) => seconds)) * 1000;
  }

  /** Whether its directions are open unless the reader chose. */
  set isOpenByDefault(isOpen: boolean) {
    const wanted = this.#chosen ?? isOpen;
    if (wanted === this.#isOpen) return;
    this.#isOpen = wanted;
    this.#drawn = [];
  }

  /** Advances the length of the call where it is shown. */
  tick(): void {
    if (this.#element.isConnected) this.#showLength();
  }

  #showLength(): void {
    this.#length.textContent = duration((Date.now() - this.#startedAtMs) / 1000);
  }

  /** Does nothing when no channel has changed: hundreds of calls may be up, and few change at a time. */
  #draw(): void {
    const isOpen = this.#chosen ?? this.#isOpen;
    if (this.#drawn === this.#legs && isOpen === this.#isOpen) return;
    this.#drawn = this.#legs;
    this.#isOpen = isOpen;
    const { worst, verdict } = this;
    this.#element.className = `call tone-${verdictWords(verdict).tone}`;
    this.#link.replaceChildren(
      ...(this.#pbx === undefined ? [] : [el('span', { class: 'of-pbx' }, foreign(this.#pbx), ' ')]),
      ...this.#legs.flatMap((leg, index) => (index === 0 ? [foreign(party(leg))] : [' ↔ ', foreign(party(leg))])),
    );
    this.#hold.hidden = !this.#legs.some(({ on_hold: onHold }) => onHold);
    this.#arrows.replaceChildren(liveArrows(this.#legs));
    // The same two as in every list of calls.
    const mes = this.#legs.find(({ mes_call: known }) => known !== null)?.mes_call ?? null;
    this.#worst.replaceChildren(score(mes), ' ', verdictChip(verdict, this.#words()));
    this.#worst.hidden = isOpen;
    this.#toggle.setAttribute('aria-expanded', String(isOpen));
    this.#toggle.setAttribute('aria-label', t(isOpen ? 'Close the directions' : 'Open the directions'));
    this.#toggle.textContent = isOpen ? '▾' : '▸';
    this.#showLength();
    this.#why.textContent = worst === undefined || worst.verdict === 'good' ? '' : (worst.why ?? '');
    this.#why.hidden = !isOpen || this.#why.textContent === '';
    this.#ways.hidden = !isOpen;
    if (isOpen) this.#drawWays();
    else {
      this.#ways.replaceChildren();
      // They hear of no report while they are closed: the next opening reads the stored scores again.
      this.#directions.clear();
    }
  }

  #words(): string | undefined {
    return oneWayWords({ verdict: this.#verdict, channels: this.#legs, state: 'up' });
  }

  #drawWays(): void {
    const wanted: HTMLElement[] = [];
    for (const leg of this.#legs) {
      for (const direction of DIRECTIONS) {
        const key = `${direction} ${leg.uniqueid}`;
        let row = this.#directions.get(key);
        if (row === undefined) {
          row = new LiveDirection(direction);
          this.#directions.set(key, row);
          if (direction === 'tx' && this.#pbx === undefined) this.#seed(leg.uniqueid);
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

  #seed(uniqueid: string): void {
    seeding = seeding.then(() => this.#loadScores(uniqueid));
  }

  async #loadScores(uniqueid: string): Promise<void> {
    if (!this.#element.isConnected) return;
    const path = `/v1/channels/${encodeURIComponent(uniqueid)}/intervals?limit=${2 * SPARK_POINTS}`;
    // Without earlier scores the line begins now, so a failure is ignored.
    const { intervals } = await get<IntervalsAnswer>(path).catch((): IntervalsAnswer => ({ intervals: [] }));
    for (const direction of DIRECTIONS) {
      const own = intervals.filter((interval) => interval.direction === direction);
      this.#directions.get(`${direction} ${uniqueid}`)?.seed(own.map(({ mes_running: mes }) => mes));
    }
  }
}

/** How a call compares with others. */
function standingOf(
  streams: readonly Stream[],
  verdict: Verdict | null,
): {
  readonly worst: Stream | undefined;
  readonly rank: number;
  readonly mes: number;
} {
  const [worst] = streams.toSorted(
    (a, b) => verdictWords(a.verdict).rank - verdictWords(b.verdict).rank || (a.mes ?? 5) - (b.mes ?? 5),
  );
  return {
    worst,
    rank: verdictWords(verdict).rank,
    mes: Math.min(...streams.map(({ mes }) => mes ?? Number.POSITIVE_INFINITY)),
  };
}

/** Worst verdict first; among equals the lowest score, then the oldest. */
export function worstFirst(calls: readonly LiveCall[]): readonly LiveCall[] {
  return calls.toSorted((a, b) => a.rank - b.rank || compare(a.worstMes, b.worstMes) || (a.key < b.key ? -1 : 1));
}

/** Infinity is equal to itself. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
