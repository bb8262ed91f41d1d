import type { CaptureReader } from './packet-cursor.ts';
import { PcapReader, pcapVariant } from './pcap.ts';
import { PcapngReader, isPcapng } from './pcapng.ts';

/** Bytes that tell one format from another. */
export const FORMAT_BYTES = 4;

/** The reader for a capture that begins with these four bytes; undefined when they begin none that we know. */
export function readerFor(view: DataView): CaptureReader | undefined {
  if (isPcapng(view)) return new PcapngReader();
  const variant = pcapVariant(view);
  return variant === undefined ? undefined : new PcapReader(variant);
}
