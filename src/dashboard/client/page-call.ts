import type { Call, Channel, Interval, IntervalsAnswer } from './answers.ts';
import { callMarks } from './call-marks.ts';
import { CallChart } from './chart.ts';
import { directionCard } from './direction-card.ts';
import { el, foreign } from './dom.ts';
import { offerFile } from './file.ts';
import { errorNotice } from './notice.ts';
import { get, Refused } from './rest.ts';
import type { Page, Route } from './route.ts';
import { score, verdictChip } from './verdict-chip.ts';
import {
  byStart,
  clock,
  directionWords,
  duration,
  fullMoment,
  moment,
  party,
  streamOf,
  partyOf,
  verdictWords,
} from './words.ts';

/** While the call is up. */
const REFRESH_MS = 5000;
/** Legs beyond these are named, but their reports are not drawn: a conference can have hundreds. */
const MOST_DRAWN_LEGS = 8;
const DIRECTIONS = ['rx', 'tx'] as const;

/** The page of one call: why and where, its course, its directions side by side. */
export function callPage({ id }: Route): Page {
  return new CallPage(id);
}

class CallPage implements Page {
  readonly title = 'Call';
  readonly #linkedid: string;
  readonly #stopped = new AbortController();
  readonly #chart = new CallChart();
  readonly #notice = el('div');
  readonly #top = el('div');
  readonly #course = el('section', { class: 'panel', hidden: true });
  readonly #marks = el('ul', { class: 'marks' });
  readonly #legs = el('div', { class: 'legs' });
  readonly element = el('section', { class: 'one-call' }, this.#notice, this.#top, this.#course, this.#legs);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #shown = '';
  #raw: { call: Call; intervals: Record<string, readonly Interval[]> } | undefined;

  constructor(linkedid: string) {
    this.#linkedid = linkedid;
    const download = el('button', { type: 'button' }, '↓ Raw reports (JSON)');
    download.addEventListener('click', () => this.#download());
    this.#course.append(
      el('div', { class: 'head' }, el('h2', {}, 'Course of the call'), download),
      this.#chart.element,
      this.#marks,
    );
    this.#top.append(el('p', { class: 'empty' }, 'Loading the call …'));
    void this.#load();
  }

  leave(): void {
    this.#stopped.abort();
    clearTimeout(this.#timer);
    this.#chart.stop();
  }

  async #load(): Promise<void> {
    const { signal } = this.#stopped;
    clearTimeout(this.#timer);
    try {
      const call = await get<Call>(`/v1/calls/${encodeURIComponent(this.#linkedid)}`, signal);
      const legs = byStart(call.channels).slice(0, MOST_DRAWN_LEGS);
      const answers = await Promise.all(
        legs.map(async ({ uniqueid }) =>
          get<IntervalsAnswer>(`/v1/channels/${encodeURIComponent(uniqueid)}/intervals`, signal),
        ),
      );
      const intervals = Object.fromEntries(
        legs.map(({ uniqueid }, index) => [uniqueid, answers[index]?.intervals ?? []]),
      );
      this.#raw = { call, intervals };
      this.#notice.replaceChildren();
      this.#show(call, intervals);
      if (call.state === 'ended') return;
    } catch (error) {
      if (signal.aborted) return;
      this.#fail(error);
    }
    this.#timer = setTimeout(() => void this.#load(), REFRESH_MS);
  }

  #fail(error: unknown): void {
    if (this.#raw === undefined) this.#top.replaceChildren();
    const sentence =
      error instanceof Refused && error.status === 404
        ? new Error(`There is no call ${this.#linkedid}; it may be older than the history is kept.`)
        : error;
    this.#notice.replaceChildren(errorNotice(sentence, () => void this.#load()));
  }

  #show(call: Call, intervals: Readonly<Record<string, readonly Interval[]>>): void {
    const legs = byStart(call.channels);
    const lines = legs.flatMap((channel) =>
      DIRECTIONS.map((direction) => ({
        label: directionWords(channel, direction),
        key: `${direction} ${channel.uniqueid}`,
        intervals: (intervals[channel.uniqueid] ?? []).filter((interval) => interval.direction === direction),
      })).filter((line) => line.intervals.length > 0),
    );
    const lineOf = new Map(lines.map(({ key }, index) => [key, index]));
    const text = JSON.stringify([call.mes, call.verdict, call.fault_why, call.ended_at, call.channels]);
    // Redraw only what has changed, so that a reader's text selection stays.
    if (text !== this.#shown) {
      this.#shown = text;
      this.#legs.replaceChildren(...legs.map((channel) => legSection(channel, lineOf)));
    }
    this.#top.replaceChildren(...topOf(call, legs));

    const marks = callMarks(call.channels, call.ended_at);
    this.#marks.replaceChildren(
      ...marks.map(({ atMs, sign, words }) => el('li', {}, el('b', {}, sign), ` ${clock(atMs)} `, foreign(words))),
    );
    this.#course.hidden = lines.length === 0;
    if (lines.length === 0) return;
    const fromMs = Date.parse(call.started_at);
    this.#chart.update({ fromMs, toMs: fromMs + call.duration_s * 1000, lines, marks });
  }

