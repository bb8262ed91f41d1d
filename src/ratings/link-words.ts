/** The languages of the page behind a link. */
export const LINK_LANGUAGES = ['en', 'de'] as const;
export type LinkLanguage = (typeof LINK_LANGUAGES)[number];

/** A header has some; more are not looked at. */
const MOST_RANGES = 20;

/** The language that a browser's Accept-Language header wants most (RFC 9110 §12.5.4); English where it wants none of ours. */
export function linkLanguage(header: string | undefined): LinkLanguage {
  const wanted = (header ?? '')
    .split(',', MOST_RANGES)
    .flatMap((part) => {
      const [range = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
      const language = LINK_LANGUAGES.find((known) => range === known || range.startsWith(`${known}-`));
      const weight = parameters.find((parameter) => parameter.startsWith('q='));
      return language === undefined
        ? []
        : { language, weight: weight === undefined ? 1 : Number(weight.slice(2)) || 0 };
    })
    .filter(({ weight }) => weight > 0)
    .toSorted((one, other) => other.weight - one.weight);
  return wanted[0]?.language ?? 'en';
}

export interface LinkWords {
  readonly locale: string;
  readonly title: string;
  readonly score: string;
  /** From 1 to 5. */
  readonly faces: readonly [string, string, string, string, string];
  readonly yes: string;
  readonly no: string;
  readonly comment: string;
  readonly send: string;
  readonly noFace: string;
  readonly thanks: readonly [title: string, text: string];
  readonly refused: readonly [title: string, text: string];
  readonly busy: readonly [title: string, text: string];
  /** When the call began and how long it took, both as texts. */
  readonly call: (began: string, length: string) => string;
  readonly seconds: (count: number) => string;
  readonly minutes: (count: number) => string;
}

export const LINK_WORDS: Readonly<Record<LinkLanguage, LinkWords>> = {
  en: {
    locale: 'en-GB',
    title: 'How was your call?',
    score: 'How did it sound?',
    faces: ['Bad', 'Poor', 'Fair', 'Good', 'Excellent'],
    yes: 'Yes',
    no: 'No',
    comment: 'Anything else?',
    send: 'Send',
    noFace: 'Please choose one of the five faces.',
    thanks: ['Thank you', 'Your answer was stored. You can close this page.'],
    refused: ['This link does not work', 'It may be over, or was used already. There is nothing else you need to do.'],
    busy: ['Please try again', 'Too many answers came at once. Wait a minute, and send yours again.'],
    call: (began, length) => `Your call of ${began}, ${length} long.`,
    seconds: (count) => (count === 1 ? '1 second' : `${count} seconds`),
    minutes: (count) => (count === 1 ? '1 minute' : `${count} minutes`),
  },
  de: {
    locale: 'de-DE',
    title: 'Wie war Ihr Anruf?',
    score: 'Wie klang er?',
    faces: ['Schlecht', 'Mäßig', 'Mittel', 'Gut', 'Sehr gut'],
    yes: 'Ja',
    no: 'Nein',
    comment: 'Sonst noch etwas?',
    send: 'Senden',
    noFace: 'Bitte wählen Sie eines der fünf Gesichter.',
    thanks: ['Danke', 'Ihre Antwort ist gespeichert. Sie können diese Seite schließen.'],
    refused: ['Dieser Link gilt nicht', 'Er ist abgelaufen oder wurde schon benutzt. Sie müssen nichts weiter tun.'],
    busy: [
      'Bitte noch einmal versuchen',
      'Es kamen zu viele Antworten auf einmal. Warten Sie eine Minute und senden Sie Ihre noch einmal.',
    ],
    call: (began, length) => `Ihr Anruf vom ${began}, ${length} lang.`,
    seconds: (count) => (count === 1 ? '1 Sekunde' : `${count} Sekunden`),
    minutes: (count) => (count === 1 ? '1 Minute' : `${count} Minuten`),
  },
};
