import { describe, expect, test } from 'vitest';
import { u16, u32, u8 } from '../wire/packets.ts';
import { BACK, analyse, call, onlyStream, packet, range, senderReport } from './captured.ts';

describe('SRTP', () => {
  test('its headers are clear; its RTCP is recognised and left alone', () => {
    const srtcp = Buffer.concat([
      senderReport(0x1122_3344, 1000).map((byte, index) => (index < 8 ? byte : (byte * 31 + index * 97) & 0xff)),
      u32(0x8000_0002),
      Buffer.alloc(10, 0x77),
    ]);
    const result = analyse([
      // Ten bytes of authentication after the payload.
      ...call(
        range(0, 100).filter((sequence) => sequence !== 30),
        {},
        { payloadBytes: 170 },
      ),
      packet(500, srtcp, { sourcePort: 5005, destinationPort: 6005 }),
    ]);
    expect(onlyStream(result)).toMatchObject({ packetsReceived: 99, packetsLost: 1, senderReports: 0 });
    expect(result.skipped.rtcpEncrypted).toBe(1);
  });
});

describe('RTCP', () => {
  test('both halves of the way make the round trip, wherever the capture was taken', () => {
    // A is 10 ms away from here, B 40 ms: from A to B and back it takes 100 ms.
    const there = { source: '10.0.0.1', destination: '10.0.0.2', sourcePort: 5005, destinationPort: 6005 };
    const back = { source: '10.0.0.2', destination: '10.0.0.1', sourcePort: 6005, destinationPort: 5005 };
    const lsrA = ((1000 & 0xffff) << 16) >>> 0;
    const lsrB = ((2000 & 0xffff) << 16) >>> 0;
    const result = analyse([
      ...call(range(0, 400), {}, { ssrc: 0xa }),
      ...call(range(0, 400), BACK, { ssrc: 0xb }),
      // A's SR passes here at 1000; B has it at 1040, answers 500 ms later, and that passes here at 1580.
      packet(1000, senderReport(0xa, 1000), there),
      packet(1580, senderReport(0xb, 2000, { source: 0xa, lsr: lsrA, dlsrS: 0.5 }), back),
      // A has it at 1590, answers 300 ms later, and that passes here at 1900.
      packet(1900, senderReport(0xa, 1001, { source: 0xb, lsr: lsrB, dlsrS: 0.3 }), there),
    ]);
    for (const stream of result.streams) {
      expect(stream.voipMetrics.roundTripDelayMs).toBeGreaterThan(99.9);
      expect(stream.voipMetrics.roundTripDelayMs).toBeLessThan(100.1);
    }
    expect(result.streams).toMatchObject([
      { ssrc: 0xa, senderReports: 2, receiverReports: 1 },
      { ssrc: 0xb, senderReports: 1, receiverReports: 1 },
    ]);
    expect(result.rtcp).toEqual({ packets: 3, duplicates: 0, unmatchedReports: 0, otherXrBlocks: [] });
  });

  test('on the port of the RTP itself, and of a stream that is not there', () => {
    const result = analyse([
      ...call(range(0, 50), {}, { ssrc: 0xa }),
      packet(500, senderReport(0xa, 1000)),
      packet(500, senderReport(0x77, 1000)),
    ]);
    expect(onlyStream(result).senderReports).toBe(1);
    expect(result.rtcp).toMatchObject({ packets: 2, unmatchedReports: 1 });
  });

  test('extended reports are decoded, unknown ones reported', () => {
    const reference = '040000020000000100000002';
    const rle = '010000030000000a0000001040100000';
    const blocks = Buffer.from(`${rle}${reference}630000010a0b0c0d`, 'hex');
    const report = Buffer.concat([u8(0x80, 207), u16(1 + blocks.length / 4), u32(0xb), blocks]);
    const result = analyse([...call(range(0, 50), {}, { ssrc: 0xa }), packet(500, report, BACK)]);
    expect(onlyStream(result).xrBlocks).toMatchObject([{ kind: 'loss-rle', ssrc: 0xa, endSequence: 16 }]);
    expect(result.rtcp.otherXrBlocks).toMatchObject([
      { kind: 'reference-time', ntpSeconds: 1, ntpFraction: 2 },
      { kind: 'unknown', blockType: 0x63 },
    ]);
  });
});