  #download(): void {
    const text = JSON.stringify(this.#raw, null, 1);
    offerFile(new Blob([text], { type: 'application/json' }), `call-${this.#linkedid}.json`);
  }
}

/** Who, when, how good, and the one line of why and where. */
function topOf(call: Call, legs: readonly Channel[]): readonly HTMLElement[] {
  const names = legs.flatMap((leg, index) => [...(index === 0 ? [] : [' ↔ ']), foreign(party(leg))]);
  const worst = legs
    .flatMap(({ streams }) => streams)
    .toSorted((a, b) => verdictWords(a.verdict).rank - verdictWords(b.verdict).rank || (a.mes ?? 5) - (b.mes ?? 5))[0];
  const certainty = call.fault_certainty === null ? '' : ` (${certaintyWords(call)})`;
  const why = call.fault_why ?? worst?.why ?? 'It is too early to say why.';
  return [
    el('h1', {}, ...(names.length === 0 ? ['Call'] : names)),
    el(
      'p',
      { class: 'meta' },
      call.state === 'up' ? el('b', { class: 'up' }, '● up now') : 'ended',
      ' · began ',
      el('time', { datetime: call.started_at, title: fullMoment(call.started_at) }, moment(call.started_at)),
      ` · ${duration(call.duration_s)} · ${call.codecs.join(', ') || 'codec not known'} · profile ${call.profile}`,
    ),
    el(
      'div',
      { class: `lead notice tone-${verdictWords(call.verdict).tone}` },
      el('p', { class: 'result' }, score(call.mes), ' ', verdictChip(call.verdict, partyOf(call))),
      el('p', {}, foreign(why), call.fault_why === null ? '' : certainty),
    ),
  ];
}

function certaintyWords({ fault_certainty: certainty, fault_reports: reports }: Call): string {
  const words = certainty === 'guess' ? 'a guess' : certainty;
  return reports === null ? `${words}` : `${words}, from ${reports} reports`;
}

/** One leg with its two directions. */
function legSection(channel: Channel, lineOf: ReadonlyMap<string, number>): HTMLElement {
  const cards = DIRECTIONS.flatMap((direction) => {
    const stream = streamOf(channel, direction);
    if (stream === undefined) return [];
    return [directionCard(channel, stream, lineOf.get(`${direction} ${channel.uniqueid}`) ?? 0)];
  });
  const facts = [
    channel.name,
    channel.answered_at === null ? 'never answered' : `answered ${moment(channel.answered_at)}`,
    channel.on_hold && channel.ended_at === null ? '❚❚ on hold' : '',
    channel.hangup_cause_text === null ? '' : `ended: ${channel.hangup_cause_text}`,
  ].filter((fact) => fact !== '');
  return el(
    'section',
    { class: 'leg panel' },
    el('h2', {}, foreign(party(channel))),
    el('p', { class: 'meta' }, ...facts.flatMap((fact, index) => [index === 0 ? '' : ' · ', foreign(fact)])),
    el('div', { class: 'directions' }, ...cards),
  );
}
