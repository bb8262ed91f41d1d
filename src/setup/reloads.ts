/** A console command that makes Asterisk read a file again. */
export interface Reload {
  /** `dialplan reload` */
  readonly command: string;
  /** The module to load where it is not loaded; null: the command works without one. */
  readonly module: string | null;
}

interface Rule extends Reload {
  readonly files: RegExp;
}

const plain = (files: RegExp, command: string): Rule => ({ files, command, module: null });
/** A module without configuration may not be loaded yet. */
const ofModule = (files: RegExp, module: string): Rule => ({ files, command: `module reload ${module}`, module });

/** In the order in which they have to run. */
const RULES: readonly Rule[] = [
  ofModule(/^pjsip|\/pjsip/, 'res_pjsip.so'),
  plain(/^manager_/, 'manager reload'),
  plain(/^extensions_/, 'dialplan reload'),
  plain(/^cdr_mes\.conf$/, 'module reload cdr'),
  plain(/^http_/, 'module reload http'),
  ofModule(/^ari_/, 'res_ari.so'),
  ofModule(/^cdr_custom_mes\.conf$/, 'cdr_custom.so'),
];

/** The commands to run after these files changed. Endpoints may be in a file of any name. */
export function reloadsFor(
  files: readonly { readonly name: string | null; readonly isEndpoints: boolean }[],
): Reload[] {
  return RULES.filter(({ files: pattern, module }) =>
    files.some(({ name, isEndpoints }) => pattern.test(name ?? '') || (isEndpoints && module === 'res_pjsip.so')),
  ).map(({ command, module }) => ({ command, module }));
}
