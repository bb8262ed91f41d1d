import type { PhoneReport } from '../model/phones/phone-report.ts';
import type { ChannelCodecs, PbxEvent, RtpCounters } from '../model/event.ts';
import type { ChangeLog } from './change-log.ts';
import { noteCodecs, noteCounters } from './channels/channel-report.ts';
import type { ChannelState } from './channels/channel-state.ts';
import { flatCopy } from '../units/flat-copy.ts';
import { noteHeard } from '../stats/phone-hearing.ts';
import { leastReceived, noteCaptured } from './directions/direction-state.ts';
import type { ScoringRules } from './scoring-rules.ts';

/** Facts about a channel other than its life and its reports. */
export type Fact = Extract<
  PbxEvent,
  { type: 'rename' | 'codecs' | 'counters' | 'captured' | 'sip-call-id' | 'device' | 'phone-heard' | 'xr-report' }
>;

/** Takes facts about channels. Facts about unknown channels are dropped. */
export class ChannelFacts {
  readonly #channels: ReadonlyMap<string, ChannelState>;
  readonly #changes: ChangeLog;
  readonly #rules: ScoringRules;
  readonly #counters: { countersDisagreed: number };

  /** Increases `counters`. */
  constructor(
    channels: ReadonlyMap<string, ChannelState>,
    changes: ChangeLog,
    rules: ScoringRules,
    counters: { countersDisagreed: number },
  ) {
    this.#channels = channels;
    this.#changes = changes;
    this.#rules = rules;
    this.#counters = counters;
  }

  take(event: Fact): void {
    switch (event.type) {
      case 'rename':
        return this.#rename(event.uniqueid, event.newName);
      case 'codecs':
        return this.takeCodecs(event.uniqueid, event.codecs, event.atMs);
      case 'counters':
        return this.#takeCounters(event.uniqueid, event.counters, event.atMs);
      case 'captured':
        return this.#takeCaptured(event);
      case 'sip-call-id':
        return this.#takeSipCallId(event);
      case 'device':
        return this.#takeDevice(event);
      case 'phone-heard':
        return this.#takeHeard(event.uniqueid, event.report, event.userAgent);
      case 'xr-report':
        return this.#takeHeard(event.uniqueid, event.received.report, event.received.userAgent);
    }
  }

  #rename(uniqueid: string, newName: string): void {
    const channel = this.#channels.get(uniqueid);
    if (channel === undefined) return;
    channel.name = flatCopy(newName);
    this.#changes.touch(channel);
  }

  takeCodecs(uniqueid: string, codecs: ChannelCodecs, atMs: number): void {
    const channel = this.#channels.get(uniqueid);
    if (channel === undefined || channel.final !== null) return;
    const isFirst = channel.rx.codec === null && channel.tx.codec === null;
    if (!noteCodecs(channel, codecs, atMs, this.#rules)) return;
    // The first codecs are stored with the next report. Others begin a segment.
    if (isFirst) this.#changes.touchLater(channel);
    else this.#changes.touch(channel);
  }

  #takeCounters(uniqueid: string, counters: RtpCounters, atMs: number): void {
    const channel = this.#channels.get(uniqueid);
    if (channel === undefined) return;
    noteCounters(channel, counters, atMs);
    const { rxPackets } = counters;
    if (rxPackets !== undefined && rxPackets < leastReceived(channel.rx)) this.#counters.countersDisagreed++;
    this.#changes.touchLater(channel);
  }

  #takeSipCallId({ uniqueid, sipCallId }: Extract<PbxEvent, { type: 'sip-call-id' }>): void {
    const channel = this.#channels.get(uniqueid);
    if (channel === undefined) return;
    channel.sipCallId = flatCopy(sipCallId);
    this.#changes.touch(channel);
  }

  #takeDevice({ uniqueid, device, site, details }: Extract<PbxEvent, { type: 'device' }>): void {
    const channel = this.#channels.get(uniqueid);
    if (channel === undefined) return;
    channel.device = device;
    channel.site = site;
    channel.deviceDetails = details;
    this.#changes.touch(channel);
  }

  /** Takes a phone's report. It changes no score, so it counts even after the final scores. */
  #takeHeard(uniqueid: string, report: Pick<PhoneReport, 'kind' | 'localMetrics'>, userAgent: string | null): void {
    const channel = this.#channels.get(uniqueid);
    if (channel === undefined) return;
    channel.phone = noteHeard(channel.phone, report, userAgent);
    this.#changes.touch(channel);
  }

  #takeCaptured({ uniqueid, direction, open, closed, report }: Extract<PbxEvent, { type: 'captured' }>): void {
    const channel = this.#channels.get(uniqueid);
    if (channel === undefined) return;
    noteCaptured(channel[direction], open, closed);
    if (report !== undefined && direction === 'tx') channel.published.capturedReport = report;
    this.#changes.touch(channel);
  }
}
