import type { IntervalRecord } from '../model/record.ts';
import type { RtcpReport } from '../model/report.ts';
import { LONGEST_REPORT_PACE_MS, slowestReportPace, USUAL_REPORT_PACE_MS } from '../stats/report-pace.ts';
import type { BridgePeers } from './bridges/bridge-peers.ts';
import type { ChangeLog } from './change-log.ts';
import { noteCodecQuestion, takeRtcp } from './channels/channel-report.ts';
import { type ChannelState, isLive } from './channels/channel-state.ts';
import type { GivenFinals, RevokedFinals } from './channels/given-finals.ts';
import type { ScoreWriter } from './writing/score-writer.ts';
import type { ScoringRules } from './scoring-rules.ts';
import type { SwitchboardCounters } from './switchboard-counters.ts';
import type { SwitchboardPorts } from './switchboard-ports.ts';

export interface ReportIntakeOptions {
  readonly rules: ScoringRules;
  readonly ports: SwitchboardPorts;
  /** All known channels, for their number alone. */
  readonly channels: ReadonlyMap<string, ChannelState>;
  readonly changes: ChangeLog;
  readonly bridges: BridgePeers;
  readonly writes: ScoreWriter;
  readonly givenFinals: GivenFinals;
  readonly counters: SwitchboardCounters;
}

/** Takes RTCP reports into their channels: each is scored and stored at once, and changed scores are written. */
export class ReportIntake {
  readonly #options: ReportIntakeOptions;
  /** The slowest pace of our own reports on any channel. */
  #slowestPaceMs = USUAL_REPORT_PACE_MS;

  constructor(options: ReportIntakeOptions) {
    this.#options = options;
  }

  /** A report after the channel's final scores does not count, unless it shows that the channel goes on. */
  take(channel: ChannelState, report: RtcpReport, atMs: number): void {
    const { rules, ports, channels, changes, bridges, writes, givenFinals, counters } = this.#options;
    if (channel.final !== null || !isLive(channel)) {
      counters.lateReports++;
      const revoked = givenFinals.takeReport(channel, report, atMs);
      if (revoked !== null) this.revoke(revoked, atMs);
      return;
    }
    counters.reports++;
    const isUnreported = report.reporter === 'remote' && channel.rx.reportedAtMs === null;
    const isWaitedFor = isUnreported && mayBeReceived(channel, bridges);
    const slowestPaceMs = isWaitedFor ? LONGEST_REPORT_PACE_MS : this.#slowestPaceMs;
    if (isUnreported && isFirstLate(channel, atMs)) ports.askCounters(channel.uniqueid);
    const taken = takeRtcp(channel, report, atMs, slowestPaceMs, rules);
    const { paceMs } = channel.rx;
    if (report.reporter === 'local' && paceMs !== null)
      this.#slowestPaceMs = slowestReportPace(this.#slowestPaceMs, paceMs);
    if (taken.isRoundTripRefused) {
      counters.roundTripsRefused++;
      changes.touch(channel);
    }
    const isNewSession = taken.closed.length > 0;
    if (noteCodecQuestion(channel, isNewSession, channels.size, atMs)) ports.askCodecs(channel.uniqueid);
    for (const segment of taken.closed) changes.addSegment(segment);
    this.#storeInterval(channel, taken.interval);
    if (taken.silence !== null) this.#storeInterval(channel, taken.silence);
    changes.touchLater(channel);
    writes.noteReport(channel, atMs);
  }

  /** The channel goes on: it is scored and written again, with the reports since its final scores. */
  revoke({ channel, reports }: RevokedFinals, nowMs: number): void {
    const { ports, changes, writes, counters } = this.#options;
    counters.lastWordsUndone++;
    counters.lateReports -= reports.length;
    ports.writer?.reopen(channel.uniqueid);
    changes.touch(channel);
    for (const { report, atMs } of reports) this.take(channel, report, atMs);
    writes.noteReport(channel, nowMs);
  }

  #storeInterval(channel: ChannelState, interval: IntervalRecord): void {
    const { ports, changes, bridges } = this.#options;
    if (!changes.keepsBack(channel, interval)) ports.storeInterval(interval);
    bridges.noteInterval(channel, interval);
  }
}

function isFirstLate({ answeredAtMs, watchedSinceMs, onHold }: ChannelState, atMs: number): boolean {
  return !onHold && answeredAtMs !== null && atMs - Math.max(answeredAtMs, watchedSinceMs) >= USUAL_REPORT_PACE_MS;
}

/**
 * Whether something may come in on a channel on which we have not reported. Asterisk's own count tells, or the other party. If
 * that one never reports and the count is not known, `rtcpinterval` may be a minute and nobody can say.
 */
function mayBeReceived(channel: ChannelState, bridges: BridgePeers): boolean {
  const { rxPackets } = channel.counters;
  if ((rxPackets ?? 0) > 0 || isHeardByPeer(channel, bridges)) return true;
  const [peer, ...others] = bridges.companionsOf(channel);
  return rxPackets === undefined && peer !== undefined && others.length === 0 && peer.lastReceivedAtMs === null;
}

/**
 * Whether the only other party got audio since its last report that it did not hear before the answer. That audio comes from this
 * channel. So our first report is late because `rtcpinterval` is long, and not because nothing arrives.
 */
function isHeardByPeer(channel: ChannelState, bridges: BridgePeers): boolean {
  const [peer, ...others] = bridges.companionsOf(channel);
  if (peer === undefined || others.length > 0 || channel.answeredAtMs === null) return false;
  const { markAtMs, markMovedAtMs } = peer.tx;
  const sinceMs = Math.max(channel.answeredAtMs, channel.watchedSinceMs);
  return markMovedAtMs !== null && markMovedAtMs === markAtMs && markMovedAtMs - sinceMs >= USUAL_REPORT_PACE_MS;
}
