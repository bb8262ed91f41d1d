import type { CapturedMedia } from '../../model/capture.ts';
import { addAudio } from '../audio/add-audio.ts';
import { addTallies } from './packet-tally.ts';

/**
 * Joins two parts of one direction's captured media. SSRC, addresses and codec are those of the later part. Null: nothing was
 * captured.
 */
export function addMedia(one: CapturedMedia | null, other: CapturedMedia | null): CapturedMedia | null {
  if (one === null || other === null) return one ?? other;
  const later = other.tally.lastAtMs >= one.tally.lastAtMs ? other : one;
  return {
    ...later,
    tally: addTallies(one.tally, other.tally),
    streams: one.streams + other.streams,
    audio: addAudio(one.audio ?? null, other.audio ?? null),
    codec: later.codec ?? one.codec ?? other.codec,
    droppedByKernel: one.droppedByKernel + other.droppedByKernel,
    interruptions: one.interruptions + other.interruptions,
  };
}
