import type { GivenRating, Question, QuestionAnswer, RatingRequest } from '../model/people/rating.ts';
import { encodeGetFullVariable, encodeStreamFile, encodeWaitForDigit, type AgiAnswer } from '../wire/agi.ts';

/** What of a FastAGI connection is needed. */
export interface Talk {
  command(text: string): Promise<AgiAnswer>;
  extend(deadlineMs: number): void;
}

export interface Caller {
  readonly uniqueid: string | undefined;
  readonly channel: string;
  /** What the dialplan gave: nothing after a call, or `code` and perhaps a digit. */
  readonly words: readonly string[];
}

/** What a talk does with what it hears. The first two answer from memory. */
export interface VoiceActions {
  ask(uniqueid: string, numbers: readonly string[]): RatingRequest | undefined;
  questions(): readonly Question[];
  /** The last call of the channel's endpoint; undefined: there is none. */
  lastCall(uniqueid: string, channelName: string): Promise<RatedCallId | undefined>;
  /** Stores what was said so far: called again, in the same talk, with what was said since. It never rejects. */
  note(talk: SaidInTalk): Promise<void>;
}

export interface RatedCallId {
  readonly linkedid: string;
  readonly uniqueid: string;
}

export interface SaidInTalk {
  readonly call: RatedCallId;
  /** Undefined: they dialled the code. */
  readonly request: RatingRequest | undefined;
  /** The same object for all that is said in one talk. */
  readonly given: GivenRating;
  readonly isFirst: boolean;
  readonly id: string;
}

export type Prompts = Readonly<Record<'score' | 'thanks' | 'none', readonly string[]>>;

/** For the whole talk: nobody listens for longer. */
const TALK_MS = 90_000;
const ANSWER_MS = 5000;
const MOST_QUESTIONS = 2;
/** Talks at a time: hang-ups share the port with them. */
const MOST_TALKS = 200;
/** Evaluated by Asterisk. */
const NUMBERS = `\${CALLERID(num)},\${CALLERID(dnid)},\${CONNECTEDLINE(num)}`;

/** Asks by voice: one digit from 1 to 5, and at most two questions, 1 for yes and 2 for no. Silence ends it. */
export class Voice {
  readonly #actions: VoiceActions;
  readonly #prompts: Prompts;
  readonly #newId: () => string;
  #talks = 0;

  constructor(actions: VoiceActions, prompts: Prompts, newId: () => string) {
    this.#actions = actions;
    this.#prompts = prompts;
    this.#newId = newId;
  }

  /** The FastAGI script `rate`. */
  async rate(talk: Talk, caller: Caller): Promise<void> {
    if (caller.uniqueid === undefined || this.#talks >= MOST_TALKS) return;
    this.#talks++;
    try {
      await (caller.words[0] === 'code'
        ? this.#byCode(talk, caller.uniqueid, caller)
        : this.#afterCall(talk, caller.uniqueid));
    } finally {
      this.#talks--;
    }
  }

  async #afterCall(talk: Talk, uniqueid: string): Promise<void> {
    const numbers = (await talk.command(encodeGetFullVariable(NUMBERS))).value?.split(',') ?? [];
    const request = this.#actions.ask(
      uniqueid,
      numbers.filter((number) => number !== ''),
    );
    if (request === undefined) return;
    talk.extend(TALK_MS);
    const score = await this.#digit(talk, this.#prompts.score, '12345');
    if (score !== undefined) await this.#take(talk, request, request, score);
  }

  async #byCode(talk: Talk, uniqueid: string, { channel, words }: Caller): Promise<void> {
    talk.extend(TALK_MS);
    const call = await this.#actions.lastCall(uniqueid, channel);
    if (call === undefined) return this.#say(talk, this.#prompts.none);
    const dialled = /^[1-5]$/.test(words[1] ?? '') ? Number(words[1]) : undefined;
    const score = dialled ?? (await this.#digit(talk, this.#prompts.score, '12345'));
    if (score !== undefined) await this.#take(talk, call, undefined, score);
  }

  /** Whoever hangs up from here on has been heard: what was said is stored at once. */
  async #take(talk: Talk, call: RatedCallId, request: RatingRequest | undefined, score: number): Promise<void> {
    const { linkedid, uniqueid } = call;
    const said = { call: { linkedid, uniqueid }, request, id: this.#newId() };
    let stored = this.#actions.note({ ...said, given: { score }, isFirst: true });
    const answers: QuestionAnswer[] = [];
    const issues: Question['issue'][] = [];
    const spoken = this.#actions.questions().filter(({ prompt }) => prompt.length > 0);
    for (const { id, version, prompt, issue } of spoken.slice(0, MOST_QUESTIONS)) {
      const digit = await this.#digit(talk, prompt, '12');
      if (digit === undefined) break;
      answers.push({ question: id, version, answer: digit === 1 });
      if (digit === 1) issues.push(issue);
      const given = { score, answers: [...answers], issues: [...issues] };
      // In order, whatever the disk does.
      stored = stored.then(() => this.#actions.note({ ...said, given, isFirst: false }));
    }
    await this.#say(talk, this.#prompts.thanks);
  }

  async #say(talk: Talk, sounds: readonly string[]): Promise<void> {
    for (const sound of sounds) {
      const { code, result } = await talk.command(encodeStreamFile(sound, ''));
      if (code !== 200 || result === '-1') return;
    }
  }

  /** The digit that was pressed, while the sounds played or after them; undefined for silence, another key, or a hang-up. */
  async #digit(talk: Talk, sounds: readonly string[], allowed: string): Promise<number | undefined> {
    for (const sound of sounds) {
      const { code, result } = await talk.command(encodeStreamFile(sound, allowed));
      if (code !== 200 || result === '-1') return undefined;
      if (result !== '0') return digitOf(result, allowed);
    }
    const { code, result } = await talk.command(encodeWaitForDigit(ANSWER_MS));
    return code === 200 ? digitOf(result, allowed) : undefined;
  }
}

/** AGI gives a key as the number of its character. */
function digitOf(result: string, allowed: string): number | undefined {
  const key = /^\d{1,3}$/.test(result) ? String.fromCodePoint(Number(result)) : '';
  return key !== '' && allowed.includes(key) ? Number(key) : undefined;
}
