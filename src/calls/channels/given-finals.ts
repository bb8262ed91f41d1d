import type { RtpCounters } from '../../model/event.ts';
import type { RtcpReport } from '../../model/report.ts';
import type { ChannelScores, ChannelState } from './channel-state.ts';

/** A channel hangs up within this time after it asked for its final scores, even if other hangup handlers run first. */
const HANGUP_WITHIN_MS = 5000;
/** Reports that were on their way arrive within this time. A later report shows that the channel goes on. */
const REPORTS_UNTIL_MS = 1000;
/** Bound on the reports kept for one channel; at most two a second come. */
const MOST_REPORTS = 20;

export interface KeptReport {
  readonly report: RtcpReport;
  readonly atMs: number;
}

/** A channel whose final scores were revoked, and the reports that came since. */
export interface RevokedFinals {
  readonly channel: ChannelState;
  readonly reports: readonly KeptReport[];
}

/** The parts of a channel that final scores change, as they were before. */
interface Before {
  readonly counters: RtpCounters;
  readonly wentPastUs: boolean;
  readonly scores: ChannelScores;
  readonly deadReports: number;
  readonly mesMin: number | null;
}

interface Unproven {
  readonly channel: ChannelState;
  atMs: number;
  readonly before: Before;
  readonly reports: KeptReport[];
}

/**
 * Final scores that were given out, until the channel hangs up. Anybody who reaches the FastAGI port and knows its secret can ask
 * for the final scores of a channel that goes on. Those are revoked: the channel is as before, and its reports since then count.
 */
export class GivenFinals {
  readonly #unproven = new Map<string, Unproven>();

  /** Call it before the final scores change the channel. */
  note(channel: ChannelState, nowMs: number): void {
    const { counters, wentPastUs, scores, rx } = channel;
    const { deadReports, mesMin } = rx.total;
    const before = { counters, wentPastUs, scores, deadReports, mesMin };
    this.#unproven.set(channel.uniqueid, { channel, atMs: nowMs, before, reports: [] });
  }

  /** Keeps a report that comes after the final scores. Not null: the channel goes on, and this and all kept reports count. */
  takeReport(channel: ChannelState, report: RtcpReport, atMs: number): RevokedFinals | null {
    const unproven = this.#unproven.get(channel.uniqueid);
    if (unproven === undefined) return null;
    if (unproven.reports.length < MOST_REPORTS) unproven.reports.push({ report, atMs });
    return atMs - unproven.atMs > REPORTS_UNTIL_MS ? this.#revoke(unproven) : null;
  }

  /** Revokes the scores of channels that should have hung up by now. */
  takeOverdue(nowMs: number): RevokedFinals[] {
    const overdue: RevokedFinals[] = [];
    for (const unproven of this.#unproven.values()) {
      if (nowMs - unproven.atMs <= HANGUP_WITHIN_MS) break;
      overdue.push(this.#revoke(unproven));
    }
    return overdue;
  }

  /** The channel has hung up: its final scores stand. */
  prove(channel: ChannelState): void {
    this.#unproven.delete(channel.uniqueid);
  }

  clockStepped(byMs: number): void {
    for (const unproven of this.#unproven.values()) unproven.atMs += byMs;
  }

  #revoke({ channel, before, reports }: Unproven): RevokedFinals {
    this.#unproven.delete(channel.uniqueid);
    const { deadReports, mesMin, ...own } = before;
    Object.assign(channel, own);
    Object.assign(channel.rx.total, { deadReports, mesMin });
    channel.final = null;
    // The hangup handler may never have set its variables.
    channel.published.variables.fill(undefined);
    channel.published.cdrFields.fill(undefined);
    return { channel, reports };
  }
}
