import { hostname } from 'node:os';
import { digestMessage, digestPeriod } from '../../../alerting/digest.ts';
import type { Alert, AlertMessage } from '../../../model/alert.ts';
import type { CallQuality, HistoryReader } from '../../../model/ports.ts';
import { errorText } from '../../../units/error-text.ts';

export interface DigestOptions {
  readonly period: 'off' | 'daily' | 'weekly';
  readonly calls: Pick<HistoryReader, 'summary' | 'endpoints'>;
  readonly url: string;
  readonly isSent: (id: string) => Promise<boolean>;
  readonly alertsSince: (sinceMs: number) => Promise<readonly Alert[]>;
  readonly send: (message: AlertMessage) => Promise<void>;
  readonly onProblem: (sentence: string) => void;
}

const LOOK_EVERY_MS = 60_000;
const MINUTE_MS = 60_000;
/** Stretches begin at multiples of their length since 1970: one of 126 years has every period whole. */
const ONE_BUCKET_MS = 4_000_000_000_000;

/** Mails what a day or a week was like, once for each. */
export class Digest {
  readonly #options: DigestOptions;
  #nextLookMs = 0;
  #doneToMs = 0;
  #isBusy = false;

  constructor(options: DigestOptions) {
    this.#options = options;
  }

  /** Looks once a minute whether one is due. */
  tick(nowMs: number): void {
    const { period, onProblem } = this.#options;
    if (period === 'off' || this.#isBusy || (nowMs < this.#nextLookMs && nowMs > this.#nextLookMs - LOOK_EVERY_MS))
      return;
    this.#nextLookMs = nowMs + LOOK_EVERY_MS;
    const due = digestPeriod(nowMs, -new Date(nowMs).getTimezoneOffset() * MINUTE_MS, period);
    if (due === null || due.toMs === this.#doneToMs) return;
    this.#isBusy = true;
    this.#make(due.fromMs, due.toMs, nowMs, period)
      .then(() => (this.#doneToMs = due.toMs))
      .catch((error: unknown) => onProblem(`the digest cannot be made: ${errorText(error)}`))
      .finally(() => (this.#isBusy = false));
  }

  async #make(fromMs: number, toMs: number, atMs: number, period: 'daily' | 'weekly'): Promise<void> {
    const { calls, url, isSent, alertsSince, send } = this.#options;
    const id = `digest-${period}-${new Date(toMs).toISOString().slice(0, 10)}`;
    if (await isSent(id)) return;
    const quality = async (from: number, to: number): Promise<CallQuality | null> => {
      const [whole] = await calls.summary({ fromMs: from, toMs: to, bucketMs: ONE_BUCKET_MS });
      return whole ?? null;
    };
    const now = await quality(fromMs, toMs);
    if (now === null) return;
    const before = await quality(fromMs - (toMs - fromMs), fromMs);
    const { endpoints } = await calls.endpoints({ fromMs, toMs });
    const alerts = await alertsSince(fromMs);
    await send(
      digestMessage({ id, atMs, host: hostname(), period, fromMs, toMs, now, before, endpoints, alerts, url }),
    );
  }
}
