import {
  HEARD_QUANTITIES,
  type HeardQuantities,
  type PhoneHearing,
  type PhoneMetrics,
  type PhoneReport,
} from '../model/phones/phone-report.ts';

/** The clock rate of video (RFC 3551 §5). Reports of video say nothing about audio. */
const VIDEO_CLOCK_RATE_HZ = 90_000;
/** Phones write whole seconds, so an interval may seem to begin before the last one has ended. */
const ROUNDED_MS = 1000;

/**
 * Adds one more report to what a phone's reports about a channel have in common. Intervals that follow one another are weighted
 * by their time. A report replaces what is known if it covers all of that and more: the report at the end of a session, or
 * intervals that always begin at the call's start, as Linphone's do. Values that it leaves out stay. Alerts (snapshots) and
 * reports about video do not count; null: no other report has come yet.
 */
export function noteHeard(
  before: PhoneHearing | null,
  { kind, localMetrics }: Pick<PhoneReport, 'kind' | 'localMetrics'>,
  userAgent: string | null,
): PhoneHearing | null {
  if (kind === 'alert' || localMetrics.clockRateHz === VIDEO_CLOCK_RATE_HZ) return before;
  const counted = { reports: (before?.reports ?? 0) + 1, userAgent: userAgent ?? before?.userAgent ?? null };
  const { startAtMs, stopAtMs } = localMetrics;
  if (before === null) return { ...quantities((name) => localMetrics[name]), startAtMs, stopAtMs, ...counted };
  const how = relation(before, localMetrics);
  if (how === 'older') return { ...before, ...counted };
  if (how === 'covers') {
    return { ...quantities((name) => localMetrics[name] ?? before[name]), startAtMs, stopAtMs, ...counted };
  }
  const sum = quantities((name) => weighted(before, localMetrics, name));
  return { ...sum, startAtMs: before.startAtMs, stopAtMs, ...counted };
}

type Span = Pick<PhoneMetrics, 'startAtMs' | 'stopAtMs'>;

function relation(before: Span, later: Span): 'covers' | 'follows' | 'older' {
  if (before.startAtMs === null || before.stopAtMs === null || later.startAtMs === null || later.stopAtMs === null) {
    return 'covers';
  }
  if (later.startAtMs <= before.startAtMs + ROUNDED_MS) {
    return later.stopAtMs >= before.stopAtMs - ROUNDED_MS ? 'covers' : 'older';
  }
  return later.startAtMs >= before.stopAtMs - ROUNDED_MS ? 'follows' : 'older';
}

/**
 * Rates, durations and scores are weighted by the time that each report covers. Of delays the newest counts (RFC 3611 §4.7.3).
 */
function weighted(before: PhoneHearing, later: PhoneMetrics, name: keyof HeardQuantities): number | null {
  const [earlierValue, laterValue] = [before[name], later[name]];
  if (earlierValue === null || laterValue === null) return laterValue ?? earlierValue;
  if (name === 'roundTripDelayMs' || name === 'endSystemDelayMs') return laterValue;
  const earlierMs = lengthMs(before);
  const laterMs = lengthMs(later);
  const wholeMs = earlierMs + laterMs;
  return wholeMs === 0 ? laterValue : (earlierValue * earlierMs + laterValue * laterMs) / wholeMs;
}

function lengthMs({ startAtMs, stopAtMs }: Span): number {
  return startAtMs === null || stopAtMs === null ? 0 : Math.max(0, stopAtMs - startAtMs);
}

function quantities(valueOf: (name: keyof HeardQuantities) => number | null): HeardQuantities {
  return Object.fromEntries(HEARD_QUANTITIES.map((name) => [name, valueOf(name)])) as unknown as HeardQuantities;
}
