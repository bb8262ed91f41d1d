/** Builds TCP segments byte by byte, for tests. */
import { type Route, u16, u32, u8 } from './packets.ts';

export interface Segment {
  readonly sequence: number;
  /** Latin 1. */
  readonly text: string;
  readonly flags?: number;
  /** Bytes at the end that were not captured. */
  readonly cutBytes?: number;
}

const ACK = 0x10;

export function tcp(
  { sequence, text, flags = ACK }: Segment,
  { sourcePort = 5060, destinationPort = 5060 }: Route = {},
): Buffer {
  return Buffer.concat([
    u16(sourcePort),
    u16(destinationPort),
    u32(sequence),
    u32(1),
    u8(0x60, flags),
    u16(65_535),
    u32(0),
    // An option.
    u8(1, 1, 1, 1),
    Buffer.from(text, 'latin1'),
  ]);
}
