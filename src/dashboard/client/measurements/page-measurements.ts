import { el, foreign } from '../parts/dom.ts';
import { errorNotice } from '../parts/notice.ts';
import type { LastMeasurements, MeasurementField, MeasurementStatus } from '../rest/measurement-answers.ts';
import { get, send } from '../rest/rest.ts';
import type { Page } from '../rest/route.ts';
import { t, tn } from '../words/language.ts';

const EVERY_MS = 10_000;
const KILO = 1000;

/** The page of measurements: what is sent and to whom, the documents of the last call, and how to take them back. */
export function measurementsPage(): Page {
  const stop = new AbortController();
  const status = el('p', { class: 'status', role: 'status' }, t('Loading …'));
  const state = el('div', { class: 'panel' });
  const last = el('div');
  const fields = el('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('All that can be in it') });
  const said = el('p', { role: 'status' });
  let isFirst = true;

  const load = async (): Promise<void> => {
    try {
      const [now, { documents }] = await Promise.all([
        get<MeasurementStatus>('/v1/measurements', stop.signal),
        get<LastMeasurements>('/v1/measurements/last', stop.signal),
      ]);
      status.textContent = now.enabled ? t('on') : t('off: nothing is gathered and nothing is sent');
      status.dataset['state'] = now.enabled && now.problem !== null ? 'cut' : 'live';
      state.replaceChildren(stateList(now));
      const words = now.enabled
        ? t('No call has ended since asterisk-mes was started.')
        : t('Nothing is gathered. enabled = yes and a recipient in [measurements] of mes.conf switch it on.');
      // Do not redraw the same table: the reader would lose the place.
      const shown = JSON.stringify(documents);
      if (last.dataset['shown'] !== shown) {
        last.dataset['shown'] = shown;
        last.replaceChildren(
          ...(documents.length === 0
            ? [el('p', { class: 'empty' }, words)]
            : documents.map((document) => documentTable(document, now.fields))),
        );
      }
      if (isFirst) fields.replaceChildren(fieldTable(now.fields));
      isFirst = false;
    } catch (error) {
      if (stop.signal.aborted) return;
      status.textContent = '';
      state.replaceChildren(errorNotice(error, () => void load()));
    }
  };
  const act = async (work: () => Promise<string>): Promise<void> => {
    said.replaceChildren();
    try {
      said.textContent = await work();
      await load();
    } catch (error) {
      said.replaceChildren(errorNotice(error, () => void act(work)));
    }
  };
  const reset = twice(t('Go on as another installation'), t('Yes, as another installation'), () =>
    act(async () => {
      await send('POST', '/v1/measurements/reset');
      return t('Calls that begin from now on are sent as of another installation.');
    }),
  );
  const forget = twice(t('Take back what was sent'), t('Yes, take it back'), () =>
    act(async () => {
      const { emptied } = await send<{ readonly emptied: number }>('POST', '/v1/measurements/forget');
      const taken = tn('{n} file was taken out of the spool.', '{n} files were taken out of the spool.', emptied);
      return `${taken} ${t('The recipient deletes the rest when next opening what came. Copies and studies made before, nobody can take back.')}`;
    }),
  );
  const timer = setInterval(() => void load(), EVERY_MS);
  void load();
  return {
    title: t('Measurements'),
    element: el(
      'section',
      { class: 'measurements' },
      el('div', { class: 'head' }, el('h1', {}, t('Measurements')), status),
      el(
        'p',
        { class: 'meta' },
        t(
          'Anonymous measurements of calls for somebody who improves things. They are encrypted while they are written; only the recipient can read them.',
        ),
      ),
      state,
      el('p', { class: 'buttons' }, reset, ' ', forget),
      said,
      el('h2', {}, t('What is sent of the last call')),
      last,
      el('details', { class: 'meta' }, el('summary', {}, t('All that can be in it')), fields),
    ),
    leave: () => {
      clearInterval(timer);
      stop.abort();
    },
  };
}

/** A button that must be pressed twice. */
function twice(words: string, again: string, work: () => Promise<void>): HTMLElement {
  const button = el('button', { type: 'button' }, words);
  const calm = (): void => {
    button.textContent = words;
    button.classList.remove('sure');
  };
  button.addEventListener('click', () => {
    if (!button.classList.contains('sure')) {
      button.textContent = again;
      button.classList.add('sure');
      return;
    }
    calm();
    void work();
  });
  button.addEventListener('blur', calm);
  return button;
}

function stateList(now: MeasurementStatus): HTMLElement {
  const nothing = t('none');
  const rows: readonly (readonly [string, string])[] = [
    [t('What'), now.include.map((what) => (what === 'calls' ? t('the media of calls') : t('ratings'))).join(', ')],
    [t('For whom'), now.recipients.join(', ') || nothing],
    [t('Collection server'), now.collector ?? t('none: what is gathered waits to be exported')],
    ...(now.upload_to === null ? [] : [[t('Straight to'), now.upload_to] as const]),
    [t('Endpoints'), now.endpoints.join(', ') || t('all')],
    [
      t('Waiting'),
      t('{files} files, {kb} kB of at most {mb} MB, in {spool}', {
        files: now.waiting_files,
        kb: Math.ceil(now.waiting_bytes / KILO),
        mb: Number((now.spool_max_bytes / KILO / KILO).toFixed(1)),
        spool: now.spool,
      }),
    ],
    [
      t('Since the last start'),
      t('{sent} sent, {refused} refused, {dropped} given up for want of room', {
        sent: now.sent,
        refused: now.refused,
        dropped: now.dropped,
      }),
    ],
    ...(now.problem === null ? [] : [[t('Problem'), now.problem] as const]),
  ];
  return el('dl', {}, ...rows.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, foreign(value))]));
}

