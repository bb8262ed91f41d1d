import { storedDirections } from '../calls/again/rated-streams.ts';
import type { OfflineSettings } from '../config/settings.ts';
import { readRated } from '../history/read/rated-history.ts';
import { calibrate, type Calibration, type RatedCall } from '../score/calibration.ts';
import { scoringRules } from './settings/scoring-rules.ts';

export interface CalibrationOutcome extends Calibration {
  /** Ratings of people whom we had asked: they weigh what they stand for. */
  readonly asked: number;
  /** Ratings that came by themselves: each weighs 1, and they are more often complaints. */
  readonly byThemselves: number;
}

/** Holds the stored scores of rated calls against what people said. Changes nothing. Throws HistoryError. */
export function calibrateHistory(
  settings: OfflineSettings,
  range: { readonly fromMs: number | undefined; readonly toMs: number | undefined },
): CalibrationOutcome {
  const rules = scoringRules(settings);
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
