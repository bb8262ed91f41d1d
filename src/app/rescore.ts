import { setTimeout as pause } from 'node:timers/promises';
import { rescoreCall } from '../calls/again/rescoring.ts';
import type { OfflineSettings } from '../config/settings.ts';
import { explain, HistoryError } from '../history/history-error.ts';
import {
  openForRescoring,
  type RescoringBegin,
  type RescoringCounts,
  type RescoringRequest,
} from '../history/write/rescoring-store.ts';
import type { ProfileName } from '../model/score.ts';
import { scoringRules } from './settings/scoring-rules.ts';
import { withStoredEndpoints } from './settings/stored-endpoints.ts';

/** A call is final only this long after its end: a sidecar may write it again after 10 s, or later with a slow disk. */
const FINAL_AFTER_MS = 120_000;
/** Pause between two batches, for a running sidecar. */
const PAUSE_MS = 20;

export interface RescoreOptions {
  readonly settings: OfflineSettings;
  readonly profile: ProfileName;
  /** The range as the user wrote it: the same words continue an interrupted run. */
  readonly rangeText: string;
  /** Calls that began in [fromMs, toMs), epoch milliseconds; null is open. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly nowMs: number;
  /** Bound on the calls of a transaction; 200 by default. */
  readonly batchCalls?: number;
  readonly onProgress: (done: number, total: number) => void;
}

export interface RescoreOutcome extends RescoringCounts {
  readonly began: RescoringBegin;
  /** Calls of the range that were up, or had just ended. */
  readonly tooRecent: number;
}

/**
 * Scores the ended calls of a range again with the present settings, but with the given profile. The same run started again
 * continues where it was interrupted. Rejects with HistoryError.
 */
export async function rescoreHistory(options: RescoreOptions): Promise<RescoreOutcome> {
  const { settings, profile, rangeText, fromMs, toMs, nowMs, batchCalls, onProgress } = options;
  const rules = scoringRules({ ...withStoredEndpoints(settings), general: { ...settings.general, profile } });
  const key = JSON.stringify({ rangeText, rules: { ...rules, codecs: [...rules.codecs] } });
  const request: RescoringRequest = { key, fromMs, toMs, endedBeforeMs: nowMs - FINAL_AFTER_MS };
  const store = openForRescoring(settings.history.path, batchCalls);
  try {
    const began = store.begin(request);
    const total = store.remaining(request);
    let done = 0;
    for (;;) {
      const { isDone, taken, left, rescored, expired } = store.nextBatch(request, (call) => rescoreCall(call, rules));
      if (isDone) return { began, rescored, expired, tooRecent: left };
      done += taken;
      onProgress(done, total);
      await pause(PAUSE_MS);
    }
  } catch (error) {
    throw new HistoryError(explain(error, settings.history.path), { cause: error });
  } finally {
    store.close();
  }
}
