import type { LinkState } from '../../asterisk/link-state.ts';
import type { HistoryStats } from '../../history/history.ts';
import { snakeCase } from '../../model/naming.ts';
import type { CaptureHealth, HealthReport } from '../../model/ports.ts';

/** The state of the sidecar's parts. */
export interface PartsHealth {
  readonly events: LinkState;
  readonly actions: LinkState;
  /** Null when ARI is not used. */
  readonly ari: LinkState | null;
  readonly history: HistoryStats;
  readonly databaseBytes: number | null;
  readonly asteriskVersion: string | null;
  readonly capture: CaptureHealth;
  /** Counters by the prefix of their names; null when a part is not used. */
  readonly counters: Readonly<Record<string, object | null>>;
}

/** Makes the data of `/healthz` and `/readyz`. */
export function healthReport(parts: PartsHealth): HealthReport {
  const { events, actions, ari, history, databaseBytes, asteriskVersion, capture } = parts;
  const { problem, rejection, ...historyCounters } = history;
  const counters = Object.entries({ ...parts.counters, history: historyCounters }).map(([prefix, of]) =>
    prefixed(prefix, of ?? {}),
  );
  return {
    amiConnected: events.status === 'connected' && actions.status === 'connected',
    amiProblem: problemOf(events) ?? problemOf(actions),
    ariConnected: ari === null ? null : ari.status === 'connected',
    historyWritable: problem === null,
    historyProblem: problem ?? rejection,
    asteriskVersion,
    databaseBytes,
    capture,
    counters: Object.assign({}, ...counters),
  };
}

function problemOf(state: LinkState): string | null {
  if (state.status === 'connected') return null;
  return 'problem' in state ? state.problem : 'still connecting to Asterisk';
}

function prefixed(prefix: string, counters: object): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counters)
      .filter((entry): entry is [string, number] => typeof entry[1] === 'number')
      .map(([name, value]) => [`${prefix}_${snakeCase(name)}`, value]),
  );
}
