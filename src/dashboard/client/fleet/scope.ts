/** The page of a fleet's gateway: the same pages over all PBXs, or over those that are chosen in the bar. */

export const IS_FLEET = document.documentElement.dataset['fleet'] !== undefined;

const CHOICE_KEY = 'asterisk-mes-pbx';
/** Of a call that two PBXs may have: whose it is, as its page's address says. */
let ofPage: string | null = null;

/** The PBX that the open page's address names; null: it names none. */
export function scopeToPage(pbx: string | null): void {
  ofPage = pbx;
}

/** `pbx=NAME`, `site=NAME`, or empty for all. */
export function chosenScope(): string {
  return sessionStorage.getItem(CHOICE_KEY) ?? '';
}

/** Kept for as long as the browser's tab lives. */
export function chooseScope(choice: string): void {
  sessionStorage.setItem(CHOICE_KEY, choice);
}

/** The window's event for an answer of fewer or of all shards; its detail is `Shards`. */
export const SHARDS_ANSWERED = 'shards-answered';

/** Takes note of how whole an answer of REST is. */
export function noteShards(answer: unknown): void {
  if (!IS_FLEET || typeof answer !== 'object' || answer === null || !('shards' in answer)) return;
  if (answer.shards !== null) window.dispatchEvent(new CustomEvent(SHARDS_ANSWERED, { detail: answer.shards }));
}

/** An address of REST with what is chosen, unless it says whose itself. */
export function inScope(path: string): string {
  if (!IS_FLEET || /[?&](?:pbx|site)=/.test(path)) return path;
  const scope = ofPage === null ? chosenScope() : `${new URLSearchParams({ pbx: ofPage })}`;
  return scope === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${scope}`;
}
