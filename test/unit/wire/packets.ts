/** Builds captured packets byte by byte, for tests: independent of what reads them. */

export function u8(...values: number[]): Buffer {
  return Buffer.from(values);
}

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

export interface RtpFields {
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc?: number;
  readonly payloadType?: number;
  readonly marker?: boolean;
  readonly payloadBytes?: number;
}

export function rtp(fields: RtpFields): Buffer {
  const { ssrc = 0x1122_3344, payloadType = 0, marker = false, payloadBytes = 160 } = fields;
  return Buffer.concat([
    u8(0x80, (marker ? 0x80 : 0) + payloadType),
    u16(fields.sequence & 0xffff),
    u32(fields.timestamp),
    u32(ssrc),
    Buffer.alloc(payloadBytes, 0xd5),
  ]);
}

export interface Route {
  readonly source?: string;
  readonly destination?: string;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
}

const UDP_PROTOCOL = 17;

export function udp(payload: Buffer, { sourcePort = 5004, destinationPort = 6004 }: Route = {}): Buffer {
  return Buffer.concat([u16(sourcePort), u16(destinationPort), u16(8 + payload.length), u16(0), payload]);
}

function ipv4Address(text: string): Buffer {
  return Buffer.from(text.split('.').map(Number));
}

/** `fragment`: the two bytes of flags and offset. */
export function ipv4(payload: Buffer, route: Route = {}, protocol = UDP_PROTOCOL, fragment = 0): Buffer {
  return Buffer.concat([
    u8(0x45, 0),
    u16(20 + payload.length),
    u16(1),
    u16(fragment),
    u8(64, protocol),
    u16(0),
    ipv4Address(route.source ?? '10.0.0.1'),
    ipv4Address(route.destination ?? '10.0.0.2'),
    payload,
  ]);
}

/** From 2001:db8::1 to 2001:db8::2. `nextHeader` and `payload` may begin with extension headers. */
export function ipv6(payload: Buffer, nextHeader = UDP_PROTOCOL): Buffer {
  const address = (last: number): Buffer =>
    Buffer.from([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
  return Buffer.concat([u32(0x6000_0000), u16(payload.length), u8(nextHeader, 64), address(1), address(2), payload]);
}

export function ethernet(payload: Buffer, ethertype = 0x0800): Buffer {
  return Buffer.concat([Buffer.alloc(12, 2), u16(ethertype), payload]);
}

export interface Captured {
  readonly atMs: number;
  readonly bytes: Buffer;
  /** When more was on the wire than was captured. */
  readonly wireBytes?: number;
}

/** A classic pcap file. */
export function pcap(
  packets: readonly Captured[],
  { linkType = 1, littleEndian = true, nanoseconds = false } = {},
): Buffer {
  const word = (value: number): Buffer => {
    const bytes = u32(value);
    return littleEndian ? bytes.swap32() : bytes;
  };
  const header = [word(nanoseconds ? 0xa1b2_3c4d : 0xa1b2_c3d4), word(littleEndian ? 0x0004_0002 : 0x0002_0004)];
  const perMs = nanoseconds ? 1_000_000 : 1000;
  const records = packets.flatMap(({ atMs, bytes, wireBytes }) => [
    word(Math.floor(atMs / 1000)),
    word(Math.round((atMs % 1000) * perMs)),
    word(bytes.length),
    word(wireBytes ?? bytes.length),
    bytes,
  ]);
  return Buffer.concat([...header, word(0), word(0), word(65_535), word(linkType), ...records]);
}

/** A little-endian pcapng block, padded. */
export function pcapngBlock(type: number, body: Buffer): Buffer {
  const padding = Buffer.alloc((4 - (body.length % 4)) % 4);
  const length = u32(12 + body.length + padding.length).swap32();
  return Buffer.concat([u32(type).swap32(), length, body, padding, length]);
}

/** A time stamp in the middle of a day, epoch ms. */
export const START_MS = 1_790_000_000_000;
