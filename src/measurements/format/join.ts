import type { CoursePoint, LegDocument, MeasurementDocument } from './document.ts';
import { MeasurementError } from './check.ts';
import { thinned } from './course.ts';

/**
 * Joins the checked documents of a file's segments: the latest values count, and the courses are put together. Throws
 * MeasurementError when they are of different calls.
 */
export function joinSegments(documents: readonly MeasurementDocument[]): MeasurementDocument {
  const last = documents.at(-1);
  if (last === undefined) throw new MeasurementError('the file has no whole segment');
  if (
    documents.some((one) => one.kind !== last.kind || one.call !== last.call || one.installation !== last.installation)
  ) {
    throw new MeasurementError('its segments are of different calls');
  }
  if (last.kind === 'rating') return last;
  const course = (documents as readonly LegDocument[]).flatMap((one): readonly CoursePoint[] => one.course);
  const kept = thinned(course);
  return { ...last, course: kept, points_left_out: Number(last.points_left_out ?? 0) + course.length - kept.length };
}
