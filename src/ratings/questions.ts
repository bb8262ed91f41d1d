import { z } from 'zod';
import { ISSUES, type Issue, type Question } from '../model/people/rating.ts';
import { readAsteriskConfig } from '../wire/asterisk-conf.ts';

/** Questions shown at a time; people do not answer more. */
const MOST_AT_ONCE = 3;
const MOST_QUESTIONS = 100;
const LONGEST_TEXT = 200;
const ID = /^[a-z0-9][a-z0-9_-]{0,39}$/;
const PROMPT = /^[\w/.-]{1,80}(?:&[\w/.-]{1,80}){0,15}$/;
/** After this time the next questions are shown. */
const TURN_MS = 86_400_000;
/** Control characters, and characters that change the direction of writing. */
const INVISIBLE = /[\p{Cc}\p{Cf}\u2028\u2029]/u;
const KEYS = ['version', 'text', 'text_de', 'prompt', 'from', 'to', 'issue'];

function own(id: string, issue: Issue, text: string, textDe: string): Question {
  return { id, version: 1, text, textDe, prompt: [], issue, fromMs: null, toMs: null };
}

/** The usual questions, in callers' words. They have no prompts, because Asterisk has no such sounds. */
export const OWN_QUESTIONS: readonly Question[] = [
  own('stuttering', 'stuttering', 'Did the sound stutter or drop out?', 'Stockte der Ton, oder setzte er aus?'),
  own(
    'silence',
    'silence',
    'Was there silence where somebody should have been heard?',
    'War es still, wo jemand zu hören sein sollte?',
  ),
  own('one-way', 'one_way', 'Could only one of you hear the other?', 'Konnte nur eine Seite die andere hören?'),
  own('echo-of-me', 'echo_of_me', 'Did you hear your own voice come back?', 'Hörten Sie Ihre eigene Stimme als Echo?'),
  own(
    'echo-of-other',
    'echo_of_other',
    'Did the other side say that they heard themselves?',
    'Sagte die andere Seite, dass sie sich selbst hört?',
  ),
  own('too-quiet', 'too_quiet', 'Was the other side too quiet?', 'War die andere Seite zu leise?'),
  own('noise', 'noise', 'Was there noise or crackling?', 'Hat es gerauscht oder geknackt?'),
  own(
    'delay',
    'delay',
    'Did answers come so late that you talked over each other?',
    'Kamen Antworten so spät, dass Sie sich ins Wort fielen?',
  ),
  own('dropped', 'dropped', 'Did the call end before you hung up?', 'Endete der Anruf, bevor Sie auflegten?'),
];

/**
 * Reads `questions.conf`: a section for each question, named by its id. Throws RangeError with one sentence that names the
 * question and the key at fault.
 */
export function readQuestions(file: string, text: string): readonly Question[] {
  const sections = readAsteriskConfig(file, text, () => []);
  return checked(
    file,
    sections.map(({ name, entries }) => {
      const values = new Map(entries.map(({ key, value }) => [key, value]));
      const unknown = [...values.keys()].find((key) => !KEYS.includes(key));
      if (unknown !== undefined) {
        const sentence = `"${unknown.slice(0, 40)}" is not known; known are ${KEYS.join(', ')}`;
        throw new RangeError(`${file}, [${name.slice(0, 40)}]: ${sentence}`);
      }
      return { id: name, values };
    }),
  );
}

/** The questions that a collection server publishes. */
export interface PublishedQuestions {
  /** Time of the issue: an older issue never replaces a newer one. */
  readonly issuedMs: number;
  readonly questions: readonly Question[];
}

/** Unknown fields are ignored: a later release may add some. */
const PUBLISHED = z.object(
  {
    issued: z.iso.datetime({ error: 'give a time such as 2026-11-20T08:00:00Z' }),
    questions: z
      .array(z.record(z.string(), z.unknown(), { error: 'give a question as {"id": …, "text": …, "issue": …}' }), {
        error: 'give a list of questions',
      })
      .max(MOST_QUESTIONS, { error: `there are more than ${MOST_QUESTIONS}` }),
  },
  { error: 'give {"issued": …, "questions": […]}' },
);

/**
 * Reads published questions, `{"issued": …, "questions": [{"id": …, …}]}` with the keys of `questions.conf`. A question
 * whose issue this release does not know is left out. Throws RangeError with one sentence.
 */
