import type { ChannelRecord } from '../../../src/model/record.ts';
import { type LegDocument, legDocument, type Surroundings } from '../../../src/measurements/format/document.ts';

export const SENDER = { installation: '0b0e7a52-3c1d-4f6b-9a57-0123456789ab', forget: 'f'.repeat(32) };
export const CALL = 'c'.repeat(32);
export const AROUND: Surroundings = {
  release: '0.1.0',
  asteriskVersion: '22.9.0-rc1',
  load: 0.3,
  memory: 0.99,
};

export function legOf(channel: ChannelRecord, around: Surroundings = AROUND): LegDocument {
  return legDocument(channel, {
    sender: SENDER,
    call: CALL,
    around,
    course: [],
    pointsLeftOut: 0,
    isWhole: true,
    nowMs: channel.startedAtMs,
  });
}
