import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StreamSummary } from '../../../src/capture/streams/stream-summary.ts';
import { type Captured, rtp, u16, u8 } from '../wire/packets.ts';
import { analyse, onlyStream, packet, range, senderReport } from './captured.ts';

/** One packet of a made stream, with the time at which its sender sent it. */
interface Made {
  readonly sentMs: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly payloadType?: number;
  readonly payloadBytes?: number;
  readonly delayMs?: number;
  readonly marker?: boolean;
}

function captured(made: readonly Made[]): Captured[] {
  return made.map(({ sentMs, delayMs = 0, ...fields }) => packet(sentMs + delayMs, rtp(fields)));
}

/** Packets at their sender's pace, 20 ms unless told. */
function sent(count: number, clockRateHz: number, options: Partial<Made> & { packetMs?: number } = {}): Made[] {
  const { packetMs = 20, sentMs = 0, sequence = 0, timestamp = 0, ...rest } = options;
  return range(0, count).map((index) => ({
    ...rest,
    sentMs: sentMs + index * packetMs,
    sequence: sequence + index,
    timestamp: timestamp + Math.round((index * packetMs * clockRateHz) / 1000),
  }));
}

/** RFC 3550 A.8 by its own words, of delays in the order of arrival. */
function jitterOf(delaysMs: readonly number[]): { meanMs: number; maxMs: number } {
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

function expectInTime(stream: StreamSummary): void {
  expect(stream).toMatchObject({ packetsLost: 0, discarded: 0 });
  expect(stream.jitterMaxMs).toBeLessThan(0.1);
  expect(stream.frames10ms).toMatchObject({ plc: 0, silence: 0 });
}

const CLOCKS = [8000, 16_000, 24_000, 32_000, 44_100, 48_000, 90_000] as const;

describe('any clock of a dynamic payload type, without SIP', () => {
  const stream = fc.record({
    clockRateHz: fc.constantFrom(...CLOCKS),
    packetMs: fc.constantFrom(10, 20, 30, 40, 60),
    jitterMs: fc.integer({ min: 0, max: 25 }),
    lossPercent: fc.integer({ min: 0, max: 15 }),
    firstSequence: fc.nat(65_535),
    firstTimestamp: fc.nat(0xffff_ffff),
    seed: fc.nat(0x7fff_ffff),
    jumps: fc.array(fc.record({ at: fc.integer({ min: 20, max: 380 }), ticks: fc.integer() }), { maxLength: 3 }),
  });

  test('is told from the packets, with what was lost, doubled, overtaken and delayed', () => {
    fc.assert(
      fc.property(stream, (given) => {
        const { clockRateHz, packetMs, jitterMs, lossPercent, seed } = given;
        const random = randomFrom(seed);
        const isJumpFar = ({ ticks }: { ticks: number }): boolean => Math.abs(ticks | 0) > 3 * clockRateHz;
        const made = range(0, 400).flatMap((index): Made[] => {
          const isEdge = index < 2 || index === 399;
          if (!isEdge && random() * 100 < lossPercent) return [];
          const jumped = given.jumps.reduce(
            (sum, jump) => (isJumpFar(jump) && index >= jump.at ? sum + jump.ticks : sum),
            0,
          );
          const one: Made = {
            sentMs: index * packetMs,
            sequence: given.firstSequence + index,
            timestamp: (given.firstTimestamp + Math.round((index * packetMs * clockRateHz) / 1000) + jumped) >>> 0,
            payloadType: 96 + (seed % 32),
            delayMs: isEdge ? 0 : random() * jitterMs,
          };
          return !isEdge && random() < 0.01 ? [one, { ...one, delayMs: (one.delayMs ?? 0) + 1 }] : [one];
        });
        const arrived = made.toSorted((a, b) => a.sentMs + (a.delayMs ?? 0) - b.sentMs - (b.delayMs ?? 0));
        const distinct = new Set(arrived.map(({ sequence }) => sequence)).size;
        const summary = onlyStream(analyse(captured(arrived)));
        expect(summary).toMatchObject({
          clockRateHz,
          clockRateSource: 'measured',
          packetsExpected: 400,
          packetsReceived: distinct,
          duplicates: arrived.length - distinct,
          discarded: 0,
        });
        const truth = jitterOf(arrived.map(({ delayMs = 0 }) => delayMs));
        // Times are whole microseconds and ticks in the file; around a jump a late packet's RTP time cannot be told.
        const slackMs = 0.2 + given.jumps.length * jitterMs * 0.05;
        expect(Math.abs((summary.jitterMaxMs ?? Number.NaN) - truth.maxMs)).toBeLessThan(slackMs);
        expect(Math.abs((summary.jitterMeanMs ?? Number.NaN) - truth.meanMs)).toBeLessThan(slackMs);
      }),
      { numRuns: 150 },
    );
  });

  test('also where the network holds packets back and lets them go together', () => {
    for (const clockRateHz of CLOCKS) {
      // Four packets come together every 80 ms.
      const made = sent(400, clockRateHz, { payloadType: 111 }).map((one, index) => ({
        ...one,
        delayMs: (3 - (index % 4)) * 20,
      }));
      expect(onlyStream(analyse(captured(made)))).toMatchObject({ clockRateHz, clockRateSource: 'measured' });
    }
  });

  test('is not told by packets that all come at once, nor by a clock that nobody has', () => {
    const atOnce = sent(100, 48_000, { payloadType: 111 }).map((one) => ({
      ...one,
      delayMs: -one.sentMs + one.sequence / 100,
    }));
    const odd = sent(600, 12_000, { payloadType: 111 });
    for (const made of [atOnce, odd]) {
      const stream2 = onlyStream(analyse(captured(made)));
      expect(stream2).toMatchObject({ clockRateSource: 'assumed', jitterMeanMs: null, jitterMaxMs: null, score: null });
      expect(stream2).toMatchObject({ discarded: null, frames10ms: null, fills: null, packetsLost: 0 });
      expect(stream2.clockNote).toMatch(/^The RTP clock of payload type 111 is not known, so there is no jitter/);
      expect(stream2.voipMetrics).toMatchObject({ discardRatio: null, endSystemDelayMs: null, lossRatio: 0 });
    }
    // How long packets last is estimated all the same (RFC 3611 §4.7.2): 600 of 20 ms.
    expect(onlyStream(analyse(captured(odd))).voipMetrics.gapDurationMs).toBeCloseTo(12_000, 0);
  });

  function report(atMs: number, ntpS: number, ticks: number): Captured {
    const bytes = senderReport(0x1122_3344, ntpS);
    bytes.writeUInt32BE(ticks, 16);
    return packet(atMs, bytes);
  }

  test('is not told by sender reports about the payload type before it', () => {
    // Half as fast as its clock says: nobody has a clock of 96 kHz.
    const unclear = sent(200, 48_000, { payloadType: 111, sequence: 200 }).map((one) => ({
      ...one,
      sentMs: 4000 + one.sentMs / 2,
    }));
    const before = [report(1000, 1000, 8000), report(3000, 1002, 24_000)];
    const stream2 = onlyStream(
      analyse([...captured([...sent(200, 8000), ...unclear]), ...before, report(5000, 1004, 40_000)]),
    );
    expect(stream2.segments.map(({ format }) => format.clockRateSource)).toEqual(['static', 'assumed']);
    expect(stream2).toMatchObject({ packetsReceived: 400, packetsLost: 0, jitterMaxMs: null, score: null });
  });

  test('is told by two sender reports where the packets do not tell', () => {
    const made = sent(300, 48_000, { payloadType: 111 }).map((one) => ({ ...one, delayMs: 3000 - one.sentMs / 2 }));
    const without = onlyStream(analyse(captured(made)));
    expect(without).not.toMatchObject({ clockRateHz: 48_000 });
    const told = onlyStream(
      analyse([...captured(made), report(3500, 1000, 5000), report(5990, 1005, 5000 + 5 * 48_000)]),
    );
    expect(told).toMatchObject({ clockRateHz: 48_000, clockRateSource: 'sr' });
  });
});

describe('payload types that change', () => {
  const part = fc.record({
    format: fc.constantFrom(
      { payloadType: 0, clockRateHz: 8000 },
      { payloadType: 8, clockRateHz: 8000 },
      { payloadType: 9, clockRateHz: 8000 },
      { payloadType: 96, clockRateHz: 48_000 },
      { payloadType: 97, clockRateHz: 16_000 },
    ),
    packets: fc.integer({ min: 40, max: 120 }),
    timestamp: fc.nat(0xffff_ffff),
  });

  test('make segments, each with its clock; a perfect stream stays one', () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 2, maxLength: 5 }), (parts) => {
        const changing = parts.filter(({ format }, index) => format !== parts[index - 1]?.format);
        let sequence = 65_500;
        const made = changing.flatMap(({ format, packets, timestamp }) => {
          const own = sent(packets, format.clockRateHz, {
            payloadType: format.payloadType,
            sentMs: (sequence - 65_500) * 20,
            sequence,
            timestamp,
          });
          sequence += packets;
          return own;
        });
        const stream = onlyStream(analyse(captured(made)));
        expectInTime(stream);
        expect(stream.packetsReceived).toBe(made.length);
        expect(
          stream.segments.map(({ payloadType, packetsReceived, format }) => [
            payloadType,
            packetsReceived,
            format.clockRateHz,
          ]),
        ).toEqual(changing.map(({ format, packets }) => [format.payloadType, packets, format.clockRateHz]));
      }),
      { numRuns: 60 },
    );
  });

  test('a packet of the old one that was overtaken does not change it back', () => {
    const made = [
      ...sent(100, 48_000, { payloadType: 96 }),
      ...sent(100, 8000, { payloadType: 0, sentMs: 2000, sequence: 100, timestamp: 7_000_000 }),
    ].map((one) => (one.sequence === 99 ? { ...one, delayMs: 45 } : one));
    const stream = onlyStream(analyse(captured(made)));
    expect(stream).toMatchObject({ packetsReceived: 200, packetsLost: 0, outOfOrder: 1, discarded: 0 });
    expect(stream.segments.map(({ payloadType }) => payloadType)).toEqual([96, 0]);
    // Late by 45 ms, once: there and back.
    expect(stream.jitterMaxMs).toBeGreaterThan(2);
    expect(stream.jitterMaxMs).toBeLessThan(6);
  });

  test('two by turns are one stream with one segment', () => {
    const made = sent(300, 48_000, { payloadType: 111 }).map((one) =>
      one.sequence % 2 === 0 ? one : { ...one, payloadType: 112 },
    );
    const stream = onlyStream(analyse(captured(made)));
    expectInTime(stream);
    expect(stream).toMatchObject({ packetsReceived: 300, clockRateHz: 48_000 });
    expect(stream.segments.map(({ packetsReceived }) => packetsReceived)).toEqual([300]);
  });

  test('losses where it changes are counted', () => {
    const made = [
      ...sent(100, 48_000, { payloadType: 96 }),
      ...sent(100, 8000, { payloadType: 0, sentMs: 2100, sequence: 105, timestamp: 900 }),
    ];
    const stream = onlyStream(analyse(captured(made)));
    expect(stream).toMatchObject({ packetsReceived: 200, packetsExpected: 205, packetsLost: 5, discarded: 0 });
    expect(stream.voipMetrics.burstDurationMs).toBeCloseTo(100, 6);
    expect(stream.jitterMaxMs).toBeLessThan(0.1);
  });
});

