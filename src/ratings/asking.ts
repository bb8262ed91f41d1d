import type { Verdict } from '../model/score.ts';

/** What decides whether people are asked about a call. */
export interface AskedCall {
  readonly endpoint: string;
  /** Numbers of both parties, and what was dialled. */
  readonly numbers: readonly string[];
  /** The worst verdict of the call; null: unknown. */
  readonly verdict: Verdict | null;
  readonly lastAskedAtMs: number | null;
  readonly nowMs: number;
}

export interface AskingRules {
  /** Share of good and unknown calls to ask about, 0-100. */
  readonly askPercent: number;
  /** Endpoints or numbers that are never asked; a `*` at the end stands for anything. */
  readonly never: readonly string[];
}

/** An endpoint is asked once a day at most. */
const REST_MS = 86_400_000;

/** Calls with these verdicts are always asked about. */
const ALWAYS: ReadonlySet<Verdict> = new Set(['poor', 'bad', 'no-media', 'one-way-rx', 'one-way-tx']);

/** The probability of asking about a call, 0-1. Its inverse is the weight of the rating. */
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
