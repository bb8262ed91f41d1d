import type { Verdict } from '../model/score.ts';

/** What is known of a call when it is decided whether to ask about it. */
export interface AskedCall {
  readonly endpoint: string;
  /** Numbers of both parties, and what was dialled. */
  readonly numbers: readonly string[];
  /** The worst of the call; null is not known. */
  readonly verdict: Verdict | null;
  readonly lastAskedAtMs: number | null;
  readonly nowMs: number;
}

export interface AskingRules {
  /** Of calls that were good, or of which nothing is known, 0-100. */
  readonly askPercent: number;
  /** Endpoints, or numbers; one `*` at the end stands for anything. */
  readonly never: readonly string[];
}

/** An endpoint is asked once a day at most. */
const REST_MS = 86_400_000;

/** Always asked about: somebody had reason to complain. */
const ALWAYS: ReadonlySet<Verdict> = new Set(['poor', 'bad', 'no-media', 'one-way-rx', 'one-way-tx']);

/** With which probability to ask about a call, 0-1; a rating weighs its inverse. */
export function askProbability(call: AskedCall, { askPercent, never }: AskingRules): number {
  const names = [call.endpoint, ...call.numbers];
  if (never.some((pattern) => names.some((name) => matches(pattern, name)))) return 0;
  if (call.lastAskedAtMs !== null && call.nowMs - call.lastAskedAtMs < REST_MS) return 0;
  if (call.verdict !== null && ALWAYS.has(call.verdict)) return 1;
  return askPercent / 100;
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
