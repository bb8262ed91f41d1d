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

/** Where the reader was in a list: how many rows there were, and how far down. */
interface Place {
  readonly rows: number;
  readonly scrollY: number;
}

/** REST gives so many calls at once. */
const MOST_ROWS = 500;
const places = new Map<string, Place>();
let isBack = false;

/** To be called with each change of the address, before its page opens: an entry of the browser's history that was seen before is gone back to. */
export function arrive(): void {
  const state: unknown = history.state;
  isBack = typeof state === 'object' && state !== null && 'seen' in state;
  if (!isBack) history.replaceState({ seen: true }, '');
}

/** The page with this list is left. */
export function rememberPlace(address: string, rows: number): void {
  places.set(address, { rows: Math.min(rows, MOST_ROWS), scrollY: window.scrollY });
}

/** Where the reader was in this list; undefined for whoever comes anew. Tells it once. */
export function placeIn(address: string): Place | undefined {
  if (!isBack) return undefined;
  isBack = false;
  return places.get(address);
}
