import { t } from '../words/language.ts';
import { el } from './dom.ts';
import { errorNotice } from './notice.ts';

/** A question to REST that a page asks again whenever the reader chooses anew: only the newest one counts. */
export class Search {
  /** Says that it searches; the page writes there what it found. */
  readonly status = el('p', { class: 'status', role: 'status' });
  readonly #content: HTMLElement;
  readonly #ask: (signal: AbortSignal) => Promise<void>;
  #running = new AbortController();

  /** `ask` fetches and shows. What it throws is shown in `content`, with a button to try again. */
  constructor(content: HTMLElement, ask: (signal: AbortSignal) => Promise<void>) {
    this.#content = content;
    this.#ask = ask;
  }

  /** Aborted by the next search, and when the page is left. */
  get signal(): AbortSignal {
    return this.#running.signal;
  }

  /** Never rejects. */
  async run(): Promise<void> {
    this.#running.abort();
    this.#running = new AbortController();
    const { signal } = this.#running;
    this.status.textContent = t('Searching …');
    try {
      await this.#ask(signal);
    } catch (error) {
      if (signal.aborted) return;
      this.status.textContent = '';
      this.#content.replaceChildren(errorNotice(error, () => void this.run()));
    }
  }

  stop(): void {
    this.#running.abort();
  }
}
