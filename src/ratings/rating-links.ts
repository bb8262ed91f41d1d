import { createHash } from 'node:crypto';
import type { Clock, HistoryReader } from '../model/ports.ts';
import type { GivenRating, Question, QuestionAnswer, Side } from '../model/people/rating.ts';
import { askingPage, sayingPage } from './link-page.ts';
import type { LinkLanguage } from './link-words.ts';
import { type LinkContent, linkToken, readLinkToken } from './link-token.ts';
import type { RatingIntake } from './rating-intake.ts';

export interface RatingLinksOptions {
  readonly intake: Pick<RatingIntake, 'rate' | 'count'>;
  readonly calls: Pick<HistoryReader, 'call'>;
  readonly exists: (ratingId: string) => Promise<boolean>;
  readonly questions: () => readonly Question[];
  readonly clock: Clock;
  readonly key: () => string;
  /** Address of REST, without a slash at its end. */
  readonly base: string;
  readonly lifetimeMs: number;
}

/** A page and its status. */
export interface LinkAnswer {
  readonly html: string;
  readonly status: number;
}

/** Bound on remembered ratings; older ones are found in the history. */
const MOST_TAKEN = 10_000;

interface GoodLink extends LinkContent {
  readonly ratingId: string;
  readonly startedAtMs: number;
  readonly durationS: number;
}

/** Makes links to rate a call, and serves their pages without a login. */
export class RatingLinks {
  readonly #options: RatingLinksOptions;
  /** Ratings that are being or were just stored. Another request may have read the history before that. */
  readonly #taken = new Set<string>();

  constructor(options: RatingLinksOptions) {
    this.#options = options;
  }

  /** The link for one party of a call. */
  linkOf(linkedid: string, uniqueid: string, side: Side): string {
    const { base, key, clock, lifetimeMs } = this.#options;
    return `${base}/r/${linkToken({ linkedid, uniqueid, side, expiresAtMs: clock.nowMs() + lifetimeMs }, key())}`;
  }

  async show(token: string, language: LinkLanguage): Promise<LinkAnswer> {
    const link = await this.#open(token);
    if (link === undefined) return refused(language);
    return { html: askingPage(link, this.#options.questions(), language), status: 200 };
  }

  /** Takes a rating from the fields of the form. */
  async take(token: string, fields: Readonly<Record<string, string>>, language: LinkLanguage): Promise<LinkAnswer> {
    const link = await this.#open(token);
    if (link === undefined || this.#taken.has(link.ratingId)) return refused(language);
    const questions = this.#options.questions();
    const given = givenBy(fields, questions);
    if (given === undefined) return { html: askingPage(link, questions, language, true), status: 400 };
    const { linkedid, uniqueid, ratingId } = link;
    this.#claim(ratingId);
    let isStored = false;
    try {
      const rating = await this.#options.intake.rate({ linkedid, uniqueid }, given, { source: 'link', id: ratingId });
      if (rating === 'too-many') return { html: sayingPage('busy', language), status: 429 };
      if (typeof rating === 'string') return refused(language);
      isStored = true;
      this.#options.intake.count(rating);
      return { html: sayingPage('thanks', language), status: 200 };
    } finally {
      if (!isStored) this.#taken.delete(ratingId);
    }
  }

  #claim(ratingId: string): void {
    this.#taken.add(ratingId);
    const [oldest] = this.#taken;
    if (this.#taken.size > MOST_TAKEN && oldest !== undefined) this.#taken.delete(oldest);
  }

  /**
   * Undefined for any link that does not work. It looks every link up, so that neither answer nor its time says what is wrong.
   */
  async #open(token: string): Promise<GoodLink | undefined> {
    const { calls, exists, clock, key } = this.#options;
    const content = readLinkToken(token, key(), clock.nowMs());
    const ratingId = ratingIdOf(content === undefined ? token : `${content.uniqueid} ${content.side}`);
    const isUsed = await exists(ratingId);
    if (content === undefined || isUsed) return undefined;
    const call = await calls.call(content.linkedid);
    const channel = call?.channels.find(({ uniqueid }) => uniqueid === content.uniqueid);
    if (channel === undefined) return undefined;
    const { startedAtMs, endedAtMs } = channel;
    return { ...content, ratingId, startedAtMs, durationS: ((endedAtMs ?? clock.nowMs()) - startedAtMs) / 1000 };
  }
}

function refused(language: LinkLanguage): LinkAnswer {
  return { html: sayingPage('refused', language), status: 404 };
}

/** The id of a rating: one for each party of a call, so that a second link of the party is used up, too. */
function ratingIdOf(text: string): string {
  return `link-${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}

/** The rating in a form; undefined: no face was chosen. Unknown fields are ignored. */
function givenBy(fields: Readonly<Record<string, string>>, questions: readonly Question[]): GivenRating | undefined {
  const score = fields['score'] ?? '';
  if (!/^[1-5]$/.test(score)) return undefined;
  const answered = questions.filter(({ id }) => /^(?:yes|no)$/.test(fields[`q.${id}`] ?? ''));
  const isYes = ({ id }: Question): boolean => fields[`q.${id}`] === 'yes';
  return {
    score: Number(score),
    answers: answered.map((question): QuestionAnswer => {
      const { id, version } = question;
      return { question: id, version, answer: isYes(question) };
    }),
    issues: answered.filter(isYes).map(({ issue }) => issue),
    comment: fields['comment'] ?? null,
  };
}
