import { ALERTS } from '../features/alerts.ts';
import { MACHINE } from '../features/machine.ts';
import { OUTBOX } from '../features/outbox.ts';
import { PHONE_REPORTS } from '../features/phone-reports.ts';
import { RATINGS } from '../features/ratings.ts';
import { REMARKS } from '../features/remarks.ts';
import { SHARES } from '../features/shares.ts';
import type { Feature } from './feature.ts';

/**
 * Every feature that has tables of its own in the history, one line each, in order of the alphabet. Its name here is its name in
 * the database for ever.
 */
export const FEATURES = {
  alerts: ALERTS,
  machine: MACHINE,
  outbox: OUTBOX,
  phoneReports: PHONE_REPORTS,
  ratings: RATINGS,
  remarks: REMARKS,
  shares: SHARES,
} as const satisfies Readonly<Record<string, Feature>>;
