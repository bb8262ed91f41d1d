import { type AnalysisResult, CaptureAnalysis } from '../../../src/capture/capture-analysis.ts';
import type { StreamSummary } from '../../../src/capture/streams/stream-summary.ts';
import type { StreamTableOptions } from '../../../src/capture/streams/stream-table.ts';
import { readerFor } from '../../../src/wire/packets/capture-format.ts';
import {
  type Captured,
  type Route,
  type RtpFields,
  START_MS,
  ethernet,
  ipv4,
  pcap,
  rtp,
  u16,
  u32,
  u8,
  udp,
} from '../wire/packets.ts';

export const FIXED: StreamTableOptions = { gmin: 16, jitterBuffer: { kind: 'fixed', nominalMs: 60 } };

/** A UDP packet over Ethernet, captured whole. */
export function packet(atMs: number, payload: Buffer, route: Route = {}): Captured {
  return { atMs: START_MS + atMs, bytes: ethernet(ipv4(udp(payload, route), route)) };
}

/** 20 ms packets of G.711 at their sender's pace. */
export function call(
  sequences: readonly number[],
  route: Route = {},
  fields: Partial<RtpFields> = {},
  delayMs: (sequence: number) => number = () => 0,
): Captured[] {
  const first = sequences[0] ?? 0;
  return sequences.map((sequence) =>
    packet(
      (sequence - first) * 20 + delayMs(sequence),
      rtp({ sequence, timestamp: (sequence - first) * 160, ...fields }),
      route,
    ),
  );
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** Analyses a whole file at once. */
export function analyseFile(file: Buffer, options: StreamTableOptions = FIXED): AnalysisResult {
  const analysis = new CaptureAnalysis(options);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const reader = readerFor(view);
  if (reader === undefined) throw new Error('no capture');
  reader.feed(view, 0, file.length);
  while (reader.next()) analysis.take(reader);
  return analysis.finish();
}

/** Analyses packets in the order of their times. */
export function analyse(packets: readonly Captured[], options: StreamTableOptions = FIXED): AnalysisResult {
  return analyseFile(pcap(packets.toSorted((one, other) => one.atMs - other.atMs)), options);
}

/** The only stream there is. */
export function onlyStream(result: AnalysisResult): StreamSummary {
  const [stream, ...others] = result.streams;
  if (stream === undefined || others.length > 0) throw new Error(`There are ${result.streams.length} streams.`);
  return stream;
}

/** The way back of the usual route. */
export const BACK = { source: '10.0.0.2', destination: '10.0.0.1', sourcePort: 6004, destinationPort: 5004 };

/** `reported`: fraction lost … DLSR about a source. */
export function senderReport(
  ssrc: number,
  ntpS: number,
  reported?: { source: number; lsr: number; dlsrS: number },
): Buffer {
  const block =
    reported === undefined
      ? Buffer.alloc(0)
      : Buffer.concat([...[reported.source, 0, 0, 0, reported.lsr].map(u32), u32(Math.round(reported.dlsrS * 65_536))]);
  return Buffer.concat([
    u8(block.length > 0 ? 0x81 : 0x80, 200),
    u16(6 + block.length / 4),
    u32(ssrc),
    u32(Math.floor(ntpS)),
    u32(Math.round((ntpS % 1) * 2 ** 32)),
    u32(0),
    u32(10),
    u32(1600),
    block,
  ]);
}
