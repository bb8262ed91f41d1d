import type { CallHabit } from './call-habit.ts';
import type { Reachability } from './reachability.ts';

/** What is known beside the calls of the window. */
export interface Surroundings {
  readonly nowMs: number;
  /** Since when Asterisk cannot be reached; null: it can. */
  readonly amiDownSinceMs: number | null;
  /** Since when every call has been seen; what came before may be missing in the history. */
  readonly watchedSinceMs: number;
  /** Whether an endpoint always sent RTCP before. */
  readonly usedToReport: (endpoint: string) => boolean;
  /** When endpoints usually have calls; null: not known. */
  readonly calls: CallHabit | null;
  /** Which endpoints Asterisk can reach; null: nobody knows, as of the past. */
  readonly reach: Reachability | null;
}
