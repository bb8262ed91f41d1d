import type { MesProfile, ProfileName } from '../model/score.ts';

/**
 * The published formula (Asterisk's "Media Experience Score" page): whole round trip, running means, milliseconds, and
 * 2.5 R for each packet lost in 5 s, the pace of Asterisk's reports for which the page's factor fits. The page prints the
 * opinion's last factor as 7e-7; G.107 Annex B has 7e-6, and so do we.
 */
const DOCUMENTED: MesProfile = {
  name: 'documented',
  baseR: 93.2,
  rttFactor: 1,
  jitterSample: 'mean',
  jitterUnit: 'ms',
  jitterFactor: 2,
  jitterStdevDivisor: 3,
  codecDelayMs: 10,
  usesDelayOfCodec: true,
  latencyKneeMs: 160,
  latencyDivisorBelow: 40,
  latencyOffsetMs: 120,
  latencyDivisorAbove: 10,
  lossSample: '5s',
  lossUnit: 'packets',
  lossFactor: 2.5,
  usesCodecImpairment: false,
  clampBelowOne: true,
};

/** The page's words taken literally: packets lost "since the last report", however long ago that was. */
const DOCUMENTED_PER_REPORT: MesProfile = { ...DOCUMENTED, name: 'documented-per-report', lossSample: 'report' };

/** The page's "Future improvements" in one score: codec, burstiness of the loss, advantage of the endpoint (G.107 §7.5). */
const INFORMED: MesProfile = { ...DOCUMENTED, name: 'informed', usesCodecImpairment: true };

/** What releases up to 22.10 compute, bug for bug: upstream #2097 (seconds for milliseconds), #2101 (mean of cumulative loss), #2095. */
const ASTERISK_22_10: MesProfile = {
  ...DOCUMENTED,
  name: 'asterisk-22.10',
  usesDelayOfCodec: false,
  jitterSample: 'last',
  jitterUnit: 's',
  lossSample: 'cumulative-tx',
  lossFactor: 2,
  clampBelowOne: false,
};

/** With the fixes of August 2026 (#2096, #2098, #2100, #2102). */
const ASTERISK_2026_09: MesProfile = {
  ...DOCUMENTED,
  name: 'asterisk-2026.09',
  usesDelayOfCodec: false,
  rttFactor: 0.5,
  lossSample: 'report',
  lossFactor: 2,
  clampBelowOne: false,
};

const FIXED_PROFILES = {
  documented: DOCUMENTED,
  'documented-per-report': DOCUMENTED_PER_REPORT,
  informed: INFORMED,
  'asterisk-22.10': ASTERISK_22_10,
  'asterisk-2026.09': ASTERISK_2026_09,
} as const;

/** The numbers of a profile. `custom` is the documented profile with `overrides`. The others cannot be changed. */
export function mesProfile(name: ProfileName, overrides: Partial<Omit<MesProfile, 'name'>> = {}): MesProfile {
  return name === 'custom' ? { ...DOCUMENTED, ...overrides, name } : FIXED_PROFILES[name];
}
