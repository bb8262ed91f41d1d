import type { TrackedStream } from '../../capture/streams/tracked-stream.ts';
import type { PbxEvent } from '../../model/event.ts';
import type { VoipMetricsBlock } from '../../wire/rtcp/rtcp-xr-voip.ts';
import { xrPhoneReport } from '../../wire/rtcp/xr-phone-report.ts';

export type XrReport = Extract<PbxEvent, { type: 'xr-report' }>;

/** Tells what phones say in RTCP XR of the audio that they receive, each once. */
export class XrTeller {
  readonly #told = new WeakMap<TrackedStream, VoipMetricsBlock>();
  readonly #onReport: (event: XrReport) => void;

  constructor(onReport: (event: XrReport) => void) {
    this.#onReport = onReport;
  }

  /** `stream`: what is sent to the phone of a channel. */
  tell(uniqueid: string, stream: TrackedStream, nowMs: number): void {
    const said = stream.rtcp?.lastVoip;
    if (said === undefined || this.#told.get(stream) === said.block) return;
    this.#told.set(stream, said.block);
    const { payloadType, format, firstAtMs } = stream;
    const measured = { startAtMs: firstAtMs, stopAtMs: said.atMs, payloadType, codec: format?.codec ?? null };
    const report = xrPhoneReport(said.block, measured);
    const received = { report, atMs: said.atMs, fromAddress: stream.destinationAddress, userAgent: null };
    this.#onReport({ type: 'xr-report', atMs: nowMs, uniqueid, received });
  }
}
