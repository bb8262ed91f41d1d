import type { ConfigEntry } from '../wire/asterisk-conf.ts';

/**
 * The result of a check. `warning`: scores are right, but something about them is lost or at risk. `problem`: something is not
 * scored or does not arrive. `unknown`: it could not be looked at. `accepted`: a warning or problem that the settings accept.
 */
export type Status = 'ok' | 'warning' | 'problem' | 'unknown' | 'accepted';

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
  'report-blocks',
  'hangup-handler',
  'freepbx-handler',
  'freepbx-dial-options',
  'freepbx-chown',
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
  /** The file to change; null for `run`. */
  readonly file: string | null;
  /** The `[section]` of the lines; null in a file without sections. */
  readonly section: string | null;
  /** `replace` and `remove` change line `line`, `add` adds below it; `run` has shell commands or SQL statements. */
  readonly action: 'add' | 'replace' | 'remove' | 'run';
  /** Counts from 1; null when not known. For `add`, the line of the section's heading; null when the section is missing. */
  readonly line: number | null;
  /** The line that is replaced or removed. */
  readonly was: string | null;
  readonly lines: readonly string[];
  /** The command that makes Asterisk or the sidecar use the change; null: none is needed. */
  readonly afterwards: string | null;
}

export interface Finding {
  readonly id: CheckId;
  readonly status: Status;
  /** One sentence. */
  readonly saw: string;
  /** One sentence: what it means for the scores. */
  readonly why: string;
  readonly changes: readonly Change[];
}

/** Makes the findings of one check, which share id and reason. */
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

/** A change that adds lines to a section. `place` is the section; undefined: it is missing. */
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

/** Shell commands, or SQL statements for the database that the finding names. */
export function runLines(lines: readonly string[], afterwards: string | null = null): Change {
  return { file: null, section: null, action: 'run', line: null, was: null, lines, afterwards };
}

/** A change that replaces one line, or removes it when there are no new lines. */
export function replaceLine(entry: ConfigEntry, section: string, lines: readonly string[], afterwards: string): Change {
  const { file, line, text } = entry;
  const action = lines.length === 0 ? 'remove' : 'replace';
  return { file, section, action, line, was: text, lines, afterwards };
}
