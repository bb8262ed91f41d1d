import { hostname } from 'node:os';
import { type Evidence, evidenceOf, type Made } from '../../../alerting/evidence/evidence.ts';
import { NO_OTHER_CALLS } from '../../../alerting/evidence/other-calls.ts';
import { TrunkCalls } from '../../../alerting/evidence/trunk-calls.ts';
import { type TrunkEvidence, trunkEvidenceOf } from '../../../alerting/evidence/trunk-evidence.ts';
import { SHARE_HEADERS } from '../../../alerts/page-parts.ts';
import { evidencePage } from '../../../alerts/share-pages.ts';
import { trunkPage } from '../../../alerts/trunk-page.ts';
import type { OtherCalls } from '../../../model/alert.ts';
import type { EvidenceService } from '../../../api/alerts/evidence.ts';
import type { CallWithChannels, TimeRange } from '../../../model/ports.ts';
import type { IntervalRecord } from '../../../model/record.ts';
import type { BesideQuery } from '../../../history/features/alerts.ts';
import type { CompanionContext } from '../companion.ts';

const HOUR_MS = 3_600_000;
/** Bound on the calls of a trunk that are looked at one by one, the newest. */
const MOST_CALLS = 5000;
/** So many come from the history's thread in 10 ms, which nothing else on the main thread can use. */
const PAGE_OF_CALLS = 50;
/** Bound on the buckets of a trunk's course. */
const MOST_BUCKETS = 120;
/** Buckets begin at multiples of their length since 1970: a bucket of 126 years holds any range whole. */
const ONE_BUCKET_MS = 4_000_000_000_000;

/** Where evidence comes from. */
export interface EvidenceSources extends Pick<CompanionContext, 'calls' | 'clock'> {
  /** Calls that used the same server at the same time. Rejects when it does not know. */
  readonly beside: (query: BesideQuery) => Promise<OtherCalls>;
  /** The server that the evidence is about. */
  readonly host: () => string;
}

/** Evidence from the history of this PBX. */
export function evidenceHere({ calls, clock, history }: CompanionContext): EvidenceMaker {
  const beside = (query: BesideQuery): Promise<OtherCalls> => history.features.read('alerts', 'callsBeside', query);
  return new EvidenceMaker({ calls, clock, beside, host: hostname });
}

/** Makes the evidence of a call, or of a trunk over a time, and its page. */
export class EvidenceMaker implements EvidenceService {
  readonly pageHeaders = SHARE_HEADERS;
  readonly #sources: EvidenceSources;

  constructor(sources: EvidenceSources) {
    this.#sources = sources;
  }

  get #made(): Made {
    const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
    return { atMs: this.#sources.clock.nowMs(), host: this.#sources.host(), timeZone };
  }

  async evidence(linkedid: string): Promise<Evidence | null> {
    const { calls } = this.#sources;
    const call = await calls.call(linkedid);
    if (call === null) return null;
    const intervals = new Map<string, readonly IntervalRecord[]>();
    for (const { uniqueid } of call.channels) intervals.set(uniqueid, (await calls.intervals(uniqueid)) ?? []);
    return evidenceOf(call, intervals, await this.#othersOf(call), this.#made);
  }

  async #othersOf({ linkedid, startedAtMs, endedAtMs }: CallWithChannels): Promise<OtherCalls> {
    const { beside, clock } = this.#sources;
    try {
      return await beside({ linkedid, fromMs: startedAtMs, toMs: endedAtMs ?? clock.nowMs() });
    } catch {
      // Show the call all the same.
      return NO_OTHER_CALLS;
    }
  }

  async callPage(linkedid: string): Promise<string | null> {
    const evidence = await this.evidence(linkedid);
    return evidence === null ? null : evidencePage(evidence);
  }

  async trunkEvidence(endpoint: string, range: TimeRange): Promise<TrunkEvidence> {
    const { calls: reader } = this.#sources;
    const { fromMs, toMs } = range;
    const bucketMs = Math.max(1, Math.ceil((toMs - fromMs) / MOST_BUCKETS / HOUR_MS)) * HOUR_MS;
    const [[quality], [all]] = await Promise.all([
      reader.trends({ ...range, endpoints: [endpoint], bucketMs }),
      reader.summary({ ...range, bucketMs: ONE_BUCKET_MS }),
    ]);
    if (all === undefined) throw new RangeError('a time without a stretch');
    const { calls, leftOut } = await this.#callsOf(endpoint, range, quality?.calls ?? 0);
    return trunkEvidenceOf({
      endpoint,
      ...range,
      quality: quality ?? null,
      all,
      calls,
      callsLeftOut: leftOut,
      made: this.#made,
    });
  }

  async #callsOf(endpoint: string, range: TimeRange, known: number): Promise<{ calls: TrunkCalls; leftOut: number }> {
    const calls = new TrunkCalls(endpoint);
    const filter = { ...range, endpoints: [endpoint] };
    let page = await this.#sources.calls.calls(filter, PAGE_OF_CALLS, null);
    calls.take(page.calls);
    while (page.next !== null && calls.taken < MOST_CALLS) {
      page = await this.#sources.calls.calls(filter, PAGE_OF_CALLS, page.next);
      calls.take(page.calls);
    }
    return { calls, leftOut: page.next === null ? 0 : Math.max(1, known - calls.taken) };
  }

  async trunkPage(endpoint: string, range: TimeRange): Promise<string> {
    return trunkPage(await this.trunkEvidence(endpoint, range));
  }
}
