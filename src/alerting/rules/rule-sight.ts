import type { FaultPlace } from '../../model/fault.ts';

/** What a rule sees of one endpoint, or of all together. */
export interface RuleSight {
  readonly subject: string;
  /** Null: too few calls to judge. */
  readonly value: number | null;
  /** Calls that were judged. */
  readonly judged: number;
  /** Whether one of its calls is up. */
  readonly isUp: boolean;
  /** Those at fault, the first that began first. */
  readonly linkedids: readonly string[];
  readonly sinceMs: number | null;
  readonly place: FaultPlace | null;
  /** Whether Asterisk can reach the endpoint; null: not known, or several. */
  readonly isReachable: boolean | null;
}
