import { lastEntry, readAsteriskConfig } from '../wire/asterisk-conf.ts';

const CODE_SECTION = /^\[mes-code\]\n(?:(?!\[)[^\n]*\n)*/m;

/**
 * The text with the extension that people dial to rate their last call, as [ratings] of mes.conf sets it; unchanged where it sets
 * none.
 */
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
