import { emitKeypressEvents } from 'node:readline';
import type { ChannelAnswer } from './answers.ts';
import { callLines, type CallParts } from './call-text.ts';
import { type LiveCall, liveCalls, liveLines, liveSummary, type LiveView, SORTS } from './live-table.ts';
import { loadCall } from './load-call.ts';
import { type Paint, paintFor } from './paint.ts';
import { type RestClient, whyNotReady } from './rest-client.ts';
import { errorText } from '../../units/error-text.ts';

const REFRESH_MS = 1000;
const ALTERNATE_SCREEN = '\u001b[?1049h\u001b[?25l';
const USUAL_SCREEN = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
/** Lines that are no calls: summary, heading, keys. */
const FRAME_LINES = 4;

interface Key {
  readonly name?: string;
  readonly ctrl?: boolean;
  readonly sequence?: string;
}

/** The screen that `asterisk-mes live` shows on a terminal, until a key or a signal ends it. */
export class LiveScreen {
  readonly #rest: RestClient;
  readonly #paint: Paint;
  #view: LiveView;
  /** Null until the sidecar has answered once. */
  #channels: readonly ChannelAnswer[] | null = null;
  #problem: string | null = null;
  #chosen: string | null = null;
  /** The call that is followed; null: the list is shown. */
  #followed: CallParts | null = null;
  #followedId: string | null = null;
  /** What is being typed after `/`; null: nothing is. */
  #typed: string | null = null;
  readonly #ended = Promise.withResolvers<undefined>();

  constructor(rest: RestClient, view: LiveView) {
    this.#rest = rest;
    this.#view = view;
    this.#paint = paintFor(process.stdout, process.env);
  }

  async show(): Promise<void> {
    const onResize = (): void => this.#draw();
    const onKey = (_: string | undefined, key: Key): void => this.#press(key);
    const onSignal = (): void => this.#ended.resolve(undefined);
    emitKeypressEvents(process.stdin);
    process.stdin.setRawMode(true).resume().on('keypress', onKey);
    process.stdout.on('resize', onResize);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
    process.stdout.write(ALTERNATE_SCREEN);
    let timer: NodeJS.Timeout | undefined;
    const refresh = async (): Promise<void> => {
      await this.#load();
      this.#draw();
      timer = setTimeout(() => void refresh(), REFRESH_MS);
    };
    try {
      void refresh();
      await this.#ended.promise;
    } finally {
      clearTimeout(timer);
      process.stdin.setRawMode(false).pause().off('keypress', onKey);
      process.stdout.off('resize', onResize).write(USUAL_SCREEN);
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, onSignal);
    }
  }

  async #load(): Promise<void> {
    try {
      const { channels } = await this.#rest.get<{ channels: ChannelAnswer[] }>('/v1/live');
      this.#channels = channels;
      if (this.#followedId !== null) this.#followed = await loadCall(this.#rest, this.#followedId);
      this.#problem = await whyNotReady(this.#rest);
    } catch (error) {
      this.#problem = errorText(error);
    }
  }

  #calls(): LiveCall[] {
    return liveCalls(this.#channels ?? [], this.#view);
  }

  #press({ name, ctrl, sequence }: Key): void {
    if (ctrl === true && name === 'c') this.#ended.resolve(undefined);
    else if (this.#typed !== null) this.#type(name, sequence ?? '');
    else if (this.#followedId !== null) this.#pressInCall(name);
    else this.#pressInList(name, sequence);
    this.#draw();
  }

  #type(name: string | undefined, text: string): void {
    const typed = this.#typed ?? '';
    if (name === 'return' || name === 'escape') {
      if (name === 'escape') this.#view = { ...this.#view, search: '' };
      this.#typed = null;
      return;
    }
    this.#typed = name === 'backspace' ? typed.slice(0, -1) : /^[\x20-\x7e]$/.test(text) ? typed + text : typed;
    this.#view = { ...this.#view, search: this.#typed };
  }

  #pressInCall(name: string | undefined): void {
    if (name === 'q') this.#ended.resolve(undefined);
    if (name !== 'escape' && name !== 'left' && name !== 'return') return;
    this.#followedId = null;
    this.#followed = null;
  }

  #pressInList(name: string | undefined, sequence: string | undefined): void {
    if (name === 'q') this.#ended.resolve(undefined);
    else if (sequence === '/') this.#typed = this.#view.search;
    else if (name === 's') this.#view = { ...this.#view, sort: nextSort(this.#view.sort) };
    else if (name === 'b') this.#view = { ...this.#view, isBadOnly: !this.#view.isBadOnly };
    else if (name === 'down' || name === 'j') this.#move(1);
    else if (name === 'up' || name === 'k') this.#move(-1);
    else if (name === 'return' || name === 'right') this.#follow();
  }

  #move(step: number): void {
    const calls = this.#calls();
    const index = calls.findIndex(({ linkedid }) => linkedid === this.#chosen);
    const next = index < 0 ? 0 : Math.min(calls.length - 1, Math.max(0, index + step));
    this.#chosen = calls[next]?.linkedid ?? null;
  }

  #follow(): void {
    const calls = this.#calls();
    const id = calls.find(({ linkedid }) => linkedid === this.#chosen)?.linkedid ?? calls[0]?.linkedid;
    if (id === undefined) return;
    this.#chosen = id;
    this.#followedId = id;
    void this.#load().then(() => this.#draw());
  }

  #draw(): void {
    const { columns, rows } = process.stdout;
    const lines = this.#followedId === null ? this.#list(columns, rows) : this.#call(columns);
    const shown = lines.slice(0, rows).map((line) => `${line}${CLEAR_LINE}`);
    process.stdout.write(`${HOME}${shown.join('\r\n')}${CLEAR_BELOW}`);
  }

  #list(columns: number, rows: number): string[] {
    const calls = this.#calls();
    const lines = liveLines(calls, columns, this.#paint);
    const index = Math.max(
      0,
      calls.findIndex(({ linkedid }) => linkedid === this.#chosen),
    );
    const room = Math.max(1, rows - FRAME_LINES);
    const first = Math.max(0, Math.min(index - room + 1, calls.length - room));
    const body = lines
      .slice(1)
      .map((line, at) => (calls[at]?.linkedid === this.#chosen ? this.#paint('chosen', line) : line));
    const { sort, isBadOnly, search } = this.#view;
    const filters = `${isBadOnly ? ', below good only' : ''}${search === '' ? '' : `, with "${search}"`}`;
    const keys =
      this.#typed === null ? 'q quit  s sort  b below good  / search  arrows, Enter follow' : `/${this.#typed}_`;
    const summary = this.#channels === null ? 'Loading …' : `${liveSummary(calls)}, ${sort} first${filters}`;
    return [
      this.#problem === null ? summary.slice(0, columns) : this.#paint('bad', this.#problem.slice(0, columns)),
      lines[0] ?? '',
      ...body.slice(first, first + room),
      '',
      this.#paint('dim', keys),
    ];
  }

  #call(columns: number): string[] {
    const text =
      this.#followed === null ? [this.#problem ?? 'Loading …'] : callLines(this.#followed, columns, this.#paint);
    return [...text, '', this.#paint('dim', 'Esc back  q quit')];
  }
}

function nextSort(sort: LiveView['sort']): LiveView['sort'] {
  return SORTS[(SORTS.indexOf(sort) + 1) % SORTS.length] ?? 'worst';
}
