import type { ConfigEntry } from '../wire/asterisk-conf.ts';

/**
 * What a check can say: `ok`; `warning`, scores are right but something about them is lost or at risk; `problem`, something
 * is not scored or does not arrive; `unknown`, it could not be looked at.
 */
export type Status = 'ok' | 'warning' | 'problem' | 'unknown';

/** Every check, in the order of the report. */
export const CHECK_IDS = [
  'settings',
  'node',
  'ami',
  'ami-classes',
  'ami-eventfilter',
  'ami-writetimeout',
  'ami-clients',
  'asterisk-version',
  'rtcp-interval',
  'direct-media',
  'direct-media-sip',
  'hangup-handler',
  'fastagi',
  'cdr',
  'cdr-custom',
  'cdr-sqlite3-custom',
  'cdr-adaptive-odbc',
  'cdr-pgsql',
  'cdr-manager',
  'cdr-mysql',
  'cdr-syslog',
  'cdr-fixed',
  'cdr-endbeforehexten',
  'ari',
  'clock',
  'time-zone',
  'disk',
  'sidecar',
] as const;

export type CheckId = (typeof CHECK_IDS)[number];

/** An edit of one file, or commands to run. */
export interface Change {
  /** Null for `run`. */
  readonly file: string | null;
  /** The `[section]` in which the lines belong; null where there are none. */
  readonly section: string | null;
  /** `replace` and `remove` speak of line `line`, `add` of the lines below it; `run` of commands, or of statements. */
  readonly action: 'add' | 'replace' | 'remove' | 'run';
  /** Counted from 1; null when it is not known. For `add` it is the section's heading, null when there is none yet. */
  readonly line: number | null;
  /** The line that is replaced or removed. */
  readonly was: string | null;
  readonly lines: readonly string[];
  /** What has to be done for it to take effect. */
  readonly afterwards: string | null;
}

export interface Finding {
  readonly id: CheckId;
  readonly status: Status;
  /** One sentence. */
  readonly saw: string;
  /** One sentence: what it does to the scores. */
  readonly why: string;
  readonly changes: readonly Change[];
}

/** Makes the findings of one check: all but the status and what was seen are the same each time. */
export function findingsOf(id: CheckId, why: string) {
  const make =
    (status: Status) =>
    (saw: string, changes: readonly Change[] = []): Finding => ({ id, status, saw, why, changes });
  return { ok: make('ok'), warning: make('warning'), problem: make('problem'), unknown: make('unknown') };
}

export const MANAGER_RELOAD = 'asterisk -rx "manager reload"';

interface Place {
  readonly file: string;
  readonly line: number | null;
}

/** A change that puts lines into a section. `place` is its heading; undefined: there is no such section yet. */
export function addLines(
  fallbackFile: string,
  section: string | null,
  place: Place | undefined,
  lines: readonly string[],
  afterwards: string | null,
): Change {
  const { file, line } = place ?? { file: fallbackFile, line: null };
  return { file, section, action: 'add', line, was: null, lines, afterwards };
}

/** Commands for a shell, or statements for the database that the finding speaks of. */
export function runLines(lines: readonly string[], afterwards: string | null = null): Change {
  return { file: null, section: null, action: 'run', line: null, was: null, lines, afterwards };
}

/** A change of one line that is there. Without new lines it is removed. */
export function replaceLine(entry: ConfigEntry, section: string, lines: readonly string[], afterwards: string): Change {
  const { file, line, text } = entry;
  const action = lines.length === 0 ? 'remove' : 'replace';
  return { file, section, action, line, was: text, lines, afterwards };
}
