import type { Alert, AlertsAnswer } from '../rest/alert-answers.ts';
import type { Call, Channel, Interval, IntervalsAnswer, WholeCall } from '../rest/answers.ts';
import { CallChart } from '../charts/chart.ts';
import { directionCard } from './direction-card.ts';
import { callHops } from './call-hops.ts';
import { ForCarrier } from './for-carrier.ts';
import { Remarks } from './remarks.ts';
import { timelineItems, timelineOf } from './timeline.ts';
import { IS_FLEET } from '../fleet/scope.ts';
import { copyable } from '../parts/copied.ts';
import { el, foreign } from '../parts/dom.ts';
import { offerFile } from '../parts/file.ts';
import { t, tn } from '../words/language.ts';
import { neighboursOf } from '../parts/list-memory.ts';
import { errorNotice } from '../parts/notice.ts';
import { get, Refused } from '../rest/rest.ts';
import { callAddress, type Page, type Route } from '../rest/route.ts';
import { peopleSaid, whatPeopleSaid } from '../ratings/said.ts';
import { score, verdictChip } from '../parts/verdict-chip.ts';
import {
  byStart,
  directionWords,
  duration,
  fullMoment,
  moment,
  party,
  oneWayWords,
  shortEndpoint,
  streamOf,
  verdictWords,
} from '../words/words.ts';

/** Time between two reloads while the call is up. */
const REFRESH_MS = 5000;
/** Legs beyond these are named, but their reports are not drawn: a conference can have hundreds. */
const MOST_DRAWN_LEGS = 8;
/** Bound on the channels whose ids can be copied. */
const MOST_IDS = 4;
const DIRECTIONS = ['rx', 'tx'] as const;

/** The page of one call: why and where, its course, its directions side by side. */
export function callPage({ id }: Route): Page {
  return new CallPage(id);
}

class CallPage implements Page {
  readonly title: string;
  readonly #linkedid: string;
  readonly #stopped = new AbortController();
  readonly #chart = new CallChart();
  readonly #notice = el('div');
  readonly #top = el('div');
  readonly #said = el('div');
  readonly #course = el('section', { class: 'panel', hidden: true });
  readonly #marks = el('ol', { class: 'marks', 'aria-label': t('What happened') });
  readonly #legs = el('div', { class: 'legs' });
  readonly #remarks: Remarks;
  readonly #below: HTMLElement;
  readonly #carrier: ForCarrier;
  readonly element: HTMLElement;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #shown = '';
  #alerts: readonly Alert[] = [];
  #raw: { call: Call; intervals: Record<string, readonly Interval[]> } | undefined;

