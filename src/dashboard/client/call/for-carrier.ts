import { el } from '../parts/dom.ts';
import { copyable } from '../parts/copied.ts';
import { offerFile } from '../parts/file.ts';
import { errorNotice } from '../parts/notice.ts';
import type { Channel, Stream, WholeCall } from '../rest/answers.ts';
import { get, hasToken, send } from '../rest/rest.ts';
import { t } from '../words/language.ts';
import { oneWayWords, placeWords, quantity, shortEndpoint, verdictWords } from '../words/words.ts';

function evidencePage(linkedid: string): string {
  return `/v1/calls/${encodeURIComponent(linkedid)}/evidence/page`;
}

/** Evidence for the carrier, or whoever runs the network: as text to paste, as a file, or as a link. */
export class ForCarrier {
  readonly element = el('section', { class: 'panel carrier', 'aria-label': t('For the carrier') });
  readonly #linkedid: string;
  readonly #text = el('pre', { tabindex: 0, 'aria-label': t('Text for the carrier') });
  readonly #said = el('div', { role: 'status' });

  constructor(linkedid: string) {
    this.#linkedid = linkedid;
    this.element.append(
      el('h2', {}, t('For the carrier')),
      el(
        'p',
        { class: 'meta' },
        t('What was measured, with all that the other side needs to find the call. Times are UTC.'),
      ),
      this.#text,
      el(
        'p',
        { class: 'buttons' },
        this.#button(t('Copy the text'), () => this.#copy()),
        this.#button(t('↓ Evidence (JSON)'), () => this.#download()),
        this.#button(t('Make a link for 30 days'), () => this.#share()),
        // A browser sends no token with a link. Where one is needed, the shared link leads to the same page.
        hasToken() ? null : el('a', { href: evidencePage(linkedid), target: '_blank' }, t('Page to print')),
      ),
      this.#said,
    );
  }

  show(call: WholeCall, legs: readonly Channel[]): void {
    const text = carrierText(call, legs);
    // Do not replace the same text: it would clear the reader's selection.
    if (this.#text.textContent !== text) this.#text.textContent = text;
  }

  #button(words: string, work: () => Promise<void>): HTMLElement {
    const button = el('button', { type: 'button' }, words);
    const run = async (): Promise<void> => {
      this.#said.replaceChildren();
      try {
        await work();
      } catch (error) {
        this.#said.replaceChildren(errorNotice(error, () => void run()));
      }
    };
    button.addEventListener('click', () => void run());
    return button;
  }

  async #copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.#text.textContent ?? '');
      this.#said.textContent = t('copied');
    } catch {
      getSelection()?.selectAllChildren(this.#text);
      this.#said.textContent = t('selected; copy it with Ctrl+C');
    }
  }

  get #path(): string {
    return `/v1/calls/${encodeURIComponent(this.#linkedid)}`;
  }

  async #download(): Promise<void> {
    const evidence = await get<object>(`${this.#path}/evidence`);
    const text = JSON.stringify(evidence, null, 1);
    offerFile(new Blob([text], { type: 'application/json' }), `evidence-${this.#linkedid}.json`);
  }

  async #share(): Promise<void> {
    const { url } = await send<{ readonly url: string }>('POST', `${this.#path}/share`, {});
    this.#said.replaceChildren(copyable(t('Whoever has it sees this call and nothing else:'), url));
  }
}

function carrierText(call: WholeCall, legs: readonly Channel[]): string {
  const place = placeWords(call.fault_place);
  return [
    `${t('Call')} ${call.linkedid}, ${call.started_at} – ${call.ended_at ?? t('up')}`,
    `${t('Verdict')}: ${oneWayWords(call) ?? verdictWords(call.verdict).word}, ${t('score')} ${quantity(call.mes, 2)}${place === '' ? '' : `, ${t('Fault')}: ${place}`}`,
    ...(call.fault_why === null ? [] : [call.fault_why]),
    ...legs.flatMap(legText),
  ].join('\n');
}

function legText(leg: Channel): string[] {
  const facts: readonly (readonly [string, string | null])[] = [
    [t('number'), leg.caller_number],
    [t('dialled'), leg.exten],
    ['Call-ID', leg.sip_call_id],
    [t('address'), leg.device_details?.address ?? null],
    [t('answered'), leg.answered_at],
    [t('ended'), leg.ended_at],
    [t('cause'), leg.hangup_cause_text],
  ];
  const known = facts.flatMap(([name, value]) => (value === null || value === '' ? [] : [`${name} ${value}`]));
  return [
    '',
    `${leg.endpoint} (${leg.uniqueid})`,
    ...known.map((fact) => `  ${fact}`),
    ...leg.streams.map((one) => streamText(leg, one)),
  ];
}

function streamText({ endpoint }: Channel, stream: Stream): string {
  const who = shortEndpoint(endpoint);
  const way = stream.direction === 'rx' ? t('{who} → this server', { who }) : t('this server → {who}', { who });
  const lost =
    stream.packets_lost === null || stream.packets_expected === null
      ? ''
      : ` (${t('{n} of {all}', { n: stream.packets_lost, all: stream.packets_expected })})`;
  const facts = [
    stream.codec ?? t('codec not known'),
    `SSRC ${stream.ssrc ?? '–'}`,
    `${t('loss')} ${quantity(stream.loss_percent, 2, '%')}${lost}`,
    `${t('jitter')} ${quantity(stream.jitter_ms.mean, 1, 'ms')} (${t('up to')} ${quantity(stream.jitter_ms.max, 1)})`,
    `${t('round trip')} ${quantity(stream.rtt_ms.mean, 0, 'ms')}`,
    stream.reporter === 'local' ? t('measured here') : t('measured by the far end'),
  ];
  return `  ${way}: ${facts.join(', ')}`;
}
