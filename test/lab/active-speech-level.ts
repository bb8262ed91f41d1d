/**
 * How loud speech is by ITU-T P.56 (12/2011), method B, in dBm0. Nothing of `src` is in it.
 */

const SMOOTHING_S = 0.03;
const HANGOVER_S = 0.2;
const MARGIN_DB = 15.9;
const THRESHOLDS = 15;
/** 0 dBm0 is 6.15 dB under the power of a square wave of full scale (ITU-T G.191). */
const FULL_SCALE_DBM0 = 6.15;
const FULL_SCALE_POWER = 32_768 ** 2;

export function activeSpeechLevelDbm0(samples: Float64Array, rateHz: number): number {
  const keep = Math.exp(-1 / (rateHz * SMOOTHING_S));
  const hangover = Math.ceil(rateHz * HANGOVER_S);
  const active = new Float64Array(THRESHOLDS);
  const since = new Float64Array(THRESHOLDS).fill(hangover);
  let [smooth, envelope, power] = [0, 0, 0];
  for (const sample of samples) {
    power += sample * sample;
    smooth = keep * smooth + (1 - keep) * Math.abs(sample);
    envelope = keep * envelope + (1 - keep) * smooth;
    for (let index = 0; index < THRESHOLDS; index += 1) {
      const isOver = envelope >= 2 ** index;
      since[index] = isOver ? 0 : (since[index] ?? 0) + 1;
      if ((since[index] ?? 0) < hangover) active[index] = (active[index] ?? 0) + 1;
    }
  }
  // The threshold that is the margin under the level of what it lets through, between the two that enclose it.
  const levelOver = (index: number): number => decibels(power / (active[index] ?? 0));
  const excessOver = (index: number): number => levelOver(index) - 20 * Math.log10(2 ** index) - MARGIN_DB;
  for (let index = 1; index < THRESHOLDS; index += 1) {
    const [before, after] = [excessOver(index - 1), excessOver(index)];
    if (after > 0) continue;
    const part = before / (before - after);
    const level = levelOver(index - 1) + part * (levelOver(index) - levelOver(index - 1));
    return level - decibels(FULL_SCALE_POWER) + FULL_SCALE_DBM0;
  }
  throw new Error('nobody speaks');
}

function decibels(power: number): number {
  return 10 * Math.log10(power);
}
