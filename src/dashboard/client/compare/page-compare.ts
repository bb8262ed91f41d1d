import { el, foreign } from '../parts/dom.ts';
import { errorNotice } from '../parts/notice.ts';
import { score, verdictChip } from '../parts/verdict-chip.ts';
import type { CallsSummaryAnswer, CallSummary, Channel, Stream, WholeCall } from '../rest/answers.ts';
import { get } from '../rest/rest.ts';
import { callAddress, type Page, type Route } from '../rest/route.ts';
import { t } from '../words/language.ts';
import {
  byStart,
  directionWords,
  duration,
  moment,
  oneWayWords,
  party,
  placeWords,
  quantity,
  shortEndpoint,
  streamOf,
} from '../words/words.ts';

/** Bound on the calls offered for comparison. */
const OFFERED = 20;
/** Smaller differences are normal between any two calls. */
const NOTABLE = { mes: 0.3, loss: 0.5, jitter: 5, rtt: 30 } as const;

interface Line {
  readonly name: string;
  readonly cells: readonly (Node | string)[];
  /** Index of the call that is notably worse; absent: neither. */
  readonly worse?: 0 | 1 | undefined;
}

/** The page that compares two calls. */
export function comparePage({ query }: Route): Page {
  const stopped = new AbortController();
  const element = el('section', {}, el('p', { class: 'empty' }, t('Loading the call …')));
  const one = query.get('one') ?? '';
  const other = query.get('other');
  const load = async (): Promise<void> => {
    try {
      const call = (linkedid: string): Promise<WholeCall> =>
        get<WholeCall>(`/v1/calls/${encodeURIComponent(linkedid)}`, stopped.signal);
      const first = await call(one);
      const shown = other === null ? await choice(first, stopped.signal) : comparison([first, await call(other)]);
      element.replaceChildren(heading(first), ...shown);
    } catch (error) {
      if (!stopped.signal.aborted) element.replaceChildren(errorNotice(error, () => void load()));
    }
  };
  void load();
  return { title: t('Compare calls'), element, leave: () => stopped.abort() };
}

function heading({ linkedid }: WholeCall): HTMLElement {
  return el(
    'div',
    { class: 'head' },
    el('h1', {}, t('Compare calls')),
    el('a', { href: callAddress(linkedid) }, t('Back to the call')),
  );
}

/** Calls to compare with: first those of the same two parties, then others of the caller. */
async function choice(call: WholeCall, signal: AbortSignal): Promise<HTMLElement[]> {
  const [from, to] = call.endpoints;
  const list = async (query: Readonly<Record<string, string>>): Promise<readonly CallSummary[]> => {
    const asked = new URLSearchParams({ ...query, fields: 'summary', limit: String(OFFERED + 1) });
    const { calls } = await get<CallsSummaryAnswer>(`/v1/calls?${asked}`, signal);
    return calls;
  };
  const [same, alike] = await Promise.all([
    from === undefined || to === undefined ? [] : list({ endpoint: from, party: to }),
    from === undefined ? [] : list({ endpoint: from }),
  ]);
  const offered = new Map([...same, ...alike].map((one) => [one.linkedid, one]));
  offered.delete(call.linkedid);
  const items = [...offered.values()]
    .slice(0, OFFERED)
    .map((one) =>
      el(
        'li',
        {},
        el(
          'a',
          { href: `#/compare?${new URLSearchParams({ one: call.linkedid, other: one.linkedid })}` },
          `${moment(one.started_at)}, `,
          foreign(byStart(one.channels).slice(0, 2).map(party).join(' ↔ ')),
        ),
        ' ',
        score(one.mes),
        ' ',
        verdictChip(one.verdict, oneWayWords(one)),
      ),
    );
  if (items.length === 0) return [el('p', { class: 'empty' }, t('There is no other call of these endpoints.'))];
  return [el('p', {}, t('Compare with which call?')), el('ol', { class: 'choices' }, ...items)];
}

function comparison(calls: readonly [WholeCall, WholeCall]): HTMLElement[] {
  const groups = groupsOf(calls);
  const heads = calls.map((call) =>
    el('th', { scope: 'col' }, el('a', { href: callAddress(call.linkedid) }, moment(call.started_at))),
  );
  const bodies = groups.map(({ name, lines }) =>
    el(
      'tbody',
      {},
      name === '' ? null : el('tr', {}, el('th', { scope: 'rowgroup', colspan: 3, class: 'group' }, foreign(name))),
      ...lines.map(lineRow),
    ),
  );
  return [
    el(
      'div',
      { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('Compare calls') },
      el('table', { class: 'panel compare' }, el('thead', {}, el('tr', {}, el('td', {}), ...heads)), ...bodies),
    ),
    el('p', { class: 'meta' }, t('▲ marks the call of the two in which a value is notably worse.')),
  ];
}

