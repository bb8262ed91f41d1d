import type { FaultPlace } from './answers.ts';

/** What a rule watches. */
export type AlertSubject =
  | 'bad-live'
  | 'bad-calls'
  | 'p5'
  | 'one-way'
  | 'loss'
  | 'jitter'
  | 'rtt'
  | 'no-reports'
  | 'gone'
  | 'unreachable'
  | 'ami'
  | 'silent'
  | 'problem';

/** An alert, open or ended. */
export interface Alert {
  readonly id: string;
  readonly rule: string;
  readonly what: AlertSubject;
  /** Null: all endpoints of the rule together. */
  readonly endpoint: string | null;
  /** The site, for rules by site. */
  readonly site: string | null;
  /** On a fleet, of an alert about one PBX. */
  readonly pbx?: string | undefined;
  readonly status: 'active' | 'over';
  readonly since: string;
  readonly raised_at: string;
  readonly over_at: string | null;
  readonly worst: number;
  readonly sentence: string;
  readonly calls: number;
  /** Its first 100 calls. */
  readonly linkedids: readonly string[];
  readonly place: FaultPlace | null;
  readonly told_at: string | null;
}

export interface AlertRule {
  readonly name: string;
  readonly what: AlertSubject;
  readonly over_s: number;
  readonly endpoints: readonly string[];
  readonly calls: number;
  readonly raise: number;
  readonly clear: number;
  readonly send: boolean;
}

export interface AlertsAnswer {
  readonly alerts: readonly Alert[];
  readonly rules: readonly AlertRule[];
}
