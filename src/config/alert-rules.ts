import { ALERT_GROUPINGS, ALERT_SUBJECTS, type AlertRule, type AlertSubject, type QuietHours } from '../model/alert.ts';
import type { Setting } from './settings-table.ts';
import {
  choice,
  decimal,
  DURATION,
  listOf,
  matching,
  optional,
  wholeNumber,
  YES_NO,
  type ValueType,
} from './value-types.ts';

export function override<T>(type: ValueType<T>, doc: string): Setting<T | undefined> {
  return { type, defaultText: undefined, whenAbsent: 'leave-out', doc };
}

const PATTERNS = listOf(
  matching('an endpoint', /^(?:[^\s*,]+\*?|\*)$/),
  'endpoints such as PJSIP/alice, PJSIP/carrier* with commas in between',
);

const QUIET_HOURS: ValueType<QuietHours> = {
  allowed: 'two times of day, such as 22:00-06:30',
  secret: false,
  parse: (value) => {
    const match = /^([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-3]):([0-5]\d)$/.exec(value);
    if (match === null) return undefined;
    const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = match.slice(1).map(Number);
    return { fromMinute: fromHour * 60 + fromMinute, toMinute: toHour * 60 + toMinute };
  },
};

/** Keys of `[alert:NAME]`. */
export const ALERT_SETTINGS = {
  what: override(choice(...ALERT_SUBJECTS), 'what the rule looks at; needed in a rule of your own'),
  over: override(
    DURATION,
    'the time that its calls ended in; for bad-live, gone, unreachable and ami: how long it has to last',
  ),
  endpoint: override(PATTERNS, 'whom it is about; without it everybody'),
  by: override(
    choice(...ALERT_GROUPINGS),
    'whether each endpoint is judged by itself, those of a site together, or all together',
  ),
  calls: override(wholeNumber(1, 100_000), 'from how many calls on it judges'),
  raise: override(decimal(0, 1_000_000), 'the value that raises it: percent, ms, s, calls, endpoints, or a score'),
  clear: override(decimal(0, 1_000_000), 'the value at which it is over'),
  quiet: override(optional(QUIET_HOURS), 'local hours in which nothing is sent; it is sent when they end'),
  again: override(DURATION, 'how often an alert that goes on is sent again; without it once'),
  send: override(YES_NO, 'whether it is sent, or shown only; yes in a rule of your own, no in those that are there'),
} as const;

export interface GivenRule {
  readonly what: AlertSubject | undefined;
  readonly over: number | undefined;
  readonly endpoint: readonly string[] | undefined;
  readonly by: AlertRule['by'] | undefined;
  readonly calls: number | undefined;
  readonly raise: number | undefined;
  readonly clear: number | undefined;
  readonly quiet: QuietHours | null | undefined;
  readonly again: number | undefined;
  readonly send: boolean | undefined;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

type Usual = Pick<AlertRule, 'overMs' | 'by' | 'calls' | 'raise' | 'clear'>;

/** What a rule has unless its section says otherwise. The thresholds are the bands of G.109 and G.114's 300 ms of round trip. */
const USUAL: Readonly<Record<AlertSubject, Usual>> = {
  'bad-live': { overMs: 15_000, by: 'endpoint', calls: 1, raise: 1, clear: 0 },
  'bad-calls': { overMs: HOUR_MS, by: 'endpoint', calls: 10, raise: 20, clear: 5 },
  p5: { overMs: HOUR_MS, by: 'all', calls: 20, raise: 3.1, clear: 3.6 },
  'one-way': { overMs: HOUR_MS, by: 'endpoint', calls: 5, raise: 20, clear: 5 },
  loss: { overMs: HOUR_MS, by: 'endpoint', calls: 5, raise: 3, clear: 1 },
  jitter: { overMs: HOUR_MS, by: 'endpoint', calls: 5, raise: 40, clear: 20 },
  rtt: { overMs: HOUR_MS, by: 'endpoint', calls: 5, raise: 400, clear: 300 },
  'no-reports': { overMs: 2 * HOUR_MS, by: 'endpoint', calls: 5, raise: 90, clear: 50 },
  gone: { overMs: 10 * MINUTE_MS, by: 'endpoint', calls: 20, raise: 10, clear: 1 },
  unreachable: { overMs: 5 * MINUTE_MS, by: 'endpoint', calls: 1, raise: 1, clear: 0 },
  ami: { overMs: 30_000, by: 'all', calls: 1, raise: 30, clear: 0 },
  // A PBX is heard of every minute: three times missing, and heard of again.
  silent: { overMs: MINUTE_MS, by: 'pbx', calls: 1, raise: 190, clear: 100 },
  problem: { overMs: MINUTE_MS, by: 'pbx', calls: 1, raise: 120, clear: 0 },
};

/** What rules may look at. Each has a rule that is there without a line in the file: shown, not sent. */
interface Watched {
  readonly subjects: readonly AlertSubject[];
  /** Who is judged by itself where a rule does not say; missing: as is usual for what it looks at. */
  readonly by?: AlertRule['by'];
}

const ON_ONE_PBX: Watched = { subjects: ALERT_SUBJECTS };

/** The rules: those that always hold, changed by sections of the same name, and those of other sections. */
export function alertRules(
  given: ReadonlyMap<string, GivenRule>,
  refuse: (name: string, problem: string) => void,
  { subjects, by }: Watched = ON_ONE_PBX,
): AlertRule[] {
  const names = [...new Set([...subjects, ...given.keys()])];
  return names.flatMap((name) => {
    const own = given.get(name);
    const present = subjects.find((subject) => subject === name);
    const what = own?.what ?? present;
    if (what === undefined) {
      refuse(name, `the key "what" is missing; give one of ${subjects.join(', ')}`);
      return [];
    }
    const usual = USUAL[what];
    const raise = own?.raise ?? usual.raise;
    const clear = own?.clear ?? (own?.raise === undefined ? usual.clear : usualClear(what, raise, usual));
    if (what === 'p5' ? clear < raise : clear > raise) {
      refuse(
        name,
        `clear = ${clear} is worse than raise = ${raise}, so that it would begin and end at once; give a better one`,
      );
      return [];
    }
    return [
      {
        name,
        what,
        overMs: own?.over ?? usual.overMs,
        endpoints: own?.endpoint ?? ['*'],
        by: own?.by ?? by ?? usual.by,
        calls: own?.calls ?? usual.calls,
        raise,
        clear,
        quiet: own?.quiet ?? null,
        againMs: own?.again ?? null,
        send: own?.send ?? present === undefined,
      },
    ];
  });
}

/** The clear value for a threshold of the user's: as far from it, in proportion, as the usual ones are apart. */
function usualClear(what: AlertSubject, raise: number, usual: Usual): number {
  return what === 'p5' ? Math.min(4.5, (raise * usual.clear) / usual.raise) : (raise * usual.clear) / usual.raise;
}
