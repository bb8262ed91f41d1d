import type { AsteriskConfig, ConfigEntry } from '../asterisk-conf.ts';

/** The contexts of extensions_mes.conf. */
export const HANDLER_CONTEXTS: readonly string[] = ['mes', 'mes-hangup'];

/** `Gosub(mes,s,1)`, `b(mes^s^1)` with blanks or older bars between the words, and whatever names the handler itself. */
const USE = /(?<![\w-])mes\s*[,^|]\s*s\s*[,^|]\s*1\b|(?<![\w-])mes-hangup\s*[,^|]/i;

/** Whether a text calls [mes], or pushes [mes-hangup]. */
export function usesHandler(text: string): boolean {
  return USE.test(text);
}

/** The lines of a dialplan, or of pjsip.conf, that use the hangup handler; each once. */
export function handlerUses(config: AsteriskConfig): ConfigEntry[] {
  const entries = config
    .filter(({ name }) => !HANDLER_CONTEXTS.includes(name))
    .flatMap((section) => section.entries.filter(({ value }) => usesHandler(value)));
  // A template's line is in each section that is made from it.
  return [...new Map(entries.map((entry) => [`${entry.file}:${entry.line}`, entry])).values()];
}
