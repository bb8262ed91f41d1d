import type { ChannelSnapshot } from '../../../src/model/event.ts';
import type { ChannelValues } from '../../../src/model/ports.ts';
import type { ChannelRecord, HistoryChange, IntervalRecord } from '../../../src/model/record.ts';
import type { ReportBlock, RtcpReport, SenderInfo } from '../../../src/model/report.ts';
import type { MesProfile } from '../../../src/model/score.ts';
import type { ScoringRules } from '../../../src/calls/scoring-rules.ts';
import { flatCopy } from '../../../src/units/flat-copy.ts';
import { Switchboard } from '../../../src/calls/switchboard.ts';
import { mesProfile } from '../../../src/score/profiles.ts';
import { DEFAULT_THRESHOLDS } from '../../../src/score/verdict.ts';

const STATE_RINGING = 5;
const STATE_UP = 6;

/** Plays a script of events into a switchboard, with a clock that only the script moves. */
export class Script {
  atMs = 1_700_000_000_000;
  readonly writes: { uniqueid: string; variables: Record<string, string> }[] = [];
  /** Fields of billing rows that were written together with those. */
  readonly cdrWrites: { uniqueid: string; cdrFields: Record<string, string> }[] = [];
  readonly codecQuestions: string[] = [];
  readonly counterQuestions: string[] = [];
  readonly rules: ScoringRules;
  /** Channels whose final scores were revoked. */
  readonly reopened: string[] = [];
  readonly board: Switchboard;
  readonly #changes: HistoryChange[] = [];
  /** Reports since the last `drain`. */
  #unstored: HistoryChange[] = [];

