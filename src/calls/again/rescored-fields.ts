import type { StreamMeasures } from '../../model/record.ts';

/** What a new score replaces in a stream or a session. Everything else was measured and stays. */
type Scores = Pick<
  StreamMeasures,
  'effectiveLatencyMs' | 'rValue' | 'mes' | 'mes100' | 'mesMin' | 'profile' | 'rLq' | 'rCq' | 'mosLq' | 'mosCq'
>;

export function scoresOf(measures: Scores): Scores {
  const { effectiveLatencyMs, rValue, mes, mes100, mesMin, profile, rLq, rCq, mosLq, mosCq } = measures;
  return { effectiveLatencyMs, rValue, mes, mes100, mesMin, profile, rLq, rCq, mosLq, mosCq };
}
