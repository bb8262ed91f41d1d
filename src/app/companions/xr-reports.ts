import type { PbxEvent } from '../../model/event.ts';
import { coded } from '../state/log.ts';
import type { Companion, CompanionContext } from './companion.ts';
import { errorText } from '../../units/error-text.ts';

/** Bound on the channels whose latest report waits for the disk. */
const MOST_WAITING = 10_000;
/** Phones send XR every few seconds. Each report covers those before it, so only the latest of a channel is stored. */
const STORE_EVERY_MS = 5000;

type XrReport = Extract<PbxEvent, { type: 'xr-report' }>;

/** Stores what phones report in RTCP XR and in their BYE about the audio that they receive, as phone reports. */
export function xrReports(context: CompanionContext): Companion {
  return new XrReports(context);
}

class XrReports implements Companion {
  readonly #context: CompanionContext;
  readonly #waiting = new Map<string, XrReport>();
  #storing: Promise<void> | undefined;
  #storedAtMs = Number.NEGATIVE_INFINITY;
  readonly #counters = { taken: 0, notKept: 0 };

  constructor(context: CompanionContext) {
    this.#context = context;
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters, waiting: this.#waiting.size };
  }

  take(event: PbxEvent): void {
    if (event.type !== 'xr-report') return;
    this.#counters.taken++;
    const key = `${event.received.report.kind} ${event.uniqueid}`;
    if (this.#waiting.size < MOST_WAITING || this.#waiting.has(key)) this.#waiting.set(key, event);
    else this.#counters.notKept++;
  }

  tick(nowMs: number): void {
    if (this.#waiting.size === 0 || Math.abs(nowMs - this.#storedAtMs) < STORE_EVERY_MS) return;
    this.#storedAtMs = nowMs;
    this.#storing ??= this.#store().finally(() => (this.#storing = undefined));
  }

  async stop(): Promise<void> {
    await this.#storing;
    await this.#store();
  }

  async #store(): Promise<void> {
    const latest = [...this.#waiting.values()].map(({ uniqueid, received }) => ({ uniqueid, received }));
    this.#waiting.clear();
    if (latest.length === 0) return;
    try {
      await this.#context.history.features.write('phoneReports', 'keepXr', latest);
    } catch (error) {
      this.#counters.notKept += latest.length;
      const reason = errorText(error);
      this.#context.log.warn(coded('MES_ERR_PHONE_REPORTS'), `phones' reports could not be stored: ${reason}`);
    }
  }
}
