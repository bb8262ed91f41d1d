import { el } from './dom.ts';

/** An item of a long list. Its element is asked for when it comes near the screen, and may be removed again. */
export interface ListItem {
  readonly key: string;
  readonly element: HTMLElement;
}

/** Items within this distance of the screen are in the page, too. */
const MARGIN_PX = 400;

/** A list of any length that keeps only items near the screen in the page. */
export class VirtualList {
  readonly element: HTMLElement;
  readonly #above = el('div', { 'aria-hidden': 'true' });
  readonly #rows: HTMLElement;
  readonly #below = el('div', { 'aria-hidden': 'true' });
  readonly #heights = new Map<string, number>();
  readonly #usualPx: number;
  readonly #stopped = new AbortController();
  #items: readonly ListItem[] = [];
  #isAsked = false;

  /** `usualPx`: assumed height of items that were never shown, with their gap. */
  constructor(rows: HTMLElement, usualPx: number) {
    this.#rows = rows;
    this.#usualPx = usualPx;
    this.element = el('div', {}, this.#above, rows, this.#below);
    const { signal } = this.#stopped;
    const ask = (): void => this.#ask();
    window.addEventListener('scroll', ask, { signal, passive: true });
    window.addEventListener('resize', ask, { signal });
  }

  /** The items that are in the page. */
  get shown(): ReadonlySet<HTMLElement> {
    return new Set([...this.#rows.children] as HTMLElement[]);
  }

  show(items: readonly ListItem[]): void {
    this.#items = items;
    this.#draw();
  }

  stop(): void {
    this.#stopped.abort();
  }

  #ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    requestAnimationFrame(() => {
      this.#isAsked = false;
      if (!this.#stopped.signal.aborted) this.#draw();
    });
  }

  #draw(): void {
    const gapPx = this.#gapPx();
    for (const child of this.#rows.children) {
      const { key } = (child as HTMLElement).dataset;
      if (key !== undefined) this.#heights.set(key, child.getBoundingClientRect().height + gapPx);
    }
    const top = this.element.getBoundingClientRect().top;
    const from = -top - MARGIN_PX;
    const to = -top + window.innerHeight + MARGIN_PX;
    let at = 0;
    let abovePx = 0;
    let belowPx = 0;
    const near: HTMLElement[] = [];
    for (const item of this.#items) {
      const height = this.#heights.get(item.key) ?? this.#usualPx;
      if (at + height < from) abovePx += height;
      else if (at > to) belowPx += height;
      else near.push(item.element);
      at += height;
    }
    this.#above.style.height = `${abovePx}px`;
    this.#below.style.height = `${belowPx}px`;
    arrange(this.#rows, near);
  }

  #gapPx(): number {
    return Number.parseFloat(getComputedStyle(this.#rows).rowGap) || 0;
  }
}

/** Makes these the children, moving only those that are out of place, and keeps the focus. */
function arrange(list: HTMLElement, wanted: readonly HTMLElement[]): void {
  const focused = document.activeElement;
  const kept = new Set(wanted);
  let moved = false;
  const children = Array.from(list.children) as HTMLElement[];
  for (const child of children) if (!kept.has(child)) child.remove();
  for (const [index, element] of wanted.entries()) {
    if (list.children[index] === element) continue;
    list.insertBefore(element, list.children[index] ?? null);
    moved = true;
  }
  if (moved && focused instanceof HTMLElement && focused !== document.activeElement && list.contains(focused)) {
    focused.focus({ preventScroll: true });
  }
}
