import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../model/ports.ts';
import type { KeptQuestions, Question } from '../model/people/rating.ts';
import type { PublishedQuestions } from './questions.ts';
import { MOST_ANSWER_BYTES, openSigned, parseAnswer, type SignedQuestions } from './signed-questions.ts';

export interface FetchedQuestionsOptions {
  readonly url: string;
  /** The public key (DER, base64); null: that of the first answer. */
  readonly key: string | null;
  readonly kept: () => Promise<KeptQuestions | null>;
  readonly keep: (questions: KeptQuestions) => Promise<unknown>;
  readonly clock: Clock;
  readonly random: () => number;
  /** Called with one sentence when fetching fails in a new way; null: it works again. */
  readonly onProblem: (sentence: string | null) => void;
  /** Called with the key of the first answer, which is the only trusted one from now on. */
  readonly onTrusted: (key: string) => void;
  /** For tests: divides all waits. */
  readonly haste?: number;
}

/** Longest time between two fetches. Up to half of it is left out at random, so that PBXs do not all come at once. */
const USUAL_GAP_MS = 6 * 3_600_000;
const FIRST_BACK_OFF_MS = 5 * 60_000;
const TIMEOUT_MS = 10_000;
/** An issue date further ahead is a wrong clock's. Accepted, it would make all later issues look older. */
const MOST_AHEAD_MS = 86_400_000;

/** Fetches signed questions now and then. When it cannot, the last ones stay. */
export class FetchedQuestions {
  readonly #options: FetchedQuestionsOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #current: PublishedQuestions | null = null;
  #key: string | null;
  #problem: string | null = null;
  #fetched = 0;
  #failed = 0;

  constructor(options: FetchedQuestionsOptions) {
    this.#options = options;
    this.#key = options.key;
  }

  /** The questions of the newest issue; null: none was fetched yet. */
  get questions(): readonly Question[] | null {
    return this.#current?.questions ?? null;
  }

  get counters(): Readonly<Record<string, number>> {
    return { questions_fetched: this.#fetched, questions_failed: this.#failed };
  }

  /** Reads the stored questions and begins to fetch. Never rejects. */
  async start(): Promise<void> {
    await this.#takeKept();
    this.#running = this.#run();
  }

  /** Aborts what is under way. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #takeKept(): Promise<void> {
    const { url, kept } = this.#options;
    try {
      const found = await kept();
      if (found === null || found.url !== url) return;
      const key = this.#key ?? found.key;
      this.#current = openSigned('kept questions', { ...found, key }, key);
      this.#key = key;
    } catch {
      // Signed with an older key, or stored by another release: they will be fetched again.
    }
  }

  async #run(): Promise<void> {
    const { random, haste = 1 } = this.#options;
    const { signal } = this.#stop;
    let backOffMs = FIRST_BACK_OFF_MS;
    while (!signal.aborted) {
      const problem = await this.#fetch();
      if (signal.aborted) return;
      this.#note(problem);
      const gapMs = problem === null ? USUAL_GAP_MS : backOffMs;
      backOffMs = problem === null ? FIRST_BACK_OFF_MS : Math.min(USUAL_GAP_MS, backOffMs * 2);
      await wait((gapMs * (0.5 + random() / 2)) / haste, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** Fetches once. Resolves with one sentence when it failed, otherwise with null. */
  async #fetch(): Promise<string | null> {
    const { url } = this.#options;
    try {
      const response = await fetch(url, {
        headers: { accept: 'application/json', 'user-agent': 'asterisk-mes' },
        redirect: 'error',
        signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      if (response.status !== 200) {
        await response.body?.cancel();
        return `${url} answered ${response.status}`;
      }
      await this.#take(parseAnswer(url, await boundedText(response, url)));
      return null;
    } catch (error) {
      if (error instanceof RangeError) return error.message;
      return `${url} cannot be reached (${reasonOf(error)})`;
    }
  }

  /** Throws RangeError with one sentence. */
  async #take(answer: SignedQuestions): Promise<void> {
    const { url, clock, keep, onTrusted } = this.#options;
    const key = this.#key ?? firstKey(url, answer.key);
    const published = openSigned(url, answer, key);
    if (published.issuedMs > clock.nowMs() + MOST_AHEAD_MS)
      throw new RangeError(
        `${url}: the questions were issued in the future; set the clock of this machine or of theirs`,
      );
    if (this.#current !== null && published.issuedMs < this.#current.issuedMs)
      throw new RangeError(`${url}: the questions are older than those that came before`);
    if (this.#key === null) onTrusted(key);
    this.#key = key;
    this.#current = published;
    this.#fetched++;
    const { signed, signature } = answer;
    // Even when they cannot be stored, they count until the next start.
    await keep({ url, key, signed, signature }).catch(() => {});
  }

  #note(problem: string | null): void {
    if (problem !== null) this.#failed++;
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#options.onProblem(problem);
  }
}

/** The key of the first answer. Throws RangeError over plain HTTP, where anybody on the way could have replaced it. */
function firstKey(url: string, key: string | null): string {
  const { protocol, hostname } = new URL(url);
  const isPrivate = protocol === 'https:' || /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
  if (!isPrivate)
    throw new RangeError(
      `${url} is not HTTPS, so that anybody on the way could change the questions; set questions_key in [ratings]`,
    );
  if (key === null) throw new RangeError(`${url}: the answer has no key; set questions_key in [ratings]`);
  return key;
}

/** The text of a response. Throws RangeError when it is longer than `MOST_ANSWER_BYTES`. */
async function boundedText(response: Response, url: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    // Leaving the loop ends the response.
    if (bytes > MOST_ANSWER_BYTES) throw new RangeError(`${url}: the answer is longer than ${MOST_ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const cause = error.cause instanceof Error ? error.cause : error;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}
