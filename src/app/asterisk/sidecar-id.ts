import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { historyLockPath } from '../../history/schema/database.ts';

const DIGITS = 16;

/**
 * Tells sidecars with histories of their own apart, on one machine or several; the same after a restart. It goes by the file that
 * locks the history, which must be there.
 */
export function sidecarId(historyPath: string): string {
  const { dev, ino } = statSync(historyLockPath(historyPath), { bigint: true });
  const parts = [hostname(), resolve(historyPath), dev, ino];
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, DIGITS);
}
