import type { DoctorReport } from '../../doctor/gather/diagnose.ts';
import type { Status } from '../../doctor/finding.ts';

/** Worst first: the whole report has the status of its worst check. */
const GRAVITY: readonly Status[] = ['problem', 'warning', 'unknown', 'accepted', 'ok'];

/** The report for machines. */
export function doctorJson({ asteriskVersion, findings }: DoctorReport): object {
  const status = GRAVITY.find((grade) => findings.some((finding) => finding.status === grade)) ?? 'ok';
  return { status, asterisk_version: asteriskVersion, checks: findings };
}
