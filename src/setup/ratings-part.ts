import { lastEntry, readAsteriskConfig } from '../wire/asterisk-conf.ts';

/** Where the part of extensions_mes.conf begins that asks for ratings. */
const START = /^\n; How was it\?/m;
const CODE_SECTION = /^\[mes-code\]\n(?:(?!\[)[^\n]*\n)*/m;

/** The dialplan of an older release gets what asks for ratings, from the whole ready file; what people have changed in it stays. */
export function withRatings(text: string, whole: string): string {
  if (/^\[mes-rate\]/m.test(text)) return text;
  return `${text}${text.endsWith('\n') ? '' : '\n'}${whole.slice(whole.search(START))}`;
}

/** The extension that people dial to rate their last call, as [ratings] of mes.conf has it; where it has none, it stays. */
export function withCode(text: string, settings: string | undefined): string {
  const code =
    lastEntry(
      readAsteriskConfig('mes.conf', settings ?? '', () => []),
      'ratings',
      'code',
    )?.value ?? '';
  if (!/^[\d*#]{2,10}$/.test(code)) return text;
  return text.replace(CODE_SECTION, (section) =>
    section.replaceAll(/^(exten => _?)[\d*#]+(?=(?:\[1-5\])?,1,)/gm, (_, start: string) => `${start}${code}`),
  );
}
