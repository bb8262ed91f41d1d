import type { AudioLevels, CapturedAudio } from '../../model/capture.ts';

/** Two stretches of one direction together. The echo is the one that was found last. */
export function addAudio(one: CapturedAudio | null, other: CapturedAudio | null): CapturedAudio | null {
  if (one === null || other === null) return one ?? other;
  return { levels: addLevels(one.levels, other.levels), echo: other.echo ?? one.echo };
}

/** Levels are means of power, weighted by the time that they were heard; what is not known in one stretch is that of the other. */
function addLevels(one: AudioLevels, other: AudioLevels): AudioLevels {
  const pauses = one.pauses + other.pauses;
  const pausesMs = (one.meanPauseMs ?? 0) * one.pauses + (other.meanPauseMs ?? 0) * other.pauses;
  const audioMs = one.audioMs + other.audioMs;
  return {
    signalDbm0: meanDbm0(one.signalDbm0, one.talkMs, other.signalDbm0, other.talkMs),
    noiseDbm0: meanDbm0(one.noiseDbm0, one.audioMs - one.talkMs, other.noiseDbm0, other.audioMs - other.talkMs),
    audioMs,
    talkMs: one.talkMs + other.talkMs,
    pauses,
    meanPauseMs: pauses === 0 ? null : pausesMs / pauses,
    clippedPercent:
      audioMs === 0 ? 0 : (one.clippedPercent * one.audioMs + other.clippedPercent * other.audioMs) / audioMs,
  };
}

function meanDbm0(one: number | null, oneMs: number, other: number | null, otherMs: number): number | null {
  if (one === null || other === null) return one ?? other;
  const power = (10 ** (one / 10) * oneMs + 10 ** (other / 10) * otherMs) / (oneMs + otherMs);
  return oneMs + otherMs === 0 ? other : 10 * Math.log10(power);
}
