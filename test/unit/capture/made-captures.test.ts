import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Captured, START_MS, ethernet, ipv4, rtp, udp } from '../wire/packets.ts';
import { fragmentsOf } from '../wire/fragment-packets.ts';
import { tcp } from '../wire/tcp-packets.ts';
import { type IpPacket, LINKS, TUNNELS, four } from '../wire/tunnel-packets.ts';
import { analyse, onlyStream, range } from './captured.ts';

type Wrap = (inner: IpPacket) => IpPacket;

const tunnel = fc.constantFrom(...Object.values(TUNNELS));
const link = fc.constantFrom(...Object.values(LINKS));
const nesting: fc.Arbitrary<Wrap> = fc.oneof(
  fc.constant<Wrap>((inner) => inner),
  tunnel,
  fc.tuple(tunnel, tunnel).map(
    ([one, other]): Wrap =>
      (inner) =>
        other(one(inner)),
  ),
);
/** What becomes of each packet: lost, or captured once or more often. */
const fates = fc.array(fc.constantFrom(0, 1, 1, 1, 1, 2, 3), { minLength: 40, maxLength: 80 });

const opus = (sequence: number): IpPacket =>
  four(ipv4(udp(rtp({ sequence, timestamp: sequence * 960, payloadType: 107, payloadBytes: 300 }))));

function sip(index: number): string {
  const body = `v=0\r\nc=IN IP4 10.0.0.${1 + index}\r\nm=audio ${[5004, 6004][index]} RTP/AVP 107\r\na=rtpmap:107 opus/48000/2\r\n`;
  const head = index === 0 ? 'INVITE sip:b@example.com SIP/2.0' : 'SIP/2.0 200 OK';
  return `${head}\r\nContent-Type: application/sdp\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** The first three arrive, so that what is expected is simple to say. */
function arrivals(copies: readonly number[]): number[] {
  return copies.map((count, index) => (index < 3 || index === copies.length - 1 ? Math.max(1, count) : count));
}

describe('a call whose truth is known', () => {
  test('in any two tunnels over any link layer, some packets lost and some captured again', () => {
    fc.assert(
      fc.property(nesting, link, fates, (wrap, frame, copies) => {
        const sent = arrivals(copies);
        const packets = sent.flatMap((count, sequence) =>
          range(0, count).map((copy) => ({
            atMs: START_MS + sequence * 20 + copy * 0.1,
            bytes: frame(wrap(opus(sequence))),
          })),
        );
        const invite = frame(wrap(four(ipv4(udp(Buffer.from(sip(1)), { sourcePort: 5060, destinationPort: 5060 })))));
        const result = analyse([{ atMs: START_MS - 10, bytes: invite }, ...packets]);
        const received = sent.filter((count) => count > 0).length;
        expect(onlyStream(result)).toMatchObject({
          source: '10.0.0.1:5004',
          codec: 'opus',
          packetsReceived: received,
          packetsExpected: sent.length,
          duplicates: packets.length - received,
        });
        expect(result).toMatchObject({ skippedPackets: 0, sipMessages: 1 });
      }),
    );
  });

  test('in fragments of any size that come in any order, inside a tunnel or around it', () => {
    const parts = fc.integer({ min: 2, max: 20 }).map((eighths) => eighths * 8);
    fc.assert(
      fc.property(nesting, parts, fc.boolean(), fates, fc.nat(1000), (wrap, partBytes, isInside, copies, salt) => {
        const sent = arrivals(copies);
        // The first datagram's fragments show that there are more than first ones.
        const packets = sent.flatMap((count, sequence) =>
          range(0, count).flatMap((copy) => {
            const route = isInside ? {} : { source: '172.16.0.1', destination: '172.16.0.2' };
            const payload = isInside ? opus(sequence) : wrap(opus(sequence));
            // Only IPv4 is cut here; what goes over IPv6 is carried by it.
            const carried = payload.isIpv6 ? { protocol: 41, bytes: payload.bytes } : undefined;
            const fragments = fragmentsOf(carried?.bytes ?? payload.bytes.subarray(20), {
              route: carried === undefined ? routeOf(payload.bytes) : route,
              protocol: carried?.protocol ?? payload.bytes.readUInt8(9),
              id: sequence,
              partBytes,
            });
            const frames = fragments.map((bytes) => (isInside ? wrap(four(bytes)) : four(bytes)));
            return frames.map(({ bytes, isIpv6 }, index) => ({
              atMs: START_MS + sequence * 20 + copy + (((index + 1) * (7919 + salt)) % 101) / 1000,
              bytes: ethernet(bytes, isIpv6 ? 0x86dd : 0x0800),
            }));
          }),
        );
        const result = analyse(packets);
        const received = sent.filter((count) => count > 0).length;
        expect(onlyStream(result)).toMatchObject({
          packetsReceived: received,
          packetsExpected: sent.length,
          duplicates: sent.reduce((sum, count) => sum + count, 0) - received,
          outOfOrder: 0,
        });
        expect(result.skipped.notMedia + result.skipped.cutShort).toBe(0);
      }),
    );
  });

  test('whose SIP comes in TCP segments cut anywhere, in any order, some sent again', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 190 }), { maxLength: 6 });
    fc.assert(
      fc.property(nesting, cuts, fc.nat(1000), (wrap, places, salt) => {
        const segment = (index: number, sequence: number, text: string, flags = 0x10): Buffer =>
          wrap(
            four(
              ipv4(
                tcp({ sequence, text, flags }, { sourcePort: 40_000 + index, destinationPort: 5060 }),
                index === 0 ? {} : { source: '10.0.0.2', destination: '10.0.0.1' },
                6,
              ),
            ),
          ).bytes;
        const isIpv6 = wrap(four(Buffer.alloc(40))).isIpv6;
        const frame = (atMs: number, bytes: Buffer): Captured => ({
          atMs: START_MS + atMs,
          bytes: ethernet(bytes, isIpv6 ? 0x86dd : 0x0800),
        });
        const signalling = range(0, 2).flatMap((index) => {
          const text = sip(index);
          const ends = [...new Set([...places, text.length])].toSorted((a, b) => a - b);
          const pieces = ends.map((end, piece) => ({ start: ends[piece - 1] ?? 0, end }));
          return [
            frame(-500, segment(index, 999, '', 2)),
            ...pieces.flatMap(({ start, end }, piece) => {
              const bytes = segment(index, 1000 + start, text.slice(start, end));
              const atMs = -400 + (((piece + 1) * (7919 + salt)) % 101);
              return piece % 2 === 0 ? [frame(atMs, bytes)] : [frame(atMs, bytes), frame(atMs + 120, bytes)];
            }),
          ];
        });
        const media = range(0, 30).map((sequence) => ({
          atMs: START_MS + sequence * 20,
          bytes: ethernet(opus(sequence).bytes),
        }));
        const result = analyse([...signalling, ...media]);
        expect(onlyStream(result)).toMatchObject({ codec: 'opus', clockRateHz: 48_000, packetsReceived: 30 });
        expect(result.sipMessages).toBe(2);
      }),
    );
  });
});

function routeOf(packet: Buffer): { source: string; destination: string } {
  return { source: packet.subarray(12, 16).join('.'), destination: packet.subarray(16, 20).join('.') };
}
