import { describe, expect, test } from 'vitest';
import { type Captured, rtp, u16, u8 } from '../wire/packets.ts';
import { analyse, onlyStream, packet, range } from './captured.ts';
import { captured, expectInTime, jitterOf, type Made, sent } from './made-streams.ts';

describe('an RTP clock that stands still or jumps', () => {
  test('by 80 ms to an hour, either way, with a marker or without: no jitter', () => {
    for (const jumpMs of [80, -100, 500, -3000, 60_000, -3_600_000]) {
      for (const marker of [false, true]) {
        const made = sent(300, 8000).map((one) =>
          one.sequence < 150
            ? one
            : { ...one, timestamp: one.timestamp + jumpMs * 8, marker: marker && one.sequence === 150 },
        );
        const stream = onlyStream(analyse(captured(made)));
        expectInTime(stream);
        expect(stream.packetsReceived).toBe(300);
      }
    }
  });

  test('during a hold: the pause is silence, and no jitter', () => {
    const made = [...sent(100, 8000), ...sent(100, 8000, { sentMs: 32_000, sequence: 100, timestamp: 16_000 })];
    const stream = onlyStream(analyse(captured(made)));
    expect(stream).toMatchObject({ packetsReceived: 200, packetsLost: 0, discarded: 0 });
    expect(stream.jitterMaxMs).toBeLessThan(0.1);
    // Packet 99 lasts until 2000 ms; the next one comes at 32,000.
    expect(stream.frames10ms).toEqual({ normal: 400, plc: 0, cng: 0, silence: 3000 });
    // One gap of the whole time, pause included (RFC 3611 §4.7.2).
    expect(stream.voipMetrics.gapDurationMs).toBeCloseTo(34_000, 6);
  });

  test('a pause of the sender counts as time, whatever its RTP clock does', () => {
    const made = [...sent(100, 8000), ...sent(100, 8000, { sentMs: 12_000, sequence: 100, timestamp: 96_000 })];
    const stream = onlyStream(analyse(captured(made)));
    expect(stream.voipMetrics.gapDurationMs).toBeCloseTo(14_000, 6);
    expect(stream.frames10ms).toEqual({ normal: 400, plc: 0, cng: 0, silence: 1000 });
  });

  test('a delay of the network is jitter still', () => {
    // 300 ms late, then what was sent meanwhile comes together.
    const made = sent(200, 8000).map((one, index) => {
      const heldMs = index >= 100 && index < 115 ? 2300 - one.sentMs : 0;
      return { ...one, delayMs: heldMs };
    });
    const stream = onlyStream(analyse(captured(made)));
    const truth = jitterOf(made.map(({ delayMs }) => delayMs));
    expect(stream.jitterMaxMs).toBeCloseTo(truth.maxMs, 2);
    expect(stream.jitterMeanMs).toBeCloseTo(truth.meanMs, 2);
    expect(truth.maxMs).toBeGreaterThan(18);
    expect(stream.discarded).toBeGreaterThan(5);
  });
});

describe('sessions of one SSRC between the same ports', () => {
  const call = (first: number, timestamp: number, sentMs: number): Made[] =>
    sent(150, 8000, { sequence: first, timestamp, sentMs });

  test.each([
    ['a sequence far on', 30_000],
    ['one 2000 on', 2150],
    ['one that is behind', 65_500],
    ['the same numbers again', 0],
  ])('%s', (_, first) => {
    for (const pauseMs of [4000, 60_000]) {
      const { streams } = analyse(captured([...call(0, 0, 0), ...call(first, 0x1234_5678, 3000 + pauseMs)]));
      expect(
        streams.map(({ packetsReceived, packetsLost, duplicates }) => [packetsReceived, packetsLost, duplicates]),
      ).toEqual([
        [150, 0, 0],
        [150, 0, 0],
      ]);
    }
  });

  test('a recording that is played again, RTP times and all', () => {
    const { streams } = analyse(captured([...call(100, 5000, 0), ...call(100, 5000, 20_000)]));
    expect(streams.map(({ packetsReceived, packetsLost }) => [packetsReceived, packetsLost])).toEqual([
      [150, 0],
      [150, 0],
    ]);
  });

  test('an outage is none: the RTP clock went on', () => {
    const stream = onlyStream(analyse(captured([...call(0, 0, 0), ...call(650, 650 * 160, 13_000)])));
    expect(stream).toMatchObject({ packetsReceived: 300, packetsLost: 500 });
    expect(stream.voipMetrics.burstDurationMs).toBeCloseTo(10_000, 6);
  });
});

