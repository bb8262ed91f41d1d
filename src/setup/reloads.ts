/** A command of Asterisk's console that makes it read a file again. */
export interface Reload {
  /** `dialplan reload` */
  readonly command: string;
  /** The module that is to be loaded where it is not; null: the command works anyhow. */
  readonly module: string | null;
}

interface Rule extends Reload {
  readonly files: RegExp;
}

const plain = (files: RegExp, command: string): Rule => ({ files, command, module: null });
/** A module without configuration may not be loaded yet. */
const ofModule = (files: RegExp, module: string): Rule => ({ files, command: `module reload ${module}`, module });

/** In the order in which they are to be run. */
const RULES: readonly Rule[] = [
  ofModule(/^pjsip|\/pjsip/, 'res_pjsip.so'),
  plain(/^manager_/, 'manager reload'),
  plain(/^extensions_/, 'dialplan reload'),
  plain(/^cdr_mes\.conf$/, 'module reload cdr'),
  plain(/^http_/, 'module reload http'),
  ofModule(/^ari_/, 'res_ari.so'),
  ofModule(/^cdr_custom_mes\.conf$/, 'cdr_custom.so'),
];

/** What Asterisk has to read again after these files changed; an endpoint may be in a file of any name. */
export function reloadsFor(
  files: readonly { readonly name: string | null; readonly isEndpoints: boolean }[],
): Reload[] {
  return RULES.filter(({ files: pattern, module }) =>
    files.some(({ name, isEndpoints }) => pattern.test(name ?? '') || (isEndpoints && module === 'res_pjsip.so')),
  ).map(({ command, module }) => ({ command, module }));
}