export function readPublishedQuestions(source: string, text: string): PublishedQuestions {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new RangeError(`${source}: this is no JSON`);
  }
  const read = PUBLISHED.safeParse(content);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new RangeError(
      `${source}, ${issue?.path.join('.') || 'as a whole'}: ${issue?.message ?? 'not as it has to be'}`,
    );
  }
  const { issued, questions } = read.data;
  const known = questions.filter(({ issue }) => typeof issue !== 'string' || ISSUES.some((one) => one === issue));
  return {
    issuedMs: Date.parse(issued),
    questions: checked(
      source,
      known.map((question) => ({
        id: textOf(question['id']),
        values: new Map(KEYS.map((key) => [key, textOf(question[key])])),
      })),
    ),
  };
}

/** A JSON value as text of `questions.conf`. Anything but a text or a number becomes a text that the reader refuses. */
function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '\0';
}

interface UncheckedQuestion {
  readonly id: string;
  /** Values by key. A missing or empty value is not in it. */
  readonly values: ReadonlyMap<string, string>;
}

function checked(source: string, unchecked: readonly UncheckedQuestion[]): readonly Question[] {
  const seen = new Set<string>();
  const questions = unchecked.map(({ id, values }): Question => {
    const refuse = (sentence: string): never => {
      throw new RangeError(`${source}, [${id.slice(0, 40)}]: ${sentence}`);
    };
    if (!ID.test(id)) refuse('an id has small letters, digits, - and _, at most 40');
    if (seen.has(id)) refuse('this question stands twice; write it once');
    seen.add(id);
    const version = values.get('version') || '1';
    if (!/^[1-9]\d{0,5}$/.test(version)) refuse('version is not a whole number from 1 on');
    const words = values.get('text') ?? '';
    if (words === '' || words.length > LONGEST_TEXT)
      refuse(`text is missing or longer than ${LONGEST_TEXT} characters`);
    const german = values.get('text_de') ?? '';
    if (german.length > LONGEST_TEXT) refuse(`text_de is longer than ${LONGEST_TEXT} characters`);
    for (const [key, given] of [
      ['text', words],
      ['text_de', german],
    ] as const)
      if (INVISIBLE.test(given)) refuse(`${key} has characters that nobody sees; write it without them`);
    const prompt = values.get('prompt') ?? '';
    if (prompt !== '' && (!PROMPT.test(prompt) || prompt.includes('..')))
      refuse('prompt: give names of sounds, with & between them');
    const issue = ISSUES.find((known) => known === values.get('issue'));
    if (issue === undefined) return refuse(`issue: give one of ${ISSUES.join(', ')}`);
    const moment = (key: 'from' | 'to'): number | null => {
      const given = values.get(key) ?? '';
      return given === '' ? null : (dayMs(given) ?? refuse(`${key}: give a day such as 2026-11-20`));
    };
    const [fromMs, toMs] = [moment('from'), moment('to')];
    if (fromMs !== null && toMs !== null && fromMs >= toMs)
      refuse('to: it is the first day on which it is not asked any more; give one after from');
    return {
      id,
      version: Number(version),
      text: words,
      ...(german === '' ? {} : { textDe: german }),
      prompt: prompt === '' ? [] : prompt.split('&'),
      issue,
      fromMs,
      toMs,
    };
  });
  if (questions.length > MOST_QUESTIONS)
    throw new RangeError(`${source}: there are more than ${MOST_QUESTIONS} questions`);
  return questions;
}

/** The beginning of a day (UTC); undefined when there is no such day. */
function dayMs(day: string): number | undefined {
  const atMs = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  // JavaScript takes 31 February for 3 March.
  return !Number.isNaN(atMs) && new Date(atMs).toISOString().startsWith(day) ? atMs : undefined;
}

/** The questions to ask now: of those within their dates, three, others each day. */
export function questionsOf(all: readonly Question[], nowMs: number): readonly Question[] {
  const due = all.filter(({ fromMs, toMs }) => (fromMs ?? nowMs) <= nowMs && nowMs < (toMs ?? Infinity));
  if (due.length <= MOST_AT_ONCE) return due;
  const first = (Math.floor(nowMs / TURN_MS) * MOST_AT_ONCE) % due.length;
  return [...due.slice(first), ...due.slice(0, first)].slice(0, MOST_AT_ONCE);
}