describe('a sender whose clock is not its codec’s', () => {
  test('G.722 at 16 kHz', () => {
    const stream = onlyStream(analyse(captured(sent(300, 16_000, { payloadType: 9 }))));
    expectInTime(stream);
    expect(stream).toMatchObject({ codec: 'g722', clockRateHz: 16_000, clockRateSource: 'measured' });
    expect(stream.clockNote).toContain('runs at 16000 Hz, which is not that of g722 (8000 Hz)');
    expect(stream.score?.rLq).toBeCloseTo(88.25, 6);
  });

  test('jitter alone does not make it one', () => {
    const random = randomFrom(7);
    const made = sent(300, 8000).map((one) => ({ ...one, delayMs: random() * 150 }));
    expect(onlyStream(analyse(captured(made)))).toMatchObject({
      clockRateHz: 8000,
      clockRateSource: 'static',
      clockNote: null,
    });
  });
});

test('a codec that SIP names only after its packets began has its name and its score', () => {
  const sip = Buffer.from(
    'SIP/2.0 200 OK\r\nContent-Type: application/sdp\r\n\r\n' +
      'v=0\r\nc=IN IP4 10.0.0.2\r\nm=audio 6004 RTP/AVP 107\r\na=rtpmap:107 opus/48000/2\r\n',
  );
  const made = captured(sent(300, 48_000, { payloadType: 107 }));
  const stream = onlyStream(analyse([...made, packet(4000, sip)]));
  expect(stream).toMatchObject({ codec: 'opus', clockRateHz: 48_000 });
  // Opus: 109 less 16 (README of score).
  expect(stream.score?.rLq).toBeCloseTo(93, 6);
});

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

/** Numbers from 0 to 1, the same for the same seed (Marsaglia's xorshift). */
function randomFrom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
