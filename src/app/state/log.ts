import { type Logger, pino } from 'pino';
import type { ErrorCode } from '../../model/errors/errors.ts';

export type { Logger };

/** The sidecar's log: one JSON line per entry on standard output, times in ISO 8601. `level` as pino names it. */
export function createLog(level: string): Logger {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}

/** The fields of a line that reports a failure: `log.warn(coded('MES_ERR_CAPTURE'), sentence)`. */
export function coded(code: ErrorCode): { readonly code: ErrorCode } {
  return { code };
}

/** The same log at level `error`, or at its own level if that logs less. */
export function errorsOnly(log: Logger): Logger {
  return log.child({}, { level: log.isLevelEnabled('error') ? 'error' : log.level });
}
