import type { MesProfile, ProfileName } from '../model/score.ts';

/**
 * The published formula (Asterisk's "Media Experience Score" page): whole round trip, running means, milliseconds,
 * packets lost per report × 2.5. Its last factor is printed as 7e-7 there; G.107 Annex B has 7e-6, and so do we.
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
  lossSample: 'interval',
  lossUnit: 'packets',
  lossFactor: 2.5,
  clampBelowOne: true,
};

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
  lossFactor: 2,
  clampBelowOne: false,
};

const FIXED_PROFILES = {
  documented: DOCUMENTED,
  'asterisk-22.10': ASTERISK_22_10,
  'asterisk-2026.09': ASTERISK_2026_09,
} as const;

/**
 * The numbers of a profile.
 * `custom` is the documented one with `overrides` in place of its numbers; the other three cannot be changed.
 */
export function mesProfile(name: ProfileName, overrides: Partial<Omit<MesProfile, 'name'>> = {}): MesProfile {
  return name === 'custom' ? { ...DOCUMENTED, ...overrides, name } : FIXED_PROFILES[name];
}