describe('small packets beside the audio, without SIP', () => {
  /** Five digits of 12 packets each, every tenth packet of audio replaced; each event keeps one RTP time. */
  function withDigits(payloadType: number, bytes: number): Made[] {
    return sent(300, 8000).map((one) => {
      const digit = Math.floor(one.sequence / 50);
      const place = one.sequence % 50;
      if (place < 20 || place >= 32) return one;
      return { ...one, payloadType, payloadBytes: bytes, timestamp: (digit * 50 + 20) * 160, marker: place === 20 };
    });
  }

  /** With header extension (RFC 8285 one-byte form), padding, or both. */
  function dressed(made: readonly Made[], extensionWords: number, paddingBytes: number): Captured[] {
    return made.map(({ sentMs, ...fields }) => {
      const plain = rtp(fields);
      const extension =
        extensionWords === 0
          ? Buffer.alloc(0)
          : Buffer.concat([u16(0xbede), u16(extensionWords), Buffer.alloc(extensionWords * 4, 0x10)]);
      const padding = Buffer.alloc(paddingBytes);
      if (paddingBytes > 0) padding[paddingBytes - 1] = paddingBytes;
      const first = u8(0x80 + (extensionWords > 0 ? 0x10 : 0) + (paddingBytes > 0 ? 0x20 : 0));
      return packet(sentMs, Buffer.concat([first, plain.subarray(1, 12), extension, plain.subarray(12), padding]));
    });
  }

  test.each([
    [0, 0],
    [1, 0],
    [3, 0],
    [0, 4],
    [2, 12],
  ])('digits with an extension of %i words and %i bytes of padding', (words, paddingBytes) => {
    for (const bytes of [4, 8, 14, 20]) {
      const stream = onlyStream(analyse(dressed(withDigits(101, bytes), words, paddingBytes)));
      expectInTime(stream);
      expect(stream).toMatchObject({ packetsReceived: 300, codec: 'ulaw' });
      expect(stream.segments.length).toBe(1);
      expect(stream.score?.rLq).toBeCloseTo(93.25, 6);
    }
  });

  test('digits of a size that events do not have show by their RTP time', () => {
    const stream = onlyStream(analyse(dressed(withDigits(126, 24), 0, 0)));
    expectInTime(stream);
    expect(stream.segments.length).toBe(1);
  });

  test.each([
    [13, 8000, 1],
    [13, 16_000, 5],
    [105, 16_000, 1],
    [106, 48_000, 11],
  ])('comfort noise of type %i in a stream at %i Hz, %i bytes', (payloadType, clockRateHz, payloadBytes) => {
    const audioType = clockRateHz === 8000 ? 0 : 96;
    const ticks = clockRateHz / 50;
    const made = [
      ...sent(100, clockRateHz, { payloadType: audioType }),
      { sentMs: 2000, sequence: 100, timestamp: 100 * ticks, payloadType, payloadBytes },
      { sentMs: 2200, sequence: 101, timestamp: 110 * ticks, payloadType, payloadBytes },
      ...sent(100, clockRateHz, { payloadType: audioType, sentMs: 2400, sequence: 102, timestamp: 120 * ticks }),
    ];
    const stream = onlyStream(analyse(captured(made)));
    expectInTime(stream);
    expect(stream).toMatchObject({ packetsReceived: 202, clockRateHz });
    expect(stream.frames10ms).toEqual({ normal: 400, plc: 0, cng: 40, silence: 0 });
    expect(stream.segments.length).toBe(1);
  });

  test('a stray packet of another type changes nothing', () => {
    const made = sent(300, 8000).map((one) =>
      one.sequence === 150 ? { ...one, payloadType: 122, payloadBytes: 90 } : one,
    );
    const stream = onlyStream(analyse(captured(made)));
    expect(stream).toMatchObject({ packetsReceived: 300, packetsLost: 0, discarded: 0, codec: 'ulaw' });
    expect(stream.jitterMaxMs).toBeLessThan(0.1);
    expect(stream.score?.rLq).toBeCloseTo(93.25, 6);
  });
});

describe('losses that never let two packets stand next to each other', () => {
  test.each([2, 3])('one of every %i packets arrives: lengths are estimated', (every) => {
    for (const [payloadType, clockRateHz] of [
      [0, 8000],
      [111, 48_000],
    ] as const) {
      const made = sent(300, clockRateHz, { payloadType }).filter(({ sequence }) => sequence % every === 0);
      const stream = onlyStream(analyse(captured(made)));
      const last = made.at(-1)?.sequence ?? 0;
      expect(stream).toMatchObject({ packetsReceived: made.length, packetsExpected: last + 1, clockRateHz });
      // From packet 1 to the one before the last received: all of it is one burst.
      expect(stream.voipMetrics.burstDurationMs).toBeCloseTo((last - 1) * 20, 6);
      // The first packet, and the last one, 20 ms each.
      expect(stream.voipMetrics.gapDurationMs).toBeCloseTo(20, 6);
      expect(stream.jitterMaxMs).toBeLessThan(0.1);
    }
  });
});

test('24 % lost in one burst: R stays within its range', () => {
  const made = sent(3000, 8000, { payloadType: 8 }).filter(({ sequence }) => sequence < 1000 || sequence >= 1720);
  const stream = onlyStream(analyse(captured(made)));
  expect(stream).toMatchObject({ packetsLost: 720, packetsReceived: 2280 });
  expect(stream.voipMetrics.burstDurationMs).toBeCloseTo(14_400, 6);
  expect(stream.score?.mosLq).toBe(1);
});

test('H.264 at 90 kHz: three packets a frame with one RTP time', () => {
  const made = range(0, 900).map((index): Made => {
    const frame = Math.floor(index / 3);
    return {
      sentMs: (frame * 1000) / 30 + (index % 3) * 0.5,
      sequence: index,
      timestamp: frame * 3000,
      payloadType: 97,
      payloadBytes: 900,
      marker: index % 3 === 2,
    };
  });
  const stream = onlyStream(analyse(captured(made)));
  expect(stream).toMatchObject({ clockRateHz: 90_000, clockRateSource: 'measured', packetsLost: 0, score: null });
  // Differences in transit: 0.5, 0.5, then back by 1 ms. tshark leaves marker packets out and has a mean of 0.632.
  const delays = range(0, 900).map((index) => (index % 3) * 0.5);
  expect(stream.jitterMeanMs).toBeCloseTo(jitterOf(delays).meanMs, 2);
  expect(stream.jitterMaxMs).toBeCloseTo(jitterOf(delays).maxMs, 2);
});
