/** What the report blocks of RTCP extended reports (RFC 3611) say. */
import type { VoipMetricsBlock } from './rtcp-xr-voip.ts';

/** The number on the wire of each kind of block (RFC 3611 §4). */
export const XR_BLOCK_TYPES = {
  'loss-rle': 1,
  'duplicate-rle': 2,
  'receipt-times': 3,
  'reference-time': 4,
  delay: 5,
  summary: 6,
  'voip-metrics': 7,
} as const;

/** One 16-bit chunk of a run-length encoding (§4.1.1 to §4.1.3): a run, 15 single bits (1 first), or the padding. */
export type RunLengthChunk =
  | { readonly kind: 'run'; readonly value: 0 | 1; readonly length: number }
  | { readonly kind: 'bits'; readonly bits: number }
  | { readonly kind: 'null' };

/** The packets from `beginSequence` up to, without, `endSequence`, described bit by bit. */
export interface PacketRange {
  readonly ssrc: number;
  readonly beginSequence: number;
  readonly endSequence: number;
}

/** Which packets were received (1) or lost (0); or which came once (0) or more often (1). §4.1 and §4.2. */
export interface RunLengthBlock extends PacketRange {
  readonly kind: 'loss-rle' | 'duplicate-rle';
  /** Only sequence numbers that are multiples of 2^thinning are reported. */
  readonly thinning: number;
  readonly chunks: readonly RunLengthChunk[];
}

export interface ReceiptTimesBlock extends PacketRange {
  readonly kind: 'receipt-times';
  readonly thinning: number;
  readonly receiptTicks: readonly number[];
}

/** The sender's clock, for receivers that are no senders (§4.4). */
export interface ReferenceTimeBlock {
  readonly kind: 'reference-time';
  readonly ntpSeconds: number;
  /** In 1/2^32 s. */
  readonly ntpFraction: number;
}

/** The answer to reference times (§4.5). */
export interface DelayBlock {
  readonly kind: 'delay';
  readonly reports: readonly { readonly ssrc: number; readonly lrrNtp32: number; readonly dlrrNtp32: number }[];
}

export interface Spread {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly deviation: number;
}

/** Null: not measured (§4.6). */
export interface SummaryBlock extends PacketRange {
  readonly kind: 'summary';
  readonly lostPackets: number | null;
  readonly duplicatePackets: number | null;
  readonly jitterTicks: Spread | null;
  /** IPv4's time to live or IPv6's hop limit. */
  readonly hops: (Spread & { readonly ipVersion: 4 | 6 }) | null;
}

/** A type that RFC 3611 does not define, or a length that does not fit its type. `bytes` follow the first word. */
export interface UnknownBlock {
  readonly kind: 'unknown';
  readonly blockType: number;
  readonly typeSpecific: number;
  readonly bytes: Uint8Array;
}

export type XrBlock =
  | RunLengthBlock
  | ReceiptTimesBlock
  | ReferenceTimeBlock
  | DelayBlock
  | SummaryBlock
  | VoipMetricsBlock
  | UnknownBlock;
