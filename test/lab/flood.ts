import type { FloodPlan } from './simulated-process.ts';
import { atPace, FreshIds, isReport, readRecording, type Recording, render } from './recording.ts';

/** Many recorded calls at once, as the bytes that one AMI connection gets. */
export interface Flood {
  readonly chunks: readonly Buffer[];
  readonly bytes: number;
  readonly events: number;
  /** Those of them that are RTCP reports. */
  readonly reports: number;
}

interface RunningCall {
  readonly recording: Recording;
  readonly ids: readonly string[];
  next: number;
}

const CHUNK_CHARACTERS = 65_536;

/** At least `events` events. `callsAtOnce` calls are up at any time and send one event each in turn; all of them end. */
export function makeFlood({ recordings, pace, events, callsAtOnce }: FloodPlan): Flood {
  const calls = recordings.map((name) => atPace(readRecording(name), pace));
  const ids = new FreshIds();
  const chunks: Buffer[] = [];
  let up: RunningCall[] = [];
  let text = '';
  let begun = 0;
  let written = 0;
  let reports = 0;
  for (;;) {
    up = up.filter((call) => call.next < call.recording.messages.length);
    for (let room = written < events ? callsAtOnce - up.length : 0; room > 0; room--) {
      const recording = calls[begun++ % calls.length];
      if (recording !== undefined) up.push({ recording, ids: ids.of(recording), next: 0 });
    }
    if (up.length === 0) break;
    for (const call of up) {
      const message = call.recording.messages[call.next++];
      if (message === undefined) continue;
      text += render(message, call.ids);
      written++;
      if (isReport(message)) reports++;
      if (text.length < CHUNK_CHARACTERS) continue;
      chunks.push(Buffer.from(text));
      text = '';
    }
  }
  chunks.push(Buffer.from(text));
  return { chunks, bytes: chunks.reduce((sum, { length }) => sum + length, 0), events: written, reports };
}
