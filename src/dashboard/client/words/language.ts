import { GERMAN } from './messages-de.ts';

/** Languages that the page speaks; English is what stands in the code. */
const MESSAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = { de: GERMAN };
const LANGUAGE_KEY = 'asterisk-mes-language';

function chosen(): string {
  const wanted = [localStorage.getItem(LANGUAGE_KEY) ?? '', ...navigator.languages];
  return wanted.map((tag) => tag.slice(0, 2)).find((tag) => tag === 'en' || Object.hasOwn(MESSAGES, tag)) ?? 'en';
}

/** The page's language, as a tag for `lang` and Intl. Numbers and dates follow the browser's own region where it has that language. */
export const LANGUAGE = chosen();
export const LOCALE = navigator.languages.find((tag) => tag.startsWith(LANGUAGE)) ?? LANGUAGE;
export const LANGUAGES = ['en', ...Object.keys(MESSAGES)] as const;

/** For the next time that the page is loaded. */
export function chooseLanguage(language: string): void {
  localStorage.setItem(LANGUAGE_KEY, language);
}

/**
 * A sentence in the page's language. What is in braces is filled in: `t('{n} calls', { n: 3 })`. A sentence that the language lacks
 * stays English.
 */
export function t(sentence: string, values: Readonly<Record<string, string | number>> = {}): string {
  const said = MESSAGES[LANGUAGE]?.[sentence] ?? sentence;
  return said.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The same for a number of things: one sentence for one, another for any other number. */
export function tn(one: string, many: string, n: number): string {
  return t(new Intl.PluralRules(LANGUAGE).select(n) === 'one' ? one : many, { n: n.toLocaleString(LOCALE) });
}
