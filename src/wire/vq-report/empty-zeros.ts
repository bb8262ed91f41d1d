import type { PhoneMetrics } from '../../model/phones/phone-report.ts';

const MEASURED = [
  'networkLossPercent',
  'discardPercent',
  'burstLossPercent',
  'burstDurationMs',
  'gapLossPercent',
  'gapDurationMs',
  'roundTripDelayMs',
  'endSystemDelayMs',
  'oneWayDelayMs',
  'interarrivalJitterMs',
  'meanAbsoluteJitterMs',
  'signalLevelDbm',
  'noiseLevelDbm',
  'rerlDb',
  'rLq',
  'rCq',
  'extRIn',
  'extROut',
  'mosLq',
  'mosCq',
] as const satisfies readonly (keyof PhoneMetrics)[];

const NOTHING_MEASURED = Object.fromEntries(MEASURED.map((name) => [name, null])) as Readonly<
  Record<(typeof MEASURED)[number], null>
>;

/**
 * A phone has no delay of 0, nor a buffer, nor a noise of 0 dBm0; without a burst the gap lasts as long as the call (RFC 3611 §4.7.2),
 * and a round trip of 0 is one that has not been measured yet (§4.7.3).
 */
const NEVER_ZERO = [
  'roundTripDelayMs',
  'endSystemDelayMs',
  'oneWayDelayMs',
  'jbNominalMs',
  'jbMaximumMs',
  'jbAbsMaxMs',
  'gapDurationMs',
  'noiseLevelDbm',
  'rerlDb',
] as const satisfies readonly (keyof PhoneMetrics)[];

const RATINGS = ['rLq', 'rCq', 'extRIn', 'extROut'] as const satisfies readonly (keyof PhoneMetrics)[];
/** With an R of 0 goes a MOS of 1 (G.107 Annex B), or a loss that explains it. */
const WORST_MOS = 1.1;
const RUINOUS_PERCENT = 20;

/**
 * Without the zeros that phones write for want of data. One that cannot be is not known. Where nothing else is left but zeros, none of
 * them is believed: no loss is then no measurement. `wroteEmptyMos`: the report has a MOS of 0, which no scale has.
 */
export function withoutEmptyZeros(metrics: PhoneMetrics, wroteEmptyMos: boolean): PhoneMetrics {
  const suspects: (keyof PhoneMetrics)[] = [...NEVER_ZERO];
  if (!isRuined(metrics)) suspects.push(...RATINGS);
  // Full scale, and no noise beside it: nobody measured.
  if ((metrics.noiseLevelDbm ?? 0) === 0) suspects.push('signalLevelDbm');
  const empty = suspects.filter((name) => metrics[name] === 0);
  const kept = { ...metrics, ...Object.fromEntries(empty.map((name) => [name, null])) };
  const hasValue = MEASURED.some((name) => kept[name] !== null && kept[name] !== 0);
  const coversTime = kept.startAtMs !== null && kept.stopAtMs !== null && kept.stopAtMs > kept.startAtMs;
  return hasValue || (coversTime && empty.length === 0 && !wroteEmptyMos) ? kept : { ...kept, ...NOTHING_MEASURED };
}

/** Whether the audio was so bad that an R of 0 is a measurement. */
function isRuined({ mosLq, mosCq, networkLossPercent, discardPercent }: PhoneMetrics): boolean {
  const mos = Math.min(mosLq ?? 5, mosCq ?? 5);
  return mos <= WORST_MOS || (networkLossPercent ?? 0) + (discardPercent ?? 0) >= RUINOUS_PERCENT;
}
