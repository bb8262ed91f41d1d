import type { ReportBlock } from '../../model/report.ts';
import { RTP_CLOCK_RATES_HZ } from '../../units/rtp.ts';
import type { RtcpSenderPart } from '../../wire/rtcp/rtcp.ts';
import type { VoipMetricsBlock } from '../../wire/rtcp/rtcp-xr-voip.ts';
import type { XrBlock } from '../../wire/rtcp/rtcp-xr-blocks.ts';

/** SRs that are remembered to find the one that a report answers: 20 s at Asterisk's fastest pace. */
const REMEMBERED_SENDER_REPORTS = 8;
/** Above this a round trip is a clock step, not a network. */
const MAX_LOOP_MS = 10_000;
/** Bound on the extended report blocks of one stream; the latest are kept. */
const MAX_XR_BLOCKS = 32;
const NTP32_PER_MS = 65.536;
/** Two SRs that are closer tell the clock rate too coarsely: their RTP time is that of a packet, give or take one. */
const LEAST_SENDER_SPAN_S = 1;
const CLOCK_TOLERANCE_RATIO = 0.05;

/** What RTCP says about one stream of packets. */
export class StreamRtcp {
  senderReports = 0;
  receiverReports = 0;
  lastSender: RtcpSenderPart | undefined;
  /** The RTP clock rate by its latest two SRs, Hz, and when the first of them came; undefined: they do not tell. */
  clock: { readonly rateHz: number; readonly sinceMs: number } | undefined;
  lastReport: ReportBlock | undefined;
  /** When the last report was captured. */
  lastReportAtMs = 0;
  readonly xrBlocks: XrBlock[] = [];
  /** The latest VoIP metrics of the stream's receiver, and when they were captured. */
  lastVoip: { readonly block: VoipMetricsBlock; readonly atMs: number } | undefined;
  /**
   * The round trip from the point of capture to the stream's receiver, by the latest answer to an SR, ms; undefined: there is
   * none.
   */
  loopMs: number | undefined;
  #sent: { readonly ntp32: number; readonly atMs: number }[] = [];

  sender(part: RtcpSenderPart, atMs: number): void {
    this.senderReports += 1;
    const rateHz = this.lastSender === undefined ? undefined : clockBetween(this.lastSender, part);
    this.clock = rateHz === undefined ? undefined : { rateHz, sinceMs: this.#sent.at(-1)?.atMs ?? atMs };
    this.lastSender = part;
    this.#sent.push({ ntp32: part.ntp32, atMs });
    if (this.#sent.length > REMEMBERED_SENDER_REPORTS) this.#sent.shift();
  }

  report(block: ReportBlock, atMs: number): void {
    this.receiverReports += 1;
    this.lastReport = block;
    this.lastReportAtMs = atMs;
    if (block.lsrNtp32 === 0) return;
    const answered = this.#sent.findLast(({ ntp32 }) => ntp32 === block.lsrNtp32);
    if (answered === undefined) return;
    const loopMs = atMs - answered.atMs - block.dlsrS * 1000;
    // The answer's delay is rounded, so a value just below 0 is 0.
    if (loopMs < -1 / NTP32_PER_MS || loopMs > MAX_LOOP_MS) return;
    // RFC 3611 §4.7.3: the most recently calculated round trip.
    this.loopMs = Math.max(0, loopMs);
  }

  extended(block: XrBlock, atMs: number): void {
    if (block.kind === 'voip-metrics') this.lastVoip = { block, atMs };
    this.xrBlocks.push(block);
    if (this.xrBlocks.length > MAX_XR_BLOCKS) this.xrBlocks.shift();
  }

  /** Somebody set the clock that times packets, by `byMs`. */
  clockStepped(byMs: number): void {
    this.#sent = this.#sent.map(({ ntp32, atMs }) => ({ ntp32, atMs: atMs + byMs }));
  }
}

function clockBetween(one: RtcpSenderPart, other: RtcpSenderPart): number | undefined {
  const elapsedS = other.ntpS - one.ntpS;
  if (elapsedS < LEAST_SENDER_SPAN_S) return undefined;
  const hz = ((other.rtpTicks - one.rtpTicks) | 0) / elapsedS;
  const offHz = (rate: number): number => Math.abs(hz - rate);
  const [nearestHz] = RTP_CLOCK_RATES_HZ.toSorted((a, b) => offHz(a) - offHz(b));
  return nearestHz !== undefined && offHz(nearestHz) <= nearestHz * CLOCK_TOLERANCE_RATIO ? nearestHz : undefined;
}
