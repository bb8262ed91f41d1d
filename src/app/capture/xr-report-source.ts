import type { TrackedStream } from '../../capture/streams/tracked-stream.ts';
import type { PbxEvent } from '../../model/event.ts';
import type { VoipMetricsBlock } from '../../wire/rtcp/rtcp-xr-voip.ts';
import { xrPhoneReport } from '../../wire/rtcp/xr-phone-report.ts';

export type XrReport = Extract<PbxEvent, { type: 'xr-report' }>;

/** Passes on each VoIP Metrics block (RFC 3611 §4.7) that a phone sends about the audio it receives, once. */
export class XrReportSource {
  readonly #sent = new WeakMap<TrackedStream, VoipMetricsBlock>();
  readonly #onReport: (event: XrReport) => void;

  constructor(onReport: (event: XrReport) => void) {
    this.#onReport = onReport;
  }

  /** `stream`: audio on its way to the phone of channel `uniqueid`. Does nothing when its last block was sent already. */
  send(uniqueid: string, stream: TrackedStream, nowMs: number): void {
    const said = stream.rtcp?.lastVoip;
    if (said === undefined || this.#sent.get(stream) === said.block) return;
    this.#sent.set(stream, said.block);
    const { payloadType, format, firstAtMs } = stream;
    const measured = { startAtMs: firstAtMs, stopAtMs: said.atMs, payloadType, codec: format?.codec ?? null };
    const report = xrPhoneReport(said.block, measured);
    const received = { report, atMs: said.atMs, fromAddress: stream.destinationAddress, userAgent: null };
    this.#onReport({ type: 'xr-report', atMs: nowMs, uniqueid, received });
  }
}