  constructor(linkedid: string) {
    this.#linkedid = linkedid;
    this.title = `${t('Call')} ${linkedid}`;
    const download = el('button', { type: 'button' }, t('↓ Raw reports (JSON)'));
    download.addEventListener('click', () => this.#download());
    this.#course.append(
      el('div', { class: 'head' }, el('h2', {}, t('Course of the call')), download),
      this.#chart.element,
      this.#marks,
    );
    this.#top.append(el('p', { class: 'empty' }, t('Loading the call …')));
    this.#remarks = new Remarks(linkedid);
    this.#carrier = new ForCarrier(linkedid);
    const parts = IS_FLEET ? [] : [this.#remarks.element, this.#carrier.element];
    const below = el('div', { class: 'below', hidden: true }, ...parts);
    this.#below = below;
    this.element = el(
      'section',
      { class: 'one-call' },
      this.#notice,
      this.#top,
      this.#said,
      this.#course,
      this.#legs,
      below,
    );
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
      const call = await get<WholeCall>(`/v1/calls/${encodeURIComponent(this.#linkedid)}`, signal);
      this.#alerts = await alertsOf(call, signal);
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
        ? new Error(t('There is no call {id}; it may be older than the history is kept.', { id: this.#linkedid }))
        : error;
    this.#notice.replaceChildren(errorNotice(sentence, () => void this.#load()));
  }

  #show(call: WholeCall, intervals: Readonly<Record<string, readonly Interval[]>>): void {
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
    const who = legs.map((leg) => shortEndpoint(leg.endpoint)).join(' ↔ ');
    document.title = `${who || t('Call')}, ${moment(call.started_at)} · asterisk-mes`;
    this.#top.replaceChildren(...topOf(call, legs));

    this.#said.replaceChildren(...whatPeopleSaid(call, legs));
    this.#below.hidden = false;
    this.#remarks.show(call);
    this.#carrier.show(call, legs);
    const marks = timelineOf(call, legs, this.#alerts);
    this.#marks.replaceChildren(...timelineItems(marks));
    this.#course.hidden = false;
    this.#chart.element.hidden = lines.length === 0;
    if (lines.length === 0) return;
    const fromMs = Date.parse(call.started_at);
    this.#chart.update({ fromMs, toMs: fromMs + call.duration_s * 1000, lines, marks });
  }

  #download(): void {
    const text = JSON.stringify(this.#raw, null, 1);
    offerFile(new Blob([text], { type: 'application/json' }), `call-${this.#linkedid}.json`);
  }
}

/** Alerts about the call; empty when they cannot be read. */
async function alertsOf({ linkedid, started_at: from }: Call, signal: AbortSignal): Promise<readonly Alert[]> {
  if (IS_FLEET) return [];
  const none: AlertsAnswer = { alerts: [], rules: [] };
  const { alerts } = await get<AlertsAnswer>(`/v1/alerts?${new URLSearchParams({ from })}`, signal).catch(() => none);
  return alerts.filter(({ linkedids }) => linkedids.includes(linkedid));
}

/** The top of the page: who, when, how good, why and where, and the way of the voice. */
function topOf(call: WholeCall, legs: readonly Channel[]): readonly HTMLElement[] {
  const names = legs.flatMap((leg, index) => [...(index === 0 ? [] : [' ↔ ']), foreign(party(leg))]);
  const worst = legs
    .flatMap(({ streams }) => streams)
    .toSorted((a, b) => verdictWords(a.verdict).rank - verdictWords(b.verdict).rank || (a.mes ?? 5) - (b.mes ?? 5))[0];
  const certainty = call.fault_certainty === null ? '' : ` (${certaintyWords(call)})`;
  const why = call.fault_why ?? worst?.why ?? t('It is too early to say why.');
  const hops = callHops(call, legs);
  return [
    neighbours(call),
    el('h1', {}, ...(names.length === 0 ? [t('Call')] : names)),
    el(
      'p',
      { class: 'meta' },
      call.state === 'up' ? el('b', { class: 'up' }, `● ${t('up now')}`) : foreign(endedWords(call, legs)),
      ` · ${t('began')} `,
      el('time', { datetime: call.started_at, title: fullMoment(call.started_at) }, moment(call.started_at)),
      ` · ${duration(call.duration_s)} · ${call.codecs.join(', ') || t('codec not known')} · ${t('profile')} ${call.profile}`,
    ),
    el(
      'div',
      { class: `lead notice tone-${verdictWords(call.verdict).tone}` },
      el(
        'p',
        { class: 'result' },
        score(call.mes),
        ' ',
        verdictChip(call.verdict, oneWayWords(call)),
        ...peopleSaid(call.ratings),
      ),
      el('p', {}, foreign(why), call.fault_why === null ? '' : certainty),
    ),
    ...(hops === null ? [] : [hops]),
    el(
      'p',
      { class: 'meta ids' },
      copyable('linkedid', call.linkedid),
      ...legs.slice(0, MOST_IDS).flatMap((leg) => idsOf(leg)),
    ),
  ];
}

function endedWords({ ended_by: by, ended_by_uniqueid: uniqueid }: WholeCall, legs: readonly Channel[]): string {
  if (by === 'server') return t('ended by this server');
  const leg = legs.find((one) => one.uniqueid === uniqueid);
  return leg === undefined ? t('ended') : t('ended by {who}', { who: shortEndpoint(leg.endpoint) });
}

/** The ids of a leg in Asterisk, in SIP and in the network. */
function idsOf({ endpoint, uniqueid, sip_call_id: callId, device_details: device }: Channel): HTMLElement[] {
  const who = shortEndpoint(endpoint);
  const address = device?.address ?? null;
  return [
    copyable(who, uniqueid),
    ...(callId === null ? [] : [copyable(`${who}, Call-ID`, callId)]),
    ...(address === null ? [] : [copyable(t('{who}, address', { who }), address)]),
  ];
}

/** Links to the previous and next call of the list, and to other calls of the same two parties. */
function neighbours({ linkedid, endpoints }: Call): HTMLElement {
  const near = neighboursOf(linkedid);
  const [one, other] = endpoints;
  const same =
    one === undefined || other === undefined
      ? null
      : el(
          'a',
          { href: `#/calls?${new URLSearchParams({ endpoint: one, party: other })}` },
          t('Other calls of these two'),
        );
  const step = (id: string | undefined, words: string): HTMLElement | null =>
    id === undefined ? null : el('a', { href: callAddress(id) }, words);
  return el(
    'nav',
    { class: 'neighbours', 'aria-label': t('Other calls') },
    near === undefined ? null : el('a', { href: near.address }, t('Back to the list')),
    step(near?.before, t('‹ previous call')),
    step(near?.after, t('next call ›')),
    same,
    IS_FLEET
      ? null
      : el('a', { href: `#/compare?${new URLSearchParams({ one: linkedid })}` }, t('Compare with another call')),
  );
}

function certaintyWords({ fault_certainty: certainty, fault_reports: reports }: Call): string {
  const words = certainty === 'guess' ? t('a guess') : certainty === 'sure' ? t('sure') : t('likely');
  return reports === null ? words : `${words}, ${tn('from {n} report', 'from {n} reports', reports)}`;
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
    channel.device ?? '',
    channel.site ?? '',
    channel.answered_at === null ? t('never answered') : `${t('answered')} ${moment(channel.answered_at)}`,
    channel.on_hold && channel.ended_at === null ? `❚❚ ${t('on hold')}` : '',
    channel.hangup_cause_text === null ? '' : `${t('ended')}: ${channel.hangup_cause_text}`,
  ].filter((fact) => fact !== '');
  return el(
    'section',
    { class: 'leg panel' },
    el('h2', {}, foreign(party(channel))),
    el('p', { class: 'meta' }, ...facts.flatMap((fact, index) => [index === 0 ? '' : ' · ', foreign(fact)])),
    el('div', { class: 'directions' }, ...cards),
  );
}
