import { el, foreign } from '../parts/dom.ts';
import { errorNotice } from '../parts/notice.ts';
import { get } from '../rest/rest.ts';
import type { Page } from '../rest/route.ts';
import { t, tn } from '../words/language.ts';
import { duration, fullMoment, moment, quantity } from '../words/words.ts';
import type { FaultsAnswer, FleetFault, Pbx, PbxsAnswer } from './answers.ts';

const REFRESH_MS = 15_000;
const MOST_FAULTS = 20;

const HEADS = [
  t('PBX'),
  t('State'),
  t('Last heard of'),
  t('Channels up'),
  t('Calls, 24 h'),
  t('Bad, 24 h'),
  t('A week before'),
  t('Waiting rows'),
  t('Lag'),
  t('Release'),
  t('Asterisk'),
] as const;

const STATES = {
  up: ['✓', t('up'), 'good'],
  silent: ['✕', t('silent'), 'bad'],
  never: ['?', t('never heard of'), 'unknown'],
} as const;

/** Sort key, the most urgent first: silent, with a problem, never heard of, then by share of bad calls. */
function urgency({ state, problem, last_day: day }: Pbx): number {
  if (state === 'silent') return 0;
  if (problem !== null) return 1;
  return state === 'never' ? 2 : 103 - (day.bad_percent ?? 0);
}

/** The page of the fleet's PBXs, those with problems first. */
export function pbxsPage(): Page {
  const stopped = new AbortController();
  const status = el('p', { class: 'status', role: 'status' }, t('Searching …'));
  const content = el('div');
  const faults = el('ul', { class: 'fleet-faults', hidden: true, 'aria-label': t('What only all PBXs together show') });
  let timer: ReturnType<typeof setTimeout> | undefined;

  const show = ({ pbxs }: PbxsAnswer): void => {
    const silent = pbxs.filter(({ state }) => state === 'silent').length;
    const words = silent === 0 ? '' : `, ${t('{n} silent', { n: silent })}`;
    status.textContent = tn('{n} PBX', '{n} PBXs', pbxs.length) + words;
    if (pbxs.length === 0) {
      content.replaceChildren(
        el('p', { class: 'empty' }, t('No PBX is known. “asterisk-mes fleet add-pbx NAME” adds one.')),
      );
      return;
    }
    content.replaceChildren(
      el(
        'div',
        { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('PBXs') },
        el(
          'table',
          { class: 'list numbers-list pbxs' },
          el('thead', {}, el('tr', {}, ...HEADS.map((head) => el('th', { scope: 'col', 'data-head': head }, head)))),
          el('tbody', {}, ...pbxs.toSorted((one, other) => urgency(one) - urgency(other)).map(pbxRow)),
        ),
      ),
    );
  };
  const load = async (): Promise<void> => {
    clearTimeout(timer);
    try {
      show(await get<PbxsAnswer>('/v1/pbxs', stopped.signal));
      const found = await get<FaultsAnswer>('/v1/fleet/faults', stopped.signal);
      faults.replaceChildren(...found.faults.slice(0, MOST_FAULTS).map(faultItem));
      faults.hidden = found.faults.length === 0;
    } catch (error) {
      if (stopped.signal.aborted) return;
      status.textContent = '';
      content.replaceChildren(errorNotice(error, () => void load()));
    }
    if (!stopped.signal.aborted) timer = setTimeout(() => void load(), REFRESH_MS);
  };
  void load();
  return {
    title: t('PBXs'),
    element: el('section', {}, el('div', { class: 'head' }, el('h1', {}, t('PBXs')), status), faults, content),
    leave: () => {
      stopped.abort();
      clearTimeout(timer);
    },
  };
}

/** Its calls are a click away, where it has any. */
function faultItem({ kind, subject, why }: FleetFault): HTMLElement {
  const words = foreign(why);
  const about = { trunk: 'endpoint', device: 'device', release: null, asterisk: null, 'silent-pbx': null }[kind];
  const query = { from: kind === 'trunk' ? '-3h' : '-24h', verdict: 'bad-or-worse' };
  const link =
    about === null ? words : el('a', { href: `#/calls?${new URLSearchParams({ ...query, [about]: subject })}` }, words);
  return el('li', { class: 'tone-bad' }, el('span', { 'aria-hidden': 'true' }, '✕ '), link);
}

function pbxRow(pbx: Pbx): HTMLElement {
  const [sign, word, tone] = STATES[pbx.state];
  const heard = pbx.last_heard_at;
  const chip = el('span', { class: `chip tone-${tone}` }, el('span', { 'aria-hidden': 'true' }, sign), ` ${word}`);
  const state = pbx.problem === null ? [chip] : [chip, el('p', { class: 'problem' }, foreign(pbx.problem))];
  const bad = (share: Pbx['last_day']): string => quantity(share.bad_percent, 1, '%');
  const cells: (Node | string)[][] = [
    state,
    [heard === null ? '–' : el('time', { datetime: heard, title: fullMoment(heard) }, moment(heard))],
    [quantity(pbx.calls_up, 0)],
    [String(pbx.last_day.calls)],
    [el('b', {}, bad(pbx.last_day))],
    [bad(pbx.week_before)],
    [quantity(pbx.outbox_rows, 0) + (pbx.outbox_dropped ? ` (${t('{n} lost', { n: pbx.outbox_dropped })})` : '')],
    [pbx.lag_s === null ? '–' : duration(pbx.lag_s)],
    [foreign(pbx.release ?? '–')],
    [foreign(pbx.asterisk_version ?? '–')],
  ];
  const address = new URLSearchParams({ from: '-24h', verdict: 'bad-or-worse', pbx: pbx.pbx });
  return el(
    'tr',
    { class: `tone-${tone}` },
    el(
      'th',
      { scope: 'row' },
      el('a', { href: `#/calls?${address}` }, foreign(pbx.pbx)),
      pbx.site === '' ? '' : el('span', { class: 'site' }, ' ', foreign(pbx.site)),
    ),
    ...cells.map((content, index) => el('td', { 'data-head': HEADS[index + 1] ?? '' }, ...content)),
  );
}
