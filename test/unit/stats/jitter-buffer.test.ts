import { describe, expect, test } from 'vitest';
import { type BufferOutcome, JitterBuffer } from '../../../src/stats/packets/jitter-buffer.ts';
import { PlayoutFrames } from '../../../src/stats/packets/playout-frames.ts';

/** Sends packets of 20 ms with these delays through a buffer. */
function send(buffer: JitterBuffer, delaysMs: readonly number[], talkspurts: readonly number[] = []): BufferOutcome[] {
  return delaysMs.map((delayMs, index) => buffer.arrive(1000 + delayMs, 20, talkspurts.includes(index)));
}

describe('a fixed buffer', () => {
  test('plays what waits no longer than there is room, and no less than nothing', () => {
    const buffer = new JitterBuffer({ kind: 'fixed', nominalMs: 60 });
    // After the first packet (delay 100) the playout point is at 160; room for twice 60.
    const outcomes = send(buffer, [100, 160, 160.01, 100, 40, 39.99, 100]);
    expect(outcomes).toEqual(['played', 'played', 'late', 'played', 'played', 'early', 'played']);
    expect(buffer).toMatchObject({ discarded: 2, discardedLate: 1, discardedEarly: 1, nominalMs: 60, maximumMs: 120 });
  });

  test('a talkspurt sets the playout point anew', () => {
    const buffer = new JitterBuffer({ kind: 'fixed', nominalMs: 60 });
    expect(send(buffer, [0, 70, 70, 130], [2])).toEqual(['played', 'late', 'played', 'played']);
  });

  test('starts afresh when ten packets in a row were of no use', () => {
    const buffer = new JitterBuffer({ kind: 'fixed', nominalMs: 60 });
    const outcomes = send(buffer, [0, ...Array.from({ length: 20 }, () => 500)]);
    expect(outcomes.filter((outcome) => outcome === 'late').length).toBe(10);
    expect(outcomes.slice(11)).toEqual(Array.from({ length: 10 }, () => 'played'));
  });
});

describe('an adaptive buffer', () => {
  const jittery = Array.from({ length: 5000 }, (_, index) => ((index * 7919) % 101) / 1.0);

  test('discards less under jitter than a fixed one of its first size', () => {
    const fixed = new JitterBuffer({ kind: 'fixed', nominalMs: 60 });
    const adaptive = new JitterBuffer({ kind: 'adaptive' });
    send(fixed, jittery);
    send(adaptive, jittery);
    // Uniform from 0 to 100 ms: two fifths arrive later than 60 ms after the first, which had no delay at all.
    expect(fixed.discarded).toBeGreaterThan(1500);
    expect(adaptive.discarded).toBeLessThan(100);
    // The mean deviation of a uniform distribution is a quarter of its width: 4 × 25 ms.
    expect(adaptive.nominalMs).toBeGreaterThan(85);
    expect(adaptive.nominalMs).toBeLessThan(115);
    expect(adaptive.insertedFrames).toBeGreaterThan(2);
  });

  test('waits less where there is no jitter, one frame at a time', () => {
    const buffer = new JitterBuffer({ kind: 'adaptive' });
    send(
      buffer,
      Array.from({ length: 3000 }, () => 40),
    );
    expect(buffer.discarded).toBe(0);
    expect(buffer.nominalMs).toBeGreaterThanOrEqual(20);
    expect(buffer.nominalMs).toBeLessThan(31);
    // From 60 ms to the least of 20, and it may stop a frame short of that.
    expect([3, 4]).toContain(buffer.droppedFrames);
    expect(buffer.insertedFrames).toBe(0);
  });

  test('never holds a packet longer than 200 ms', () => {
    const buffer = new JitterBuffer({ kind: 'adaptive' });
    send(
      buffer,
      Array.from({ length: 5000 }, (_, index) => ((index * 7919) % 101) * 20),
    );
    expect(buffer.nominalMs).toBeLessThan(211);
    expect(buffer.absoluteMaximumMs).toBe(200);
  });
});

describe('frames of 10 ms', () => {
  const PACKET_MS = 20;
  const counts = (play: (frames: PlayoutFrames) => void): object => {
    const frames = new PlayoutFrames();
    play(frames);
    return { ...frames.counts(0, 0), fills: frames.fills };
  };
  const audio = (frames: PlayoutFrames, from: number, to: number): void => {
    for (let index = from; index < to; index += 1) frames.played(index * PACKET_MS, PACKET_MS, 'audio');
  };
  const missing = (frames: PlayoutFrames, packets: number): void => {
    for (let index = 0; index < packets; index += 1) frames.missing();
  };

  test('every packet played', () => {
    expect(counts((frames) => audio(frames, 0, 50))).toEqual({ normal: 100, plc: 0, cng: 0, silence: 0, fills: 0 });
  });

  test('losses are concealed for 60 ms, and silent from then on', () => {
    const result = counts((frames) => {
      audio(frames, 0, 10);
      missing(frames, 2);
      audio(frames, 12, 20);
      missing(frames, 5);
      audio(frames, 25, 30);
    });
    // 23 packets of two frames; 40 ms concealed, then 60 of 100 ms.
    expect(result).toEqual({ normal: 46, plc: 10, cng: 0, silence: 4, fills: 2 });
  });

  test('after a comfort noise packet there is comfort noise', () => {
    const result = counts((frames) => {
      audio(frames, 0, 10);
      frames.played(10 * PACKET_MS, PACKET_MS, 'comfort-noise');
      audio(frames, 60, 70);
    });
    expect(result).toEqual({ normal: 40, plc: 0, cng: 100, silence: 0, fills: 0 });
  });

  test('a sender that pauses without one leaves silence', () => {
    const result = counts((frames) => {
      audio(frames, 0, 10);
      audio(frames, 60, 70);
    });
    expect(result).toEqual({ normal: 40, plc: 0, cng: 0, silence: 100, fills: 1 });
  });

  test('media that goes on far away, or before where it was, is no pause', () => {
    const result = counts((frames) => {
      audio(frames, 0, 10);
      audio(frames, 100_000, 100_010);
      audio(frames, 0, 10);
    });
    expect(result).toEqual({ normal: 60, plc: 0, cng: 0, silence: 0, fills: 0 });
  });

  test('losses before the first packet played are nobody’s', () => {
    const result = counts((frames) => {
      missing(frames, 3);
      audio(frames, 3, 5);
    });
    expect(result).toEqual({ normal: 4, plc: 0, cng: 0, silence: 0, fills: 0 });
  });

  test('frames that the buffer inserted were concealed, and those that it left out were not played', () => {
    const frames = new PlayoutFrames();
    audio(frames, 0, 100);
    expect(frames.counts(2, 1)).toEqual({ normal: 199, plc: 2, cng: 0, silence: 0 });
  });
});
