import type { AlertDelivery, AlertMessage, AlertWay } from '../model/alert.ts';
import { DeliveryError } from './delivery-error.ts';
import { errorText } from '../units/error-text.ts';

/** Sends a message by one way, such as mail. Rejects with an Error of one sentence. */
export type Sender = (message: AlertMessage) => Promise<void>;

export interface OutboxOptions {
  readonly senders: Readonly<Partial<Record<AlertWay, Sender>>>;
  /** Stores that a way has taken a message, or when it is tried again. Rejects when it cannot be stored. */
  readonly onDelivered: (delivery: AlertDelivery) => Promise<void>;
  readonly onTryAgain: (delivery: AlertDelivery) => Promise<void>;
  readonly onProblem: (sentence: string) => void;
}

/** Waits after the first tries, then an hour each. Greylisting servers take a mail after a quarter of an hour. */
const WAITS_MS = [10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000];
const LONGEST_WAIT_MS = 3_600_000;
/** A message this old is given up. */
const GIVE_UP_AFTER_MS = 7 * 86_400_000;
/** Bound on waiting messages; the oldest are dropped first. */
const MOST_WAITING = 1000;

interface Waiting {
  readonly message: AlertMessage;
  readonly delivery: AlertDelivery;
  /** The message itself was refused: messages behind it need not wait for it. */
  readonly isRefused: boolean;
}

/**
 * Messages that wait to be sent. Each way sends its own in order (a refused one is overtaken) until they are taken: at least
 * once.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #waiting = new Map<AlertWay, Waiting[]>();
  readonly #busy = new Set<AlertWay>();
  readonly #counters = { sent: 0, failed: 0, given_up: 0 };

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  get counters(): Readonly<Record<'sent' | 'failed' | 'given_up' | 'waiting', number>> {
    const waiting = [...this.#waiting.values()].reduce((sum, { length }) => sum + length, 0);
    return { ...this.#counters, waiting };
  }

  /** Does nothing when the way has no sender any more; the message stays stored. */
  add(message: AlertMessage, delivery: AlertDelivery): void {
    if (this.#options.senders[delivery.way] === undefined) return;
    const waiting = this.#waiting.get(delivery.way) ?? [];
    if (waiting.some(({ message: { id } }) => id === message.id)) return;
    waiting.push({ message, delivery, isRefused: false });
    if (waiting.length > MOST_WAITING) {
      waiting.shift();
      this.#counters.given_up++;
    }
    this.#waiting.set(delivery.way, waiting);
  }

  /** Starts sending what is due, one message of each way at a time. Returns at once. */
  tick(nowMs: number): void {
    for (const [way, waiting] of this.#waiting) {
      const first = waiting.find(({ delivery, isRefused }) => !isRefused || delivery.nextAtMs <= nowMs);
      const sender = this.#options.senders[way];
      if (first === undefined || sender === undefined || this.#busy.has(way) || first.delivery.nextAtMs > nowMs)
        continue;
      this.#busy.add(way);
      void this.#send(first, sender, nowMs).finally(() => this.#busy.delete(way));
    }
  }

  async #send({ message, delivery }: Waiting, sender: Sender, nowMs: number): Promise<void> {
    try {
      await sender(message);
    } catch (error) {
      this.#counters.failed++;
      const isRefused = error instanceof DeliveryError && error.isRefused;
      const problem = errorText(error);
      await this.#failed({ message, delivery, isRefused }, problem, nowMs);
      return;
    }
    this.#counters.sent++;
    this.#remove(delivery);
    // Even when this cannot be stored, this process does not send the message again.
    await this.#options.onDelivered(delivery).catch(() => {});
  }

  async #failed({ message, delivery, isRefused }: Waiting, problem: string, nowMs: number): Promise<void> {
    if (nowMs - message.atMs > GIVE_UP_AFTER_MS) {
      this.#counters.given_up++;
      this.#remove(delivery);
      this.#options.onProblem(
        `${problem}; the message of ${new Date(message.atMs).toISOString()} is given up after a week`,
      );
      await this.#options.onDelivered(delivery).catch(() => {});
      return;
    }
    const waitMs = WAITS_MS[delivery.attempts] ?? LONGEST_WAIT_MS;
    const next: AlertDelivery = { ...delivery, attempts: delivery.attempts + 1, nextAtMs: nowMs + waitMs };
    const waiting = this.#waiting.get(delivery.way) ?? [];
    const place = waiting.findIndex((one) => one.message.id === message.id);
    if (place >= 0) waiting[place] = { message, delivery: next, isRefused };
    this.#options.onProblem(`${problem}; trying again in ${Math.round(waitMs / 1000)} s`);
    await this.#options.onTryAgain(next).catch(() => {});
  }

  #remove({ messageId, way }: AlertDelivery): void {
    const waiting = this.#waiting.get(way) ?? [];
    this.#waiting.set(
      way,
      waiting.filter(({ message }) => message.id !== messageId),
    );
  }
}
