import { readerFor } from '../../src/wire/packets/capture-format.ts';
import { DatagramReader } from '../../src/wire/packets/datagram.ts';
import { mediaKind } from '../../src/wire/rtp.ts';

/** One line of `tshark -q -z rtp,streams`: the second opinion on what a capture holds. */
export interface TsharkStream {
  /** `source > destination ssrc`, as `streamKey` writes it. */
  readonly key: string;
  /** Duplicates counted, too. */
  readonly packets: number;
  /** Expected minus packets: duplicates hide losses. */
  readonly lost: number;
  readonly jitterMeanMs: number;
  readonly jitterMaxMs: number;
  readonly maxDeltaMs: number;
}

const LINE =
  /^\s*[\d.]+\s+[\d.]+\s+(\S+)\s+(\d+)\s+(\S+)\s+(\d+)\s+(0x[0-9A-Fa-f]+)\s+.*?\s(\d+)\s+(-?\d+) \(-?[\d.]+%\)\s+[\d.]+\s+[\d.]+\s+([\d.]+)\s+[\d.]+\s+([\d.]+)\s+([\d.]+)/;

export function streamKey(source: string, destination: string, ssrc: number): string {
  return `${source} > ${destination} ${ssrc}`;
}

/** Reads the whole table. */
export function readTsharkStreams(table: string): TsharkStream[] {
  return table.split('\n').flatMap((line) => {
    const match = LINE.exec(line);
    if (match === null) return [];
    const [, source, sourcePort, destination, destinationPort, ssrc, packets, lost, maxDelta, jitterMean, jitterMax] =
      match;
    return [
      {
        key: streamKey(`${source}:${sourcePort}`, `${destination}:${destinationPort}`, Number(ssrc)),
        packets: Number(packets),
        lost: Number(lost),
        jitterMeanMs: Number(jitterMean),
        jitterMaxMs: Number(jitterMax),
        maxDeltaMs: Number(maxDelta),
      },
    ];
  });
}

const NOT_THE_MARKER = 0x7f;

/**
 * The same capture, pcap or pcapng, without RTP marker bits. tshark (4.0.17) leaves marked packets out of its jitter, RFC 3550 A.8
 * does not. A sender that stood still may leap its RTP clock at a mark, and tshark then shows less jitter.
 */
export function withoutMarks(capture: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(capture);
  const view = new DataView(copy.buffer);
  const reader = readerFor(view);
  if (reader === undefined) throw new Error('That is no capture.');
  const datagram = new DatagramReader();
  reader.feed(view, 0, copy.length);
  while (reader.next()) {
    // What came in fragments lies in a buffer of its own.
    if (datagram.read(reader) !== 'udp' || datagram.view !== view) continue;
    const { payloadStart, payloadEnd } = datagram;
    if (mediaKind(view, payloadStart, payloadEnd) !== 'rtp') continue;
    view.setUint8(payloadStart + 1, view.getUint8(payloadStart + 1) & NOT_THE_MARKER);
  }
  return copy;
}
