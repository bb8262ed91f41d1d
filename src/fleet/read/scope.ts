import { allOf, listOf, textTest } from './sql.ts';

/** Chooses PBXs by name (exact, or with `*` at its end) and by site. Undefined: all. */
export interface PbxFilter {
  readonly pbxs?: readonly string[] | undefined;
  readonly sites?: readonly string[] | undefined;
}

/** The PBXs of a question: those that pass all filters, such as what the reader's token allows and what was asked for. */
export type Scope = readonly PbxFilter[];

export function scopeTest(scope: Scope): string {
  return allOf(
    ...scope.flatMap(({ pbxs, sites }) => [
      pbxs === undefined ? '' : textTest(['pbx'], pbxs),
      sites === undefined ? '' : sites.length === 0 ? '0' : `site IN ${listOf(sites)}`,
    ]),
  );
}

/** The names that the scope is limited to; undefined: there is no such limit, or it has names with `*`. */
export function namesOf(scope: Scope): readonly string[] | undefined {
  const lists = scope.flatMap(({ pbxs }) =>
    pbxs === undefined || pbxs.some((name) => name.endsWith('*')) ? [] : [pbxs],
  );
  return lists.toSorted((one, other) => one.length - other.length)[0];
}

/** Whether a PBX is in the scope. */
export function isWithin(scope: Scope, { name, site }: { readonly name: string; readonly site: string }): boolean {
  const fits = (pattern: string): boolean =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
  return scope.every(({ pbxs, sites }) => pbxs?.some(fits) !== false && (sites === undefined || sites.includes(site)));
}
