import type { AudioLevels, CapturedAudio } from '../../model/capture.ts';

/** Joins the audio of two stretches of one direction. Of two echoes the later one stays. */
export function addAudio(one: CapturedAudio | null, other: CapturedAudio | null): CapturedAudio | null {
  if (one === null || other === null) return one ?? other;
  return { levels: addLevels(one.levels, other.levels), echo: other.echo ?? one.echo };
}

/** Joins levels as means of power, weighted by how long each was heard. A level that one stretch does not know is the other's. */
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
