import type { CapturedAudio, CapturedMedia } from '../../model/capture.ts';
import { packetTally } from '../../stats/packets/packet-tally.ts';
import type { TrackedStream } from './tracked-stream.ts';

/** What may have passed uncounted up to a moment. */
export interface Missed {
  /** Packets that the kernel dropped. */
  readonly droppedByKernel: number;
  /** How often capturing was interrupted. */
  readonly interruptions: number;
}

/**
 * The capture of a stream so far. `then` and `now`: what had been missed when it began, and what was missed until now. Null: the
 * stream is not believed yet, or its RTP clock is not known.
 */
export function capturedMedia(
  stream: TrackedStream,
  then: Missed,
  now: Missed,
  audio: CapturedAudio | null,
): CapturedMedia | null {
  const { packets } = stream;
  if (packets === undefined || packets.received === 0) return null;
  return {
    tally: packetTally(packets),
    streams: 1,
    ssrc: stream.ssrc,
    source: stream.source,
    destination: stream.destination,
    payloadType: stream.payloadType,
    codec: stream.format?.codec ?? null,
    audio,
    droppedByKernel: now.droppedByKernel - then.droppedByKernel,
    interruptions: now.interruptions - then.interruptions,
  };
}
