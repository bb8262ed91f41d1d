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
