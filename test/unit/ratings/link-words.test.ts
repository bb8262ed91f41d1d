import { expect, test } from 'vitest';
import { linkLanguage, LINK_WORDS } from '../../../src/ratings/link-words.ts';

test.each([
  [undefined, 'en'],
  ['', 'en'],
  ['de', 'de'],
  ['de-AT', 'de'],
  ['DE-de,de;q=0.9,en-US;q=0.8,en;q=0.7', 'de'],
  ['en-US,en;q=0.9,de;q=0.8', 'en'],
  ['en;q=0.5, de;q=0.8', 'de'],
  ['fr-FR,fr;q=0.9,de;q=0.5', 'de'],
  ['fr', 'en'],
  ['*', 'en'],
  ['de;q=0', 'en'],
  ['de;q=0, en;q=0.1', 'en'],
  ['de;q=x', 'en'],
  // Another language, not a kind of German.
  ['den', 'en'],
  [`${'fr,'.repeat(5000)}de`, 'en'],
  [';;;,,,=,q=', 'en'],
])('who wants %j reads %s', (header, language) => {
  expect(linkLanguage(header)).toBe(language);
});

test('each language says all that the other one says, with numbers of its own', () => {
  const { en, de } = LINK_WORDS;
  const texts = (words: object): string[] =>
    Object.values(words)
      .flat()
      .filter((value): value is string => typeof value === 'string');
  expect(texts(de)).toHaveLength(texts(en).length);
  // No sentence was left in the other language.
  expect(texts(de).filter((text) => texts(en).includes(text))).toEqual([]);
  expect([en.seconds(1), en.seconds(2), en.minutes(1), en.minutes(60)]).toEqual([
    '1 second',
    '2 seconds',
    '1 minute',
    '60 minutes',
  ]);
  expect([de.seconds(1), de.seconds(2), de.minutes(1), de.minutes(60)]).toEqual([
    '1 Sekunde',
    '2 Sekunden',
    '1 Minute',
    '60 Minuten',
  ]);
});
