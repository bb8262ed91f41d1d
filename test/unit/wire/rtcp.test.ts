import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readRtcp } from '../../../src/wire/rtcp/rtcp.ts';
import {
  isWholeRtpHeader,
  mediaKind,
  rtpMarker,
  rtpPayloadType,
  rtpSequence,
  rtpSsrc,
  rtpTimestamp,
} from '../../../src/wire/rtp.ts';
import { rtp } from './packets.ts';

function bytesOf(hexWithSpaces: string): Buffer {
  return Buffer.from(hexWithSpaces.replaceAll(/\s/g, ''), 'hex');
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function read(bytes: Uint8Array): ReturnType<typeof readRtcp> {
  return readRtcp(viewOf(bytes), 0, bytes.length);
}

const SENDER_REPORT = bytesOf(
  '81 c8 000c' + // version 2, one report block; SR; 12 words follow
    '3c2c6734' + // SSRC of the sender
    'e5a0c0de 40000000' + // NTP time: a quarter of a second past
    '0001f400' + // RTP time 128000
    '000001f4' + // 500 packets
    '00013880' + // 80000 octets
    '11223344' + // a block about this source
    '40 fffffe' + // a quarter lost; -2 lost in all: two duplicates
    '0001 0005' + // one cycle, sequence 5
    '000000a0' + // jitter 160 ticks: 20 ms
    'c0de4000' + // LSR
    '00018000', // 1.5 s since then
);
const SOURCE_DESCRIPTION = bytesOf('81 ca 0003 3c2c6734 01 03 614062 000000');
const RECEIVER_REPORT = bytesOf('81 c9 0007 00000009 11223344 00 7fffff 00000000 00000000 00000000 00000000');
const GOODBYE = bytesOf('82 cb 0002 3c2c6734 00000009');
const EXTENDED = bytesOf('80 cf 0004 00000009 04 00 0002 e5a0c0de 00000000');

describe('a padded extended report', () => {
  const padded = (padding: string): Buffer =>
    bytesOf(
      `a0 cf ${(3 + 1 + padding.length / 8).toString(16).padStart(4, '0')} 00000009 04 00 0002 e5a0c0de 00000000 ${padding}`,
    );

  test('is read without its padding, and what comes before it, too', () => {
    for (const padding of ['00000004', '0000000000000008']) {
      expect(read(Buffer.concat([RECEIVER_REPORT, SOURCE_DESCRIPTION, padded(padding)]))).toMatchObject({
        reports: [{ reporterSsrc: 9 }],
        extended: [{ reporterSsrc: 9, blocks: [{ kind: 'reference-time', ntpSeconds: 0xe5a0_c0de }] }],
      });
    }
  });

  test('with more padding than bytes, or none, is malformed', () => {
    for (const padding of ['00000000', '00000003', '000000fc']) {
      expect(read(padded(padding))).toBe('malformed');
    }
  });
});

describe('a compound packet', () => {
  test('is read field by field', () => {
    const compound = read(Buffer.concat([SENDER_REPORT, SOURCE_DESCRIPTION, GOODBYE, EXTENDED]));
    expect(compound).toEqual({
      senders: [
        {
          ssrc: 0x3c2c_6734,
          ntpS: 0xe5a0_c0de + 0.25,
          ntp32: 0xc0de_4000,
          rtpTicks: 128_000,
          sentPackets: 500,
          sentOctets: 80_000,
        },
      ],
      reports: [
        {
          reporterSsrc: 0x3c2c_6734,
          block: {
            sourceSsrc: 0x1122_3344,
            fractionLostQ8: 64,
            cumulativeLostPackets: -2,
            extendedHighestSequence: 65_541,
            jitterTicks: 160,
            lsrNtp32: 0xc0de_4000,
            dlsrS: 1.5,
          },
        },
      ],
      goodbyes: [0x3c2c_6734, 9],
      extended: [{ reporterSsrc: 9, blocks: [{ kind: 'reference-time', ntpSeconds: 0xe5a0_c0de, ntpFraction: 0 }] }],
    });
  });

  // A model of ours had this guard wrong in the code and in its test: the sign is bit 23.
  test.each([
    ['000000', 0],
    ['000001', 1],
    ['7fffff', 8_388_607],
    ['800000', -8_388_608],
    ['ffffff', -1],
  ])('cumulative lost %s is %i', (hex, lost) => {
    const bytes = Buffer.from(RECEIVER_REPORT);
    bytes.set(Buffer.from(hex, 'hex'), 13);
    expect(read(bytes)).toMatchObject({ reports: [{ block: { cumulativeLostPackets: lost } }] });
  });

  // And another counted a cycle as 65356.
  test('the extended highest sequence number is cycles × 65536 + sequence', () => {
    const bytes = Buffer.from(RECEIVER_REPORT);
    bytes.writeUInt32BE(0x0002_0003, 16);
    expect(read(bytes)).toMatchObject({ reports: [{ block: { extendedHighestSequence: 131_075 } }] });
  });

  test('a report about nothing', () => {
    expect(read(bytesOf('80 c9 0001 00000009'))).toEqual({ senders: [], reports: [], extended: [], goodbyes: [] });
  });

  test('cut short anywhere, or with bytes left over, it is malformed', () => {
    for (let length = 1; length < SENDER_REPORT.length; length += 1) {
      expect(read(SENDER_REPORT.subarray(0, length)), `${length} bytes`).toBe('malformed');
    }
    expect(read(Buffer.concat([SENDER_REPORT, Buffer.alloc(3)]))).toBe('malformed');
    const tooManyBlocks = Buffer.from(SENDER_REPORT);
    tooManyBlocks.writeUInt8(0x82, 0);
    expect(read(tooManyBlocks)).toBe('malformed');
    expect(read(Buffer.concat([EXTENDED.subarray(0, 8), Buffer.from('04000009e5a0c0de', 'hex')]))).toBe('malformed');
  });
});

describe('SRTCP', () => {
  /** What is left readable: the first header. The rest is noise, then the index with its E bit, then the tag. */
  function encrypted(plain: Buffer, tagBytes: number): Buffer {
    const noise = plain.map((byte, index) => (index < 8 ? byte : (byte ^ (index * 73 + 151)) & 0xff));
    const tag = Buffer.alloc(tagBytes, 0x9c);
    return Buffer.concat([noise, Buffer.from('80000007', 'hex'), tag]);
  }

  test.each([10, 4, 0])('is recognised with a tag of %i bytes', (tagBytes) => {
    const compound = Buffer.concat([SENDER_REPORT, SOURCE_DESCRIPTION]);
    expect(read(encrypted(compound, tagBytes))).toBe('encrypted');
    expect(read(encrypted(SENDER_REPORT, tagBytes))).toBe('encrypted');
  });

  test('garbage is not', () => {
    expect(read(Buffer.concat([SENDER_REPORT, Buffer.alloc(14, 0x11)]))).toBe('malformed');
  });
});

test('any bytes are read or refused, never thrown at', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.integer({ min: 192, max: 223 }), (bytes, type) => {
      const packet = Buffer.concat([Buffer.from([0x80 + ((bytes[0] ?? 0) & 0x1f), type]), bytes]);
      const reading = read(packet);
      expect(typeof reading === 'string' ? ['encrypted', 'malformed'] : [reading]).toContain(reading);
    }),
    { numRuns: 3000 },
  );
});