function lineRow({ name, cells, worse }: Line): HTMLElement {
  return el(
    'tr',
    {},
    el('th', { scope: 'row' }, name),
    ...cells.map((cell, index) =>
      worse === index
        ? el('td', { class: 'worse' }, cell, ' ', el('span', { title: t('notably worse') }, '▲'))
        : el('td', {}, cell),
    ),
  );
}

function groupsOf(calls: readonly [WholeCall, WholeCall]): { readonly name: string; readonly lines: Line[] }[] {
  const legs = calls.map((call) => byStart(call.channels));
  const facts = (name: string, cellOf: (call: WholeCall) => Node | string): Line => ({
    name,
    cells: calls.map(cellOf),
  });
  const whole: Line[] = [
    facts(t('Who'), (call) => foreign(byStart(call.channels).map(party).join(' ↔ '))),
    facts(t('Verdict'), (call) => verdictChip(call.verdict, oneWayWords(call))),
    measure(t('Score'), calls, ({ mes }) => mes, { decimals: 2, notable: NOTABLE.mes, isHighGood: true }),
    facts(t('Fault'), (call) => placeWords(call.fault_place) || '–'),
    facts(t('Length'), ({ duration_s: seconds }) => duration(seconds)),
  ];
  const roles = [t('caller'), t('callee')];
  const ofLegs = roles.flatMap((role, at) => {
    const two = legs.map((all) => all[at]);
    if (two.every((leg) => leg === undefined)) return [];
    const names = [...new Set(two.map((leg) => (leg === undefined ? '–' : shortEndpoint(leg.endpoint))))];
    return [{ name: `${role}: ${names.join(' / ')}`, lines: legLines(two) }];
  });
  return [{ name: '', lines: whole }, ...ofLegs];
}

function legLines(two: readonly (Channel | undefined)[]): Line[] {
  const text = (name: string, of: (leg: Channel) => string | null): Line => ({
    name,
    cells: two.map((leg) => foreign((leg === undefined ? null : of(leg)) ?? '–')),
  });
  const directions = (['rx', 'tx'] as const).flatMap((direction) => {
    const streams = two.map((leg) => (leg === undefined ? undefined : streamOf(leg, direction)));
    const known = two.find((leg) => leg !== undefined);
    if (known === undefined || streams.every((stream) => stream === undefined)) return [];
    const way = directionWords(known, direction);
    const low = (decimals: number, notable: number, unit: string) => ({ decimals, notable, unit, isHighGood: false });
    const of = (value: (stream: Stream) => number | null) => (stream: Stream | undefined) =>
      stream === undefined ? null : value(stream);
    return [
      measure(
        `${way}: ${t('score')}`,
        streams,
        of(({ mes }) => mes),
        { decimals: 2, notable: NOTABLE.mes, isHighGood: true },
      ),
      measure(
        `${way}: ${t('loss')}`,
        streams,
        of((one) => one.loss_percent),
        low(2, NOTABLE.loss, '%'),
      ),
      measure(
        `${way}: ${t('jitter')}`,
        streams,
        of(({ jitter_ms: { mean } }) => mean),
        low(1, NOTABLE.jitter, 'ms'),
      ),
      measure(
        `${way}: ${t('round trip')}`,
        streams,
        of(({ rtt_ms: { mean } }) => mean),
        low(0, NOTABLE.rtt, 'ms'),
      ),
      { name: `${way}: ${t('Codec')}`, cells: streams.map((stream) => foreign(stream?.codec ?? '–')) },
    ];
  });
  return [text(t('Device'), ({ device }) => device), text(t('Site'), ({ site }) => site), ...directions];
}

interface Measure {
  readonly decimals: number;
  readonly notable: number;
  readonly isHighGood: boolean;
  readonly unit?: string;
}

function measure<T>(
  name: string,
  two: readonly T[],
  valueOf: (one: T) => number | null,
  { decimals, notable, isHighGood, unit = '' }: Measure,
): Line {
  const [first = null, second = null] = two.map(valueOf);
  const cells = [first, second].map((value) => quantity(value, decimals, unit));
  if (first === null || second === null || Math.abs(first - second) < notable) return { name, cells };
  return { name, cells, worse: first < second === isHighGood ? 0 : 1 };
}
