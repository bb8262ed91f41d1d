/** The page of a fleet's gateway: the same pages over all PBXs, or over those that are chosen in the bar. */

export const IS_FLEET = document.documentElement.dataset['fleet'] !== undefined;

const CHOICE_KEY = 'asterisk-mes-pbx';
/** The PBX that the address of a call's page names. */
let ofPage: string | null = null;

/** The PBX that the open page's address names; null: it names none. */
export function scopeToPage(pbx: string | null): void {
  ofPage = pbx;
}

/** `pbx=NAME`, `site=NAME`, or empty for all. */
export function chosenScope(): string {
  return sessionStorage.getItem(CHOICE_KEY) ?? '';
}

/** Stores the choice for the life of the browser's tab. */
export function chooseScope(choice: string): void {
  sessionStorage.setItem(CHOICE_KEY, choice);
}

/** The window's event for an answer of fewer or of all shards; its detail is `Shards`. */
export const SHARDS_ANSWERED = 'shards-answered';

/** Reports to the window how many shards an answer comes from. */
export function noteShards(answer: unknown): void {
  if (!IS_FLEET || typeof answer !== 'object' || answer === null || !('shards' in answer)) return;
  if (answer.shards !== null) window.dispatchEvent(new CustomEvent(SHARDS_ANSWERED, { detail: answer.shards }));
}

/** Adds the chosen scope to an address of REST, unless it has one. */
export function inScope(path: string): string {
  if (!IS_FLEET || /[?&](?:pbx|site)=/.test(path)) return path;
  const scope = ofPage === null ? chosenScope() : `${new URLSearchParams({ pbx: ofPage })}`;
  return scope === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${scope}`;
}