type Values = Readonly<Record<string, unknown>>;

/** Names of a document's parts in the table of fields. */
const PARTS: Readonly<Record<string, string>> = {
  streams: 'each direction of it',
  course: 'each point of its course',
  answers: 'each answer to a question',
};

/** Each field with its value and why it is there; parts of it, such as directions, below. */
function documentTable(document: Values, fields: readonly MeasurementField[]): HTMLElement {
  // A leg and its directions may have fields of the same name.
  const whyOf = new Map(fields.map(({ of, field, why }) => [`${of} ${field}`, why]));
  const rows: HTMLElement[] = [];
  const add = (values: Values, of: string, prefix: string): void => {
    for (const [name, value] of Object.entries(values)) {
      if (value === null || (Array.isArray(value) && value.length === 0)) continue;
      if (Array.isArray(value) && value.some((entry) => typeof entry === 'object')) {
        value.forEach((entry: Values, index) => add(entry, PARTS[name] ?? '', `${prefix}${name} ${index + 1} · `));
        continue;
      }
      const text = Array.isArray(value) ? value.join(' ') : typeof value === 'string' ? value : JSON.stringify(value);
      const cells = [
        foreign(`${prefix}${name}`),
        foreign(text),
        isFirstOfItsKind(prefix) ? (whyOf.get(`${of} ${name}`) ?? '') : '',
      ];
      rows.push(el('tr', {}, ...cells.map((cell) => el('td', {}, cell))));
    }
  };
  add(document, document['kind'] === 'rating' ? 'what a person said' : 'a leg', '');
  return el(
    'details',
    { class: 'panel', open: true },
    el('summary', {}, foreign(titleOf(document))),
    el(
      'div',
      { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': titleOf(document) },
      el(
        'table',
        { class: 'list measured' },
        el(
          'thead',
          {},
          el('tr', {}, ...[t('Field'), t('Value'), t('Why')].map((head) => el('th', { scope: 'col' }, head))),
        ),
        el('tbody', {}, ...rows),
      ),
    ),
  );
}

/** Only the first element of a list shows the reasons. */
function isFirstOfItsKind(prefix: string): boolean {
  return prefix === '' || prefix.includes(' 1 · ');
}

function titleOf(document: Values): string {
  return document['kind'] === 'rating' ? t('What a person said') : t('A leg of the call');
}

function fieldTable(fields: readonly MeasurementField[]): HTMLElement {
  const heads = [t('Of'), t('Field'), t('What it holds'), t('Why')];
  return el(
    'table',
    { class: 'list measured' },
    el('thead', {}, el('tr', {}, ...heads.map((head) => el('th', { scope: 'col' }, head)))),
    el(
      'tbody',
      {},
      ...fields.map(({ of, field, holds, why }) =>
        el('tr', {}, ...[of, field, holds, why].map((cell) => el('td', {}, cell))),
      ),
    ),
  );
}
