import { rescoreCall } from '../calls/again/rescoring.ts';
import type { ScoringRules } from '../calls/scoring-rules.ts';
import type { Amendment } from '../history/features/phone-reports.ts';
import type { PhoneReport } from '../model/phones/phone-report.ts';
import type { HistoryReader } from '../model/ports.ts';
import type { ChannelRecord } from '../model/record.ts';
import type { StoredChannel } from '../model/rescoring.ts';
import { noteHeard } from '../stats/phone-hearing.ts';

/** Bound on the records that wait to be changed: phones that were out of reach send stored reports. */
const MOST_WAITING = 1000;

export interface LateReportsOptions {
  readonly calls: Pick<HistoryReader, 'call' | 'channel' | 'segments' | 'intervals'>;
  readonly rules: ScoringRules;
  readonly amend: (amendment: Amendment) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

export interface HeardReport {
  readonly report: Pick<PhoneReport, 'kind' | 'localMetrics'>;
  readonly userAgent: string | null;
}

/** Adds phone reports to ended calls, one call after another. Sentences are made anew from the stored reports; scores stay. */
export class LateReports {
  readonly #options: LateReportsOptions;
  readonly #waiting = new Map<string, HeardReport[]>();
  #working: Promise<void> | undefined;
  leftOut = 0;

  constructor(options: LateReportsOptions) {
    this.#options = options;
  }

  /** Queues a report. Never throws: problems go to `onError`. */
  add(uniqueid: string, heard: HeardReport): void {
    const waiting = this.#waiting.get(uniqueid);
    if (waiting !== undefined) waiting.push(heard);
    else if (this.#waiting.size < MOST_WAITING) this.#waiting.set(uniqueid, [heard]);
    else this.leftOut++;
    this.#working ??= this.#work().finally(() => (this.#working = undefined));
  }

  /** Resolves when the queue is empty. */
  async idle(): Promise<void> {
    await this.#working;
  }

  async #work(): Promise<void> {
    for (let next = this.#take(); next !== undefined; next = this.#take()) {
      try {
        await this.#amend(...next);
      } catch (error) {
        this.#options.onError(error);
      }
    }
  }

  #take(): [string, readonly HeardReport[]] | undefined {
    const [next] = this.#waiting;
    if (next !== undefined) this.#waiting.delete(next[0]);
    return next;
  }

  async #amend(uniqueid: string, heard: readonly HeardReport[]): Promise<void> {
    const { calls, rules, amend } = this.#options;
    const channel = await calls.channel(uniqueid);
    const found = channel === null ? null : await calls.call(channel.linkedid);
    if (channel === null || found === null) return;
    const { channels, ...call } = found;
    let { phone } = channel;
    for (const { report, userAgent } of heard) phone = noteHeard(phone, report, userAgent);
    if (phone === null) return;
    const own = channels.map((other) => (other.uniqueid === uniqueid ? { ...other, phone } : other));
    const again = rescoreCall(
      { call, channels: await this.#stored(own), peers: await this.#stored(await this.#peersElsewhere(own)) },
      rules,
    );
    await amend({
      linkedid: call.linkedid,
      uniqueid,
      phone,
      fault: again?.call ?? call,
      why: whyOfTx(again?.channels.find((other) => other.uniqueid === uniqueid) ?? channel),
    });
  }

  async #peersElsewhere(own: readonly ChannelRecord[]): Promise<ChannelRecord[]> {
    const known = new Set(own.map(({ uniqueid }) => uniqueid));
    const others = new Set(own.flatMap(({ peerUniqueid }) => peerUniqueid ?? []));
    const peers = await Promise.all(
      [...others]
        .filter((uniqueid) => !known.has(uniqueid))
        .map(async (uniqueid) => this.#options.calls.channel(uniqueid)),
    );
    return peers.filter((peer) => peer !== null);
  }

  async #stored(channels: readonly ChannelRecord[]): Promise<StoredChannel[]> {
    const { calls } = this.#options;
    return Promise.all(
      channels.map(async (channel) => ({
        channel,
        segments: await calls.segments(channel.uniqueid),
        intervals: (await calls.intervals(channel.uniqueid)) ?? [],
      })),
    );
  }
}

function whyOfTx({ streams }: ChannelRecord): string | null {
  return streams.find(({ direction }) => direction === 'tx')?.why ?? null;
}
