import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Captured } from '../wire/packets.ts';
import { analyse, onlyStream, packet, range, senderReport } from './captured.ts';
import { captured, CLOCKS, expectInTime, jitterOf, type Made, randomFrom, sent } from './made-streams.ts';

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
