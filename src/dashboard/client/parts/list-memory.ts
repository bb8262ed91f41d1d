/** The list that a call was chosen from: the call's page leads to the ones before and after it, and back. */
export interface RememberedList {
  /** Address of the page with the list. */
  readonly address: string;
  readonly linkedids: readonly string[];
}

let list: RememberedList | undefined;

export function rememberList(remembered: RememberedList): void {
  list = remembered;
}

/** Neighbours of a call in the list that was shown last; undefined when it is not in it. */
export function neighboursOf(
  linkedid: string,
): { readonly address: string; readonly before: string | undefined; readonly after: string | undefined } | undefined {
  const at = list?.linkedids.indexOf(linkedid) ?? -1;
  if (list === undefined || at < 0) return undefined;
  return { address: list.address, before: list.linkedids[at - 1], after: list.linkedids[at + 1] };
}

/** The reader's place in a list: the number of rows, and the scroll position. */
interface Place {
  readonly rows: number;
  readonly scrollY: number;
}

/** Bound on the calls in one answer of REST. */
const MOST_ROWS = 500;
const places = new Map<string, Place>();
let isBack = false;

/** Call it with each change of the address, before its page opens. It notes whether the reader went back to a page. */
export function arrive(): void {
  const state: unknown = history.state;
  isBack = typeof state === 'object' && state !== null && 'seen' in state;
  if (!isBack) history.replaceState({ seen: true }, '');
}

/** Stores the reader's place when a list is left. */
export function rememberPlace(address: string, rows: number): void {
  places.set(address, { rows: Math.min(rows, MOST_ROWS), scrollY: window.scrollY });
}

/** The reader's stored place in a list, once; undefined: the reader has come anew. */
export function placeIn(address: string): Place | undefined {
  if (!isBack) return undefined;
  isBack = false;
  return places.get(address);
}
