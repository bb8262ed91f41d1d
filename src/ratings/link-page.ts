import { createHash } from 'node:crypto';
import { LINK_WORDS, type LinkLanguage, type LinkWords } from './link-words.ts';
import { LONGEST_COMMENT, type Question } from '../model/people/rating.ts';

const STYLE = `
:root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 34rem; padding: 1rem; }
h1 { font-size: 1.4rem; margin: 0.5rem 0; }
fieldset { border: 0; margin: 1.25rem 0; padding: 0; }
legend { font-weight: 600; padding: 0; }
.faces { display: flex; gap: 0.25rem; justify-content: space-between; margin-top: 0.5rem; }
.faces label { align-items: center; border: 2px solid transparent; border-radius: 0.75rem; display: flex; flex: 1; flex-direction: column; font-size: 0.8rem; min-width: 0; padding: 0.4rem 0; }
.faces label:has(:checked) { border-color: currentColor; }
.faces svg { height: auto; max-width: 3rem; width: 80%; }
.yes-no label { display: inline-block; margin-right: 1.5rem; padding: 0.5rem 0; }
input { accent-color: #0b6e4f; height: 1.2rem; width: 1.2rem; }
textarea { box-sizing: border-box; font: inherit; margin-top: 0.5rem; width: 100%; }
button { background: #0b6e4f; border: 0; border-radius: 0.5rem; color: #fff; font: inherit; min-height: 3rem; width: 100%; }
.problem { border-left: 0.3rem solid #c62828; padding-left: 0.6rem; }
`;

/** Headers of the pages: nothing runs, nothing is loaded, and the form is sent here only (CSP level 3). */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join(';'),
  // With no-referrer a browser would send its own form with "Origin: null", as a stranger's page does (Fetch §3.2).
  'referrer-policy': 'same-origin',
  'x-robots-tag': 'noindex',
  vary: 'accept-language',
};

/** How the mouth of each face curves, from 1 to 5. */
const MOUTHS = [
  'M16 36 Q24 24 32 36',
  'M16 34 Q24 28 32 34',
  'M16 32 L32 32',
  'M16 30 Q24 36 32 30',
  'M14 28 Q24 42 34 28',
];

export interface RatedTime {
  readonly startedAtMs: number;
  readonly durationS: number;
}

/** The page of a link that is good. `lacksFace`: the time before, none was chosen. */
export function askingPage(
  { startedAtMs, durationS }: RatedTime,
  questions: readonly Question[],
  language: LinkLanguage,
  lacksFace = false,
): string {
  const words = LINK_WORDS[language];
  const faces = words.faces
    .map(
      (word, index) => `<label>
<svg viewBox="0 0 48 48" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round"><circle cx="24" cy="24" r="21"/><path d="M17 18 v2 M31 18 v2 ${MOUTHS[index] ?? ''}"/></svg>
<input type="radio" name="score" value="${index + 1}" required> ${word}</label>`,
    )
    .join('\n');
  const asked = questions
    .map(
      ({
        id,
        text,
        textDe,
      }) => `<fieldset class="yes-no"><legend>${escaped((language === 'de' ? textDe : undefined) ?? text)}</legend>
<label><input type="radio" name="q.${escaped(id)}" value="yes"> ${words.yes}</label>
<label><input type="radio" name="q.${escaped(id)}" value="no"> ${words.no}</label></fieldset>`,
    )
    .join('\n');
  return page(
    language,
    words.title,
    `<p>${escaped(words.call(timeText(startedAtMs, words), lengthText(durationS, words)))}</p>
${lacksFace ? `<p class="problem" role="alert">${words.noFace}</p>` : ''}
<form method="post">
<fieldset><legend>${words.score}</legend>
<div class="faces">
${faces}
</div></fieldset>
${asked}
<fieldset><legend><label for="comment">${words.comment}</label></legend>
<textarea id="comment" name="comment" rows="3" maxlength="${LONGEST_COMMENT}"></textarea></fieldset>
<button type="submit">${words.send}</button>
</form>`,
  );
}

/**
 * - `thanks`: the rating is stored
 * - `refused`: the link is wrong, over, used or of a call that is not kept any more
 * - `busy`: so many rate that no more are taken
 */
export function sayingPage(what: 'thanks' | 'refused' | 'busy', language: LinkLanguage): string {
  const [title, text] = LINK_WORDS[language][what];
  return page(language, title, `<p>${text}</p>`);
}

function page(language: LinkLanguage, title: string, content: string): string {
  return `<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>${STYLE}</style></head>
<body><main><h1>${title}</h1>
${content}
</main></body></html>
`;
}

function timeText(atMs: number, { locale }: LinkWords): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short' }).format(atMs);
}

function lengthText(durationS: number, { seconds, minutes }: LinkWords): string {
  const whole = Math.round(durationS);
  return whole < 60 ? seconds(whole) : minutes(Math.round(whole / 60));
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}
