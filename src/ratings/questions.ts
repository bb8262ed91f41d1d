import { ISSUES, type Issue, type Question } from '../model/rating.ts';
import { readAsteriskConfig } from '../wire/asterisk-conf.ts';

/** Shown at a time: more are not answered. */
const MOST_AT_ONCE = 3;
const MOST_QUESTIONS = 100;
const LONGEST_TEXT = 200;
const ID = /^[a-z0-9][a-z0-9_-]{0,39}$/;
const PROMPT = /^[\w/.-]{1,80}(?:&[\w/.-]{1,80}){0,15}$/;
/** The next ones take their turn after so long. */
const TURN_MS = 86_400_000;
const KEYS = ['version', 'text', 'prompt', 'from', 'to', 'issue'];

function own(id: string, issue: Issue, text: string): Question {
  return { id, version: 1, text, prompt: [], issue, fromMs: null, toMs: null };
}

/** Ours, in the words that callers use. They have no prompts: Asterisk's sounds do not say them. */
export const OWN_QUESTIONS: readonly Question[] = [
  own('stuttering', 'stuttering', 'Did the sound stutter or drop out?'),
  own('silence', 'silence', 'Was there silence where somebody should have been heard?'),
  own('one-way', 'one_way', 'Could only one of you hear the other?'),
  own('echo-of-me', 'echo_of_me', 'Did you hear your own voice come back?'),
  own('echo-of-other', 'echo_of_other', 'Did the other side say that they heard themselves?'),
  own('too-quiet', 'too_quiet', 'Was the other side too quiet?'),
  own('noise', 'noise', 'Was there noise or crackling?'),
  own('delay', 'delay', 'Did answers come so late that you talked over each other?'),
  own('dropped', 'dropped', 'Did the call end before you hung up?'),
];

/**
 * Reads `questions.conf`: a section for each question, named by its id. Throws RangeError with one sentence that names the
 * question and the key at fault.
 */
export function readQuestions(file: string, text: string): readonly Question[] {
  const seen = new Set<string>();
  const questions = readAsteriskConfig(file, text, () => []).map(({ name, entries }): Question => {
    const refuse = (sentence: string): never => {
      throw new RangeError(`${file}, [${name.slice(0, 40)}]: ${sentence}`);
    };
    if (!ID.test(name)) refuse('an id has small letters, digits, - and _, at most 40');
    if (seen.has(name)) refuse('this question stands twice; write it once');
    seen.add(name);
    const values = new Map(entries.map(({ key, value }) => [key, value]));
    for (const key of values.keys())
      if (!KEYS.includes(key)) refuse(`"${key.slice(0, 40)}" is not known; known are ${KEYS.join(', ')}`);
    const version = values.get('version') ?? '1';
    if (!/^[1-9]\d{0,5}$/.test(version)) refuse('version is not a whole number from 1 on');
    const words = values.get('text') ?? '';
    if (words === '' || words.length > LONGEST_TEXT)
      refuse(`text is missing or longer than ${LONGEST_TEXT} characters`);
    const prompt = values.get('prompt') ?? '';
    if (prompt !== '' && !PROMPT.test(prompt)) refuse('prompt: give names of sounds, with & between them');
    const issue = ISSUES.find((known) => known === values.get('issue'));
    if (issue === undefined) return refuse(`issue: give one of ${ISSUES.join(', ')}`);
    const moment = (key: 'from' | 'to'): number | null => {
      const given = values.get(key) ?? '';
      if (given === '') return null;
      const atMs = /^\d{4}-\d{2}-\d{2}$/.test(given) ? Date.parse(`${given}T00:00:00Z`) : NaN;
      return Number.isNaN(atMs) ? refuse(`${key}: give a day such as 2026-11-20`) : atMs;
    };
    return {
      id: name,
      version: Number(version),
      text: words,
      prompt: prompt === '' ? [] : prompt.split('&'),
      issue,
      fromMs: moment('from'),
      toMs: moment('to'),
    };
  });
  if (questions.length > MOST_QUESTIONS)
    throw new RangeError(`${file}: there are more than ${MOST_QUESTIONS} questions`);
  return questions;
}

/** Which to ask now: of those whose time it is, another three each day. */
export function questionsOf(all: readonly Question[], nowMs: number): readonly Question[] {
  const due = all.filter(({ fromMs, toMs }) => (fromMs ?? nowMs) <= nowMs && nowMs < (toMs ?? Infinity));
  if (due.length <= MOST_AT_ONCE) return due;
  const first = (Math.floor(nowMs / TURN_MS) * MOST_AT_ONCE) % due.length;
  return [...due.slice(first), ...due.slice(0, first)].slice(0, MOST_AT_ONCE);
}
