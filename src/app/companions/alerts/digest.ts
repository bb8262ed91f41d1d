import { hostname } from 'node:os';
import { digestMessage, digestPeriod, type GroupQuality } from '../../../alerting/messages/digest.ts';
import type { GroupsQuery, GroupSums } from '../../../history/features/alerts.ts';
import type { Alert, AlertMessage } from '../../../model/alert.ts';
import type { CallQuality, HistoryReader } from '../../../model/ports.ts';
import { errorText } from '../../../units/error-text.ts';

export interface DigestOptions {
  readonly period: 'off' | 'daily' | 'weekly';
  readonly calls: Pick<HistoryReader, 'summary' | 'endpoints'>;
  readonly url: string;
  readonly groups: (query: GroupsQuery) => Promise<readonly GroupSums[]>;
  readonly isSent: (id: string) => Promise<boolean>;
  readonly alertsSince: (sinceMs: number) => Promise<readonly Alert[]>;
  readonly send: (message: AlertMessage) => Promise<void>;
  readonly onProblem: (sentence: string) => void;
}

const LOOK_EVERY_MS = 60_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Buckets begin at multiples of their length since 1970: a bucket of 126 years holds any period whole. */
const ONE_BUCKET_MS = 4_000_000_000_000;

/** Mails a digest for each day or week, once. */
export class Digest {
  readonly #options: DigestOptions;
  #nextLookMs = 0;
  #doneToMs = 0;
  #isBusy = false;

  constructor(options: DigestOptions) {
    this.#options = options;
  }

  /** Checks once a minute whether a digest is due. */
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
    const beforeMs = fromMs - (toMs - fromMs);
    const { endpoints } = await calls.endpoints({ fromMs, toMs });
    const { endpoints: endpointsBefore } = await calls.endpoints({ fromMs: beforeMs, toMs: fromMs });
    const devices = await this.#groups('device', fromMs, toMs);
    const devicesBefore = await this.#groups('device', beforeMs, fromMs);
    const sites = await this.#groups('site', fromMs, toMs);
    const alerts = await alertsSince(fromMs);
    await send(
      digestMessage({
        id,
        atMs,
        host: hostname(),
        period,
        fromMs,
        toMs,
        now,
        before,
        endpoints,
        endpointsBefore,
        devices,
        devicesBefore,
        sites,
        alerts,
        url,
      }),
    );
  }

  /** Quality by device or site, read day by day so that other questions to the history get their turn. */
  async #groups(by: 'device' | 'site', fromMs: number, toMs: number): Promise<GroupQuality[]> {
    const sums = new Map<
      string,
      { legs: number; judgedLegs: number; badLegs: number; scored: number; mesSum: number }
    >();
    for (let startMs = fromMs; startMs < toMs; startMs += DAY_MS) {
      const range = { by, fromMs: startMs, toMs: Math.min(toMs, startMs + DAY_MS) };
      for (const { name, ...day } of await this.#options.groups(range)) {
        const sum = sums.get(name) ?? { legs: 0, judgedLegs: 0, badLegs: 0, scored: 0, mesSum: 0 };
        sums.set(name, {
          legs: sum.legs + day.legs,
          judgedLegs: sum.judgedLegs + day.judgedLegs,
          badLegs: sum.badLegs + day.badLegs,
          scored: sum.scored + day.scored,
          mesSum: sum.mesSum + day.mesSum,
        });
      }
    }
    return [...sums].map(([name, { scored, mesSum, ...sum }]) => ({
      name,
      ...sum,
      mesMean: scored === 0 ? null : mesSum / scored,
    }));
  }
}
