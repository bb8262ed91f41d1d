import type { StreamRecord } from '../../model/record.ts';
import type { Direction } from '../../model/report.ts';
import { type CoursePoint, ms, opinion, percent } from './document.ts';
import { MOST_POINTS } from './fields.ts';

/** The counts of a direction at its last point. */
export interface CourseMark {
  readonly reports: number;
  readonly expected: number | null;
  readonly lost: number | null;
}

/** The next point of a direction's course; null: no report came since the last point. */
export function coursePoint(stream: StreamRecord, before: CourseMark | undefined, atS: number): CoursePoint | null {
  if (stream.reports <= (before?.reports ?? 0)) return null;
  return {
    direction: stream.direction,
    at_s: Math.max(0, Math.round(atS)),
    mes: opinion(stream.mes),
    loss_percent: percent(lossSince(stream, before)),
    jitter_ms: ms(stream.jitterMs.last),
    rtt_ms: ms(stream.rttMs.last),
  };
}

export function courseMark({ reports, packetsExpected, packetsLost }: StreamRecord): CourseMark {
  return { reports, expected: packetsExpected, lost: packetsLost };
}

/** Loss in percent since the last point; null: unknown, or no packets were expected. */
function lossSince({ packetsExpected, packetsLost }: StreamRecord, before: CourseMark | undefined): number | null {
  if (packetsExpected === null || packetsLost === null) return null;
  const expected = packetsExpected - (before?.expected ?? 0);
  return expected <= 0 ? null : ((packetsLost - (before?.lost ?? 0)) / expected) * 100;
}

/**
 * At most `most` points of each direction, evenly spread, with the first and the last. So a call looks alike after a minute and
 * after an hour.
 */
export function thinned(course: readonly CoursePoint[], most = MOST_POINTS): CoursePoint[] {
  const kept = (['rx', 'tx'] satisfies Direction[]).flatMap((direction) => {
    const points = course.filter((point) => point.direction === direction);
    if (points.length <= most) return points;
    if (most < 2) return points.slice(-most);
    return Array.from(
      { length: most },
      (_, index) => points[Math.round((index * (points.length - 1)) / (most - 1))],
    ).filter((point) => point !== undefined);
  });
  return kept.sort((a, b) => a.at_s - b.at_s);
}
