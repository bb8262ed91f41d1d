import { describe, expect, test } from 'vitest';
import type { GivenRating, Question, RatingRequest } from '../../../src/model/people/rating.ts';
import { Voice } from '../../../src/ratings/voice.ts';

const PROMPTS = { score: ['how', 'digits/1'], thanks: ['bye'], none: ['sorry'] };
const REQUEST: RatingRequest = {
  linkedid: '1.1',
  uniqueid: '1.1',
  endpoint: 'PJSIP/alice',
  side: 'caller',
  probability: 0.05,
  askedAtMs: 0,
};
const QUESTION: Question = {
  id: 'echo-of-me',
  version: 2,
  text: '',
  prompt: ['echo'],
  issue: 'echo_of_me',
  fromMs: null,
  toMs: null,
};
const UNSPOKEN: Question = { ...QUESTION, id: 'noise', prompt: [], issue: 'noise' };
const KEY = (digit: string): string => String(digit.codePointAt(0));

/** A telephone that answers each command with the next of these results, and the commands that came. */
function telephone(results: readonly string[]) {
  const left = [...results];
  const commands: string[] = [];
  const extended: number[] = [];
  return {
    commands,
    extended,
    command: async (text: string) => {
      commands.push(text.trimEnd());
      const result = left.shift() ?? '0';
      if (result === 'gone') throw new Error('the connection was closed');
      return { code: result === 'dead' ? 511 : 200, result, value: text.startsWith('GET') ? '4711,,100' : undefined };
    },
    extend: (ms: number) => void extended.push(ms),
  };
}

function voiceActions({ asks = true, last = true, questions = [QUESTION, UNSPOKEN, QUESTION, QUESTION] } = {}) {
  const notes: {
    readonly given: GivenRating;
    readonly isFirst: boolean;
    readonly id: string;
    readonly asked: boolean;
  }[] = [];
  const numbers: string[][] = [];
  return {
    notes,
    numbers,
    ask: (_: string, given: readonly string[]) => {
      numbers.push([...given]);
      return asks ? REQUEST : undefined;
    },
    questions: () => questions,
    lastCall: async () => (last ? { linkedid: '9.1', uniqueid: '9.2' } : undefined),
    note: async ({
      given,
      isFirst,
      id,
      request,
    }: {
      given: GivenRating;
      isFirst: boolean;
      id: string;
      request: unknown;
    }) => void notes.push({ given, isFirst, id, asked: request !== undefined }),
  };
}

const CALLER = { uniqueid: '1.1', channel: 'PJSIP/alice-00000001', words: [] };
const START = [
  'GET FULL VARIABLE "${CALLERID(num)},${CALLERID(dnid)},${CONNECTEDLINE(num)}"',
  'STREAM FILE "how" "12345"',
];

describe('asking by voice', () => {
  test('plays, takes a digit while the prompt plays, then two questions, and thanks', async () => {
    const [phone, actions] = [telephone(['1', '0', KEY('4'), '0', KEY('1'), KEY('2'), '0']), voiceActions()];
    await new Voice(actions, PROMPTS, () => 'id').rate(phone, CALLER);
    expect(phone.commands).toEqual([
      ...START,
      'STREAM FILE "digits/1" "12345"',
      'STREAM FILE "echo" "12"',
      'WAIT FOR DIGIT 5000',
      'STREAM FILE "echo" "12"',
      'STREAM FILE "bye" ""',
    ]);
    expect(phone.extended).toEqual([90_000]);
    expect(actions.numbers).toEqual([['4711', '100']]);
    const yes = { question: 'echo-of-me', version: 2, answer: true };
    expect(actions.notes).toEqual([
      { given: { score: 4 }, isFirst: true, id: 'id', asked: true },
      { given: { score: 4, answers: [yes], issues: ['echo_of_me'] }, isFirst: false, id: 'id', asked: true },
      {
        given: { score: 4, answers: [yes, { ...yes, answer: false }], issues: ['echo_of_me'] },
        isFirst: false,
        id: 'id',
        asked: true,
      },
    ]);
  });

  test('whoever is not to be asked hears nothing', async () => {
    const [phone, actions] = [telephone(['1']), voiceActions({ asks: false })];
    await new Voice(actions, PROMPTS, () => 'id').rate(phone, CALLER);
    expect(phone.commands).toEqual(START.slice(0, 1));
    expect(phone.extended).toEqual([]);
  });

  test.each([
    ['silence', ['1', '0', '0', '0']],
    ['another key', ['1', KEY('9')]],
    ['a hang-up while the prompt plays', ['1', '-1']],
    ['a channel that is dead', ['1', 'dead']],
    ['a hang-up while it waits', ['1', '0', '0', '-1']],
  ])('%s ends it, and nothing is noted', async (_, results) => {
    const [phone, actions] = [telephone(results), voiceActions()];
    await new Voice(actions, PROMPTS, () => 'id').rate(phone, CALLER);
    expect(actions.notes).toEqual([]);
    expect(phone.commands).toHaveLength(results.length);
  });

  test('a hang-up in the middle of the question loses nothing that was said before', async () => {
    const [phone, actions] = [telephone(['1', KEY('2'), 'gone']), voiceActions()];
    await expect(new Voice(actions, PROMPTS, () => 'id').rate(phone, CALLER)).rejects.toThrow('closed');
    expect(actions.notes).toEqual([{ given: { score: 2 }, isFirst: true, id: 'id', asked: true }]);
  });

  test.each([
    [['code', '5'], 5, ['STREAM FILE "bye" ""']],
    [['code', ''], 3, ['STREAM FILE "how" "12345"', 'STREAM FILE "bye" ""']],
    [['code', '9'], 3, ['STREAM FILE "how" "12345"', 'STREAM FILE "bye" ""']],
  ])('the code with %j rates the last call with %i', async (words, score, commands) => {
    const [phone, actions] = [telephone([KEY('3'), '0']), voiceActions({ questions: [] })];
    await new Voice(actions, PROMPTS, () => 'id').rate(phone, { ...CALLER, words });
    expect(actions.notes).toEqual([{ given: { score }, isFirst: true, id: 'id', asked: false }]);
    expect(phone.commands).toEqual(commands);
  });

  test('the code without a last call says so', async () => {
    const [phone, actions] = [telephone([]), voiceActions({ last: false })];
    await new Voice(actions, PROMPTS, () => 'id').rate(phone, { ...CALLER, words: ['code', '4'] });
    expect([phone.commands, actions.notes]).toEqual([['STREAM FILE "sorry" ""'], []]);
  });

  test('more than 200 talks at a time are not begun', async () => {
    const never = { command: () => new Promise<never>(() => {}), extend: () => {} };
    const voice = new Voice(voiceActions(), PROMPTS, () => 'id');
    for (let n = 0; n < 200; n++) void voice.rate(never, CALLER);
    const phone = telephone(['1']);
    await voice.rate(phone, CALLER);
    expect(phone.commands).toEqual([]);
  });
});
