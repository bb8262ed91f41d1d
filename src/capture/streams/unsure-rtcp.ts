import { formatAddressAndPort } from '../../wire/ip-address.ts';
import type { DatagramReader } from '../../wire/packets/datagram.ts';
import type { TrackedStream } from './tracked-stream.ts';

/** Bound on remembered pairs of ends. Packets between others do not count as RTCP. */
const MAX_PAIRS = 1024;

export type UnsureKind = 'encrypted' | 'malformed';

interface Pair {
  readonly source: string;
  readonly destination: string;
  encrypted: number;
  malformed: number;
}

/**
 * Packets that begin like RTCP and cannot be read. DNS, IPsec and others begin so now and then. Such a packet was RTCP only if a
 * stream has one of its ends, which may show later.
 */
export class UnsureRtcp {
  readonly #pairs = new Map<string, Pair>();
  #others = 0;

  take(kind: UnsureKind, reader: DatagramReader): void {
    const { addressWords, addressWordCount, sourcePort, destinationPort } = reader;
    const half = addressWordCount / 2;
    const source = formatAddressAndPort(addressWords.subarray(0, half), sourcePort);
    const destination = formatAddressAndPort(addressWords.subarray(half, addressWordCount), destinationPort);
    const key = `${source} ${destination}`;
    const pair = this.#pairs.get(key) ?? { source, destination, encrypted: 0, malformed: 0 };
    if (this.#pairs.size >= MAX_PAIRS && !this.#pairs.has(key)) {
      this.#others += 1;
      return;
    }
    pair[kind] += 1;
    this.#pairs.set(key, pair);
  }

  /** How many of them were RTCP of these streams, and how many were something else. */
  counts(streams: Iterable<TrackedStream>): { encrypted: number; malformed: number; others: number } {
    const counts = { encrypted: 0, malformed: 0, others: this.#others };
    if (this.#pairs.size === 0) return counts;
    const ends = new Set<string>();
    for (const { source, destination, sourcePort, destinationPort } of streams) {
      ends.add(source).add(nextPort(source, sourcePort));
      ends.add(destination).add(nextPort(destination, destinationPort));
    }
    for (const { source, destination, encrypted, malformed } of this.#pairs.values()) {
      if (ends.has(source) || ends.has(destination)) {
        counts.encrypted += encrypted;
        counts.malformed += malformed;
      } else {
        counts.others += encrypted + malformed;
      }
    }
    return counts;
  }
}

/** Where RTCP is if it does not share RTP's port (RFC 3550 §11). */
function nextPort(addressAndPort: string, port: number): string {
  return `${addressAndPort.slice(0, -String(port).length)}${port + 1}`;
}