  /** `onInterval`: who is told of reports at once, other than `drain`. */
  constructor(
    profile: MesProfile = mesProfile('documented'),
    onInterval?: (interval: IntervalRecord) => void,
    isWriting = true,
    mostLiveChannels?: number,
  ) {
    const write = (uniqueid: string, { variables, cdrFields }: ChannelValues): void => {
      this.writes.push({ uniqueid, variables: Object.fromEntries(variables) });
      if (cdrFields.size > 0) this.cdrWrites.push({ uniqueid, cdrFields: Object.fromEntries(cdrFields) });
    };
    this.rules = {
      profile,
      thresholds: DEFAULT_THRESHOLDS,
      codecs: new Map([['g729', { delayMs: 25 }]]),
      advantages: [],
      version: '9.9.9',
    };
    this.board = new Switchboard(this.rules, {
      writer: isWriting
        ? { write, forget: () => undefined, reopen: (uniqueid) => this.reopened.push(flatCopy(uniqueid)) }
        : null,
      askCodecs: (uniqueid) => this.codecQuestions.push(uniqueid),
      askCounters: (uniqueid) => this.counterQuestions.push(uniqueid),
      storeInterval: onInterval ?? ((interval) => this.#unstored.push({ kind: 'interval', interval })),
      ...(mostLiveChannels === undefined ? {} : { mostLiveChannels }),
    });
  }

  wait(seconds: number): this {
    this.atMs += seconds * 1000;
    this.board.tick(this.atMs);
    return this;
  }

  ring(uniqueid: string, of: Partial<ChannelSnapshot> = {}): this {
    this.board.handle({
      type: 'channel',
      atMs: this.atMs,
      channel: snapshot(uniqueid, { stateNumber: STATE_RINGING, ...of }),
    });
    return this;
  }

  up(uniqueid: string, of: Partial<ChannelSnapshot> = {}): this {
    this.board.handle({ type: 'channel', atMs: this.atMs, channel: snapshot(uniqueid, of) });
    return this;
  }

  enter(
    bridgeId: string,
    uniqueid: string,
    of: Partial<ChannelSnapshot> = {},
    bridgeTechnology = 'simple_bridge',
  ): this {
    this.board.handle({
      type: 'bridge-enter',
      atMs: this.atMs,
      channel: snapshot(uniqueid, of),
      bridgeId,
      bridgeTechnology,
    });
    return this;
  }

  leave(bridgeId: string, uniqueid: string, of: Partial<ChannelSnapshot> = {}): this {
    this.board.handle({
      type: 'bridge-leave',
      atMs: this.atMs,
      channel: snapshot(uniqueid, of),
      bridgeId,
      bridgeTechnology: 'simple_bridge',
    });
    return this;
  }

  dial(uniqueid: string, dialledUniqueid: string, of: Partial<ChannelSnapshot> = {}): this {
    this.board.handle({ type: 'dial', atMs: this.atMs, channel: snapshot(uniqueid, of), dialledUniqueid });
    return this;
  }

  /** Asterisk tells the codecs of a channel; of both directions the same one unless told. */
  codecs(uniqueid: string, rx: string | null, tx: string | null = rx): this {
    this.board.handle({ type: 'codecs', atMs: this.atMs, uniqueid, codecs: { rx, tx } });
    return this;
  }

  hangup(uniqueid: string, of: Partial<ChannelSnapshot> = {}): this {
    this.board.handle({ type: 'hangup', atMs: this.atMs, channel: snapshot(uniqueid, of), cause: 16 });
    return this;
  }

  /** Somebody asks for the end of a channel, which follows. */
  asks(by: 'party' | 'server', uniqueid: string, of: Partial<ChannelSnapshot> = {}): this {
    this.board.handle({ type: 'hangup-request', atMs: this.atMs, channel: snapshot(uniqueid, of), by });
    return this;
  }

  rtcp(uniqueid: string, report: RtcpReport, of: Partial<ChannelSnapshot> = {}): this {
    this.board.handle({ type: 'rtcp', atMs: this.atMs, channel: snapshot(uniqueid, of), report });
    return this;
  }

  /** Everything that was to be stored so far. */
  stored(): readonly HistoryChange[] {
    this.#changes.push(...this.drain());
    return this.#changes;
  }

  /** What the history is told by now: reports first. */
  drain(nowMs?: number): HistoryChange[] {
    const reports = this.#unstored;
    this.#unstored = [];
    return [...reports, ...this.board.drain(nowMs)];
  }

  /** The last stored state of a channel. */
  channel(uniqueid: string): ChannelRecord {
    const last = this.stored().findLast((change) => change.kind === 'channel' && change.channel.uniqueid === uniqueid);
    if (last?.kind !== 'channel') throw new Error(`nothing was stored of channel ${uniqueid}`);
    return last.channel;
  }

  intervals(uniqueid: string, direction: 'rx' | 'tx'): IntervalRecord[] {
    return this.stored()
      .filter((change) => change.kind === 'interval')
      .map((change) => change.interval)
      .filter((interval) => interval.uniqueid === uniqueid && interval.direction === direction);
  }
}

export function snapshot(uniqueid: string, of: Partial<ChannelSnapshot> = {}): ChannelSnapshot {
  return {
    uniqueid,
    linkedid: uniqueid,
    name: `PJSIP/phone${uniqueid}-0000000${uniqueid}`,
    stateNumber: STATE_UP,
    ...of,
  };
}

export function reportBlock(
  extendedHighestSequence: number,
  cumulativeLostPackets: number,
  of: Partial<ReportBlock> = {},
): ReportBlock {
  return {
    sourceSsrc: 0xabc,
    fractionLostQ8: 0,
    cumulativeLostPackets,
    extendedHighestSequence,
    jitterTicks: 0,
    lsrNtp32: 1,
    dlsrS: 0,
    ...of,
  };
}

/** What we measured of their audio (rx). */
export function local(block: ReportBlock | null, of: Partial<RtcpReport> = {}): RtcpReport {
  return { reporter: 'local', ...(block === null ? {} : { block }), ...of };
}

/** What they measured of our audio (tx). */
export function remote(block: ReportBlock | null, of: Partial<RtcpReport> = {}): RtcpReport {
  return { reporter: 'remote', ...(block === null ? {} : { block }), ...of };
}

export function sender(ntpS: number, sentPackets: number, clockRateHz = 8000): SenderInfo {
  return { ntpS, rtpTicks: ntpS * clockRateHz, sentPackets, sentOctets: sentPackets * 160 };
}
