import { expect } from 'vitest';
import type { StreamSummary } from '../../../src/capture/streams/stream-summary.ts';
import { type Captured, rtp } from '../wire/packets.ts';
import { packet, range } from './captured.ts';

/** One packet of a made stream, with the time at which its sender sent it. */
export interface Made {
  readonly sentMs: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly payloadType?: number;
  readonly payloadBytes?: number;
  readonly delayMs?: number;
  readonly marker?: boolean;
}

export function captured(made: readonly Made[]): Captured[] {
  return made.map(({ sentMs, delayMs = 0, ...fields }) => packet(sentMs + delayMs, rtp(fields)));
}

/** Packets at their sender's pace, 20 ms unless told. */
export function sent(count: number, clockRateHz: number, options: Partial<Made> & { packetMs?: number } = {}): Made[] {
  const { packetMs = 20, sentMs = 0, sequence = 0, timestamp = 0, ...rest } = options;
  return range(0, count).map((index) => ({
    ...rest,
    sentMs: sentMs + index * packetMs,
    sequence: sequence + index,
    timestamp: timestamp + Math.round((index * packetMs * clockRateHz) / 1000),
  }));
}

/** RFC 3550 A.8 by its own words, of delays in the order of arrival. */
export function jitterOf(delaysMs: readonly number[]): { meanMs: number; maxMs: number } {
  let jitterMs = 0;
  let sumMs = 0;
  let maxMs = 0;
  for (const [index, delayMs] of delaysMs.entries()) {
    if (index === 0) continue;
    jitterMs += (Math.abs(delayMs - (delaysMs[index - 1] ?? 0)) - jitterMs) / 16;
    sumMs += jitterMs;
    maxMs = Math.max(maxMs, jitterMs);
  }
  return { meanMs: sumMs / Math.max(1, delaysMs.length - 1), maxMs };
}

export function expectInTime(stream: StreamSummary): void {
  expect(stream).toMatchObject({ packetsLost: 0, discarded: 0 });
  expect(stream.jitterMaxMs).toBeLessThan(0.1);
  expect(stream.frames10ms).toMatchObject({ plc: 0, silence: 0 });
}

export const CLOCKS = [8000, 16_000, 24_000, 32_000, 44_100, 48_000, 90_000] as const;

/** Numbers from 0 to 1, the same for the same seed (Marsaglia's xorshift). */
export function randomFrom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
