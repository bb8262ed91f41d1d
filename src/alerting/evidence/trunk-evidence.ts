import type { CallQuality, EndpointWithTrend } from '../../model/ports.ts';
import { fisherExact } from '../../stats/fisher-exact.ts';
import { type Made, opinion, rounded } from './evidence.ts';
import type { TrunkCalls } from './trunk-calls.ts';

/** A difference with a higher p-value may be chance. */
const CHANCE = 0.01;

export interface TrunkEvidenceInput {
  readonly endpoint: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Null: the trunk had no calls in the time. */
  readonly quality: EndpointWithTrend | null;
  /** All calls of this server in the time, with those of the trunk. */
  readonly all: CallQuality;
  /** The newest calls of the trunk. */
  readonly calls: TrunkCalls;
  /** Number of older calls that are not in `calls`. */
  readonly callsLeftOut: number;
  readonly made: Made;
}

/** The evidence of a trunk over a time, compared with all other calls of this server. */
export function trunkEvidenceOf(input: TrunkEvidenceInput) {
  const { endpoint, fromMs, toMs, quality, all, calls, callsLeftOut, made } = input;
  const others = othersOf(quality, all, callsLeftOut === 0 ? calls : null);
  return {
    made_at: new Date(made.atMs).toISOString(),
    host: made.host,
    time_zone: made.timeZone,
    endpoint,
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    calls: quality?.calls ?? 0,
    judged_calls: quality?.judgedCalls ?? 0,
    bad_calls: quality?.badCalls ?? 0,
    bad_percent: rounded(quality?.badPercent ?? null, 2),
    mes_mean: opinion(quality?.mesMean ?? null),
    mes_p5: opinion(quality?.mesP5 ?? null),
    mes_worst: opinion(quality?.mesWorst ?? null),
    others,
    what_rules_out_this_server: comparison(quality, others),
    directions: calls.directions,
    faults: calls.faults,
    codecs: calls.codecs.map(([codec, count]) => ({ codec, calls: count })),
    remote_media: calls.mediaHosts.map(([address, count]) => ({ address, calls: count })),
    course: (quality?.trend.buckets ?? []).map(({ startsAtMs, calls: ofBucket, badPercent, mesP5 }) => ({
      at: new Date(startsAtMs).toISOString(),
      calls: ofBucket,
      bad_percent: rounded(badPercent, 2),
      mes_p5: opinion(mesP5),
    })),
    worst_calls: calls.worst,
    calls_left_out: callsLeftOut,
  };
}

export type TrunkEvidence = ReturnType<typeof trunkEvidenceOf>;

/** How calls without the trunk went, and how likely the difference is by chance alone. */
function othersOf(quality: CallQuality | null, all: CallQuality, calls: TrunkCalls | null) {
  // A call may be bad because of its other leg alone, so count whole calls. Where there are too many of them, count the trunk's
  // legs.
  const own = {
    judged: calls?.judgedCalls ?? quality?.judgedCalls ?? 0,
    bad: calls?.badCalls ?? quality?.badCalls ?? 0,
  };
  const judged = Math.max(0, all.judgedCalls - own.judged);
  const bad = Math.min(judged, Math.max(0, all.badCalls - own.bad));
  return {
    judged_calls: judged,
    bad_calls: bad,
    bad_percent: judged === 0 ? null : rounded((100 * bad) / judged, 2),
    p_value:
      quality === null || judged === 0 || quality.judgedCalls === 0
        ? null
        : fisherExact(quality.badCalls, quality.judgedCalls, bad, judged),
  };
}

function comparison(quality: CallQuality | null, others: ReturnType<typeof othersOf>): string | null {
  if (quality === null || others.p_value === null || others.p_value > CHANCE) return null;
  const [share, otherShare] = [quality.badPercent ?? 0, others.bad_percent ?? 0];
  if (share <= otherShare) return null;
  return `Of the calls over this trunk ${rounded(share, 1)} % were bad, of all ${others.judged_calls} other calls of this server in the same time ${rounded(otherShare, 1)} %. By chance alone so large a difference comes about less often than once in a hundred times.`;
}
