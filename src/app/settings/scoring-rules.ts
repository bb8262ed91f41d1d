import type { ScoringRules } from '../../calls/scoring-rules.ts';
import type { OfflineSettings } from '../../config/settings.ts';
import { mesProfile } from '../../score/profiles.ts';
import { VERSION } from '../version.ts';

/** The rules for scoring calls, from the settings. */
export function scoringRules(settings: OfflineSettings): ScoringRules {
  return {
    profile: mesProfile(settings.general.profile, settings.customProfile),
    thresholds: settings.general.thresholds,
    codecs: settings.codecs,
    advantages: settings.endpoints.flatMap(({ pattern, advantage }) =>
      advantage === undefined ? [] : [{ pattern, advantage }],
    ),
    version: VERSION,
  };
}
