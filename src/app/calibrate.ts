import { storedDirections } from '../calls/again/rated-streams.ts';
import type { OfflineSettings } from '../config/settings.ts';
import { readRated } from '../history/read/rated-history.ts';
import { calibrate, type Calibration, type RatedCall } from '../score/calibration.ts';
import { scoringRules } from './settings/scoring-rules.ts';
import { withStoredEndpoints } from './settings/stored-endpoints.ts';

export interface CalibrationOutcome extends Calibration {
  /** Ratings that we asked for. Each weighs the calls that it stands for. */
  readonly asked: number;
  /** Ratings that came by themselves, mostly complaints. Each weighs 1. */
  readonly byThemselves: number;
}

/** Compares stored scores with people's ratings. Changes nothing. Throws HistoryError. */
export function calibrateHistory(
  settings: OfflineSettings,
  range: { readonly fromMs: number | undefined; readonly toMs: number | undefined },
): CalibrationOutcome {
  const rules = scoringRules(withStoredEndpoints(settings));
  const calls: RatedCall[] = [];
  let asked = 0;
  readRated(settings.history.path, range, ({ rating, call }) => {
    if (rating.asked) asked++;
    calls.push({
      score: rating.score,
      weight: rating.weight > 0 ? rating.weight : 1,
      ...storedDirections(call, rules),
    });
  });
  return { ...calibrate(calls, settings.general.thresholds), asked, byThemselves: calls.length - asked };
}
