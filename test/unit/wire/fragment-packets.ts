/** Cuts IP payloads into fragments, for tests: independent of what puts them together. */
import { ipv4, ipv6, type Route, u16, u32, u8 } from './packets.ts';

const PARTS_BYTES = 1480;

interface Fragmenting {
  readonly route?: Route;
  readonly id?: number;
  readonly protocol?: number;
  /** A multiple of 8. */
  readonly partBytes?: number;
}

function cut(payload: Buffer, partBytes: number): { part: Buffer; offset: number; isLast: boolean }[] {
  return Array.from({ length: Math.ceil(payload.length / partBytes) }, (_, index) => {
    const offset = index * partBytes;
    return {
      part: payload.subarray(offset, offset + partBytes),
      offset,
      isLast: offset + partBytes >= payload.length,
    };
  });
}

/** IPv4 packets, in order. */
export function fragmentsOf(
  payload: Buffer,
  { route = {}, id = 1, protocol = 17, partBytes = PARTS_BYTES }: Fragmenting = {},
): Buffer[] {
  return cut(payload, partBytes).map(({ part, offset, isLast }) => {
    const bytes = ipv4(part, route, protocol, offset / 8 + (isLast ? 0 : 0x2000));
    bytes.writeUInt16BE(id & 0xffff, 4);
    return bytes;
  });
}

/** IPv6 packets, in order. */
export function fragmentsOf6(payload: Buffer, id = 1, partBytes = PARTS_BYTES): Buffer[] {
  return cut(payload, partBytes).map(({ part, offset, isLast }) =>
    ipv6(Buffer.concat([u8(17, 0), u16(offset + (isLast ? 0 : 1)), u32(id), part]), 44),
  );
}
