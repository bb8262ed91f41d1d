import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ISSUES } from '../../../src/model/people/rating.ts';
import { OWN_QUESTIONS, questionsOf, readQuestions } from '../../../src/ratings/questions.ts';

const READY = join(import.meta.dirname, '../../../asterisk-conf/questions.conf');
const DAY_MS = 86_400_000;
/** 2026-11-20T00:00:00Z */
const DAY = 1_795_132_800_000;

describe('questions', () => {
  test('are read from Asterisk-like sections', () => {
    const text = `; ours
[echo]
version = 3
text = Did you hear yourself?
prompt = custom/echo&beep
from = 2026-11-20
to = 2026-11-22
issue = echo_of_me
[loud]
text = Was it too quiet?
issue = too_quiet
`;
    expect(readQuestions('questions.conf', text)).toEqual([
      {
        id: 'echo',
        version: 3,
        text: 'Did you hear yourself?',
        prompt: ['custom/echo', 'beep'],
        issue: 'echo_of_me',
        fromMs: DAY,
        toMs: DAY + 2 * DAY_MS,
      },
      { id: 'loud', version: 1, text: 'Was it too quiet?', prompt: [], issue: 'too_quiet', fromMs: null, toMs: null },
    ]);
  });

  test.each([
    ['[Echo]\ntext = a\nissue = noise\n', '[Echo]: an id has'],
    ['[a]\ntext = a\n', 'issue: give one of'],
    ['[a]\nissue = noise\n', 'text is missing'],
    ['[a]\ntext = a\nissue = noise\nprompt = $(x)\n', 'prompt: give names'],
    ['[a]\ntext = a\nissue = noise\nfrom = tomorrow\n', 'from: give a day'],
    ['[a]\ntext = a\nissue = noise\nversion = 0\n', 'version is not'],
    ['[a]\ntext = a\nissue = noise\ncolour = red\n', '"colour" is not known'],
    ['[a]\ntext = a\nissue = noise\n[a]\ntext = a\nissue = noise\n', 'stands twice'],
  ])('are refused in one sentence: %j', (text, sentence) => {
    expect(() => readQuestions('questions.conf', text)).toThrow(sentence);
  });

  test('ours ask for nine things, three at a time, and each has its turn within three days', () => {
    expect(OWN_QUESTIONS.map(({ issue }) => issue)).toEqual([
      'stuttering',
      'silence',
      'one_way',
      'echo_of_me',
      'echo_of_other',
      'too_quiet',
      'noise',
      'delay',
      'dropped',
    ]);
    const days = [0, 1, 2].map((day) => questionsOf(OWN_QUESTIONS, DAY + day * DAY_MS).map(({ id }) => id));
    expect(days.map((ids) => ids.length)).toEqual([3, 3, 3]);
    expect(new Set(days.flat()).size).toBe(9);
    expect(questionsOf(OWN_QUESTIONS, DAY + DAY_MS - 1)).toEqual(questionsOf(OWN_QUESTIONS, DAY));
  });

  test('of the ready file are ours, and each key that it explains is one', () => {
    const text = readFileSync(READY, 'utf8');
    expect(readQuestions(READY, text)).toEqual(OWN_QUESTIONS);
    const [first] = readQuestions(READY, text.replaceAll(/^;(?=\w)/gm, ''));
    expect(first).toEqual({
      ...OWN_QUESTIONS[0],
      prompt: ['custom/did-it-stutter', 'beep'],
      fromMs: DAY,
      toMs: DAY + 30 * DAY_MS,
    });
    for (const issue of ISSUES) expect(text).toMatch(new RegExp(`^;.*\\b${issue}\\b`, 'm'));
  });

  test('are asked in their time only', () => {
    const [first] = OWN_QUESTIONS;
    const timed = { ...(first ?? OWN_QUESTIONS[1]!), fromMs: DAY, toMs: DAY + 1 };
    expect(questionsOf([timed], DAY - 1)).toEqual([]);
    expect(questionsOf([timed], DAY)).toEqual([timed]);
    expect(questionsOf([timed], DAY + 1)).toEqual([]);
  });
});
