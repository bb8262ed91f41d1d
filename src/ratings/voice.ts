import type { GivenRating, Question, QuestionAnswer, RatingRequest } from '../model/people/rating.ts';
import { encodeGetFullVariable, encodeStreamFile, encodeWaitForDigit, type AgiAnswer } from '../wire/agi.ts';

/** What this room needs of a FastAGI connection. */
export interface Talk {
  command(text: string): Promise<AgiAnswer>;
  extend(deadlineMs: number): void;
}

export interface Caller {
  readonly uniqueid: string | undefined;
  readonly channel: string;
  /** The arguments of the dialplan: none after a call, or `code` and perhaps a digit. */
  readonly words: readonly string[];
}

/** What a talk needs of the ratings. The first two answer from memory. */
export interface VoiceActions {
  ask(uniqueid: string, numbers: readonly string[]): RatingRequest | undefined;
  questions(): readonly Question[];
  /** The last call of the channel's endpoint; undefined: none. */
  lastCall(uniqueid: string, channelName: string): Promise<RatedCallId | undefined>;
  /** Stores what was said so far. Called again in the same talk when more was said. Never rejects. */
  note(talk: SaidInTalk): Promise<void>;
}

export interface RatedCallId {
  readonly linkedid: string;
  readonly uniqueid: string;
}

export interface SaidInTalk {
  readonly call: RatedCallId;
  /** The request that the talk answers; undefined: the person dialled the code. */
  readonly request: RatingRequest | undefined;
  /** The same object throughout one talk. */
  readonly given: GivenRating;
  readonly isFirst: boolean;
  readonly id: string;
}

export type Prompts = Readonly<Record<'score' | 'thanks' | 'none', readonly string[]>>;

/** Limit on a whole talk. */
const TALK_MS = 90_000;
const ANSWER_MS = 5000;
const MOST_QUESTIONS = 2;
/** Bound on talks at a time, since hang-ups use the same port. */
const MOST_TALKS = 200;
/** Evaluated by Asterisk: the numbers of both parties, and the dialled one. */
const NUMBERS = `\${CALLERID(num)},\${CALLERID(dnid)},\${CONNECTEDLINE(num)}`;

/** Asks by voice for a digit from 1 to 5, then at most two questions (1 yes, 2 no). Silence ends the talk. */
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

  /** Stores the score at once, so that it counts even when the person hangs up now. Then asks the questions. */
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
      // Store in order, however long the disk takes.
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

  /** The digit pressed during or after the sounds; undefined: silence, another key, or a hang-up. */
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

/** AGI returns a key as its character code. */
function digitOf(result: string, allowed: string): number | undefined {
  const key = /^\d{1,3}$/.test(result) ? String.fromCodePoint(Number(result)) : '';
  return key !== '' && allowed.includes(key) ? Number(key) : undefined;
}
