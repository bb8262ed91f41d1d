import { Problem } from '../problem.ts';

const MB = 1024 * 1024;
/**
 * Of answers under way; what several clients get counts once. With more than the first only short answers are given, so that
 * one client that reads a long one slowly keeps REST from nobody; with more than the second none.
 */
const MOST_BYTES = { admitting: 24 * MB, admittingShort: 40 * MB, ever: 48 * MB } as const;
/** A page of calls at its usual length takes a quarter of it. */
const SHORT_BYTES = MB;

export interface AnswerCounters {
  /** Bytes of answers that are made or sent now. */
  readonly answer_bytes: number;
  /** Questions refused because too many bytes of answers were under way. */
  readonly answers_refused: number;
  /** Connections cut off because their clients did not read. */
  readonly answers_dropped: number;
}

/** Memory of answers that are made or wait for clients, all together: one budget, whatever is asked in whatever way. */
export class AnswerBytes {
  readonly #users = new Map<ArrayBufferLike, number>();
  #total = 0;
  #refused = 0;
  #dropped = 0;
  #makeRoom: (isEnough: () => boolean) => void = () => {};

  get counters(): AnswerCounters {
    return { answer_bytes: this.#total, answers_refused: this.#refused, answers_dropped: this.#dropped };
  }

  /** `makeRoom` cuts off clients that do not read, until it is enough. */
  onTooMuch(makeRoom: (isEnough: () => boolean) => void): void {
    this.#makeRoom = makeRoom;
  }

  noteDropped(): void {
    this.#dropped++;
  }

  add({ buffer }: Buffer): void {
    const users = this.#users.get(buffer) ?? 0;
    if (users === 0) this.#total += buffer.byteLength;
    this.#users.set(buffer, users + 1);
    this.#hasRoom(MOST_BYTES.ever);
  }

  remove({ buffer }: Buffer): void {
    const users = this.#users.get(buffer) ?? 0;
    if (users > 1) this.#users.set(buffer, users - 1);
    else if (this.#users.delete(buffer)) this.#total -= buffer.byteLength;
  }

  /** Negative: gives them back. */
  reserve(bytes: number): void {
    this.#total += bytes;
  }

  /** How long an answer to a new question may be. Throws Problem 503 when none can be taken. */
  admit(): number {
    if (this.#hasRoom(MOST_BYTES.admitting)) return MOST_BYTES.ever;
    if (this.#total <= MOST_BYTES.admittingShort) return SHORT_BYTES;
    throw this.#refusal();
  }

  /** Counts what is added to it until it has ended. */
  hold(): HeldAnswer {
    return new HeldAnswer(this, (isTooLong) => {
      if (isTooLong || !this.#hasRoom(MOST_BYTES.ever)) throw this.#refusal();
    });
  }

  #hasRoom(most: number): boolean {
    const isEnough = (): boolean => this.#total <= most;
    if (!isEnough()) this.#makeRoom(isEnough);
    return isEnough();
  }

  #refusal(): Problem {
    this.#refused++;
    return new Problem(
      'MES_ERR_TOO_MANY_ANSWERS',
      'too much waits for clients that have not read it; ask again in a second, or for less',
    );
  }
}

/** The bytes of one answer, from their making until the client has them or is gone. */
export class HeldAnswer {
  readonly #bytes: AnswerBytes;
  readonly #check: (isTooLong: boolean) => void;
  #mostBytes: number = MOST_BYTES.ever;
  #ownBytes = 0;
  #held: Buffer[] = [];
  #reserved = 0;
  #hasEnded = false;

  /** `check` throws when the answer is too long, or all together are. */
  constructor(bytes: AnswerBytes, check: (isTooLong: boolean) => void) {
    this.#bytes = bytes;
    this.#check = check;
  }

  /** Throws Problem 503 when no new question can be taken. */
  admit(): void {
    this.#mostBytes = this.#bytes.admit();
  }

  /** Throws Problem 503 when that is more than there may be. */
  add(chunk: Buffer): void {
    if (this.#hasEnded) return;
    this.#held.push(chunk);
    this.#bytes.add(chunk);
    this.#ownBytes += chunk.length;
    this.#check(this.#ownBytes > this.#mostBytes);
  }

  /** Counts so many bytes, where nobody knows how many there will be. */
  reserve(bytes: number): void {
    if (this.#hasEnded) return;
    this.#reserved += bytes;
    this.#bytes.reserve(bytes);
  }

  /** What was added is not sent. */
  release(): void {
    for (const chunk of this.#held) this.#bytes.remove(chunk);
    this.#held = [];
    this.#ownBytes = 0;
    this.#bytes.reserve(-this.#reserved);
    this.#reserved = 0;
  }

  end(): void {
    this.#hasEnded = true;
    this.release();
  }
}