describe('RTP', () => {
  test('header fields', () => {
    const packet = viewOf(
      rtp({ sequence: 65_535, timestamp: 0xffff_ff00, ssrc: 0xdead_beef, payloadType: 111, marker: true }),
    );
    expect(mediaKind(packet, 0, packet.byteLength)).toBe('rtp');
    expect(rtpSequence(packet, 0)).toBe(65_535);
    expect(rtpTimestamp(packet, 0)).toBe(-256);
    expect(rtpSsrc(packet, 0) >>> 0).toBe(0xdead_beef);
    expect(rtpPayloadType(packet, 0)).toBe(111);
    expect(rtpMarker(packet, 0)).toBe(true);
    expect(rtpMarker(viewOf(rtp({ sequence: 1, timestamp: 1, payloadType: 127 })), 0)).toBe(false);
  });

  test('is told from RTCP and from all else (RFC 5761, RFC 7983)', () => {
    const kind = (hex: string): string => mediaKind(viewOf(bytesOf(hex.padEnd(24, '0'))), 0, 12);
    expect(kind('8000')).toBe('rtp');
    expect(kind('80ff')).toBe('rtp');
    expect(kind('80e0')).toBe('rtp');
    expect(['80c0', '80c8', '80c9', '80cf', '80df'].map(kind)).toEqual(['rtcp', 'rtcp', 'rtcp', 'rtcp', 'rtcp']);
    // STUN, DTLS, TURN, a version that never was, SIP.
    expect(['0001', '16fe', '4000', 'c000', '494e'].map(kind)).toEqual(['other', 'other', 'other', 'other', 'other']);
    expect(mediaKind(viewOf(bytesOf('80c9')), 0, 2)).toBe('other');
    expect(mediaKind(viewOf(bytesOf('8000000000000000000000')), 0, 11)).toBe('other');
  });

  test('a list of contributing sources must fit', () => {
    const packet = viewOf(bytesOf('83000000000000000000000000000000'));
    expect(isWholeRtpHeader(packet, 0, 24)).toBe(true);
    expect(isWholeRtpHeader(packet, 0, 23)).toBe(false);
  });
});
