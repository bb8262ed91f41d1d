import type { RtpCounters } from '../../model/event.ts';
import type { RtcpReport } from '../../model/report.ts';
import type { ChannelScores, ChannelState } from './channel-state.ts';

/** A channel hangs up within this time after its hangup handlers; handlers other than ours may take some of it. */
const HANGUP_WITHIN_MS = 5000;
/** A report that was on its way when the final scores were asked for is here by then; a later one shows that the channel goes on. */
const REPORTS_UNTIL_MS = 1000;
/** Reports kept of a channel until it is clear whether they count; there are one or two a second at most. */
const MOST_REPORTS = 20;

export interface KeptReport {
  readonly report: RtcpReport;
  readonly atMs: number;
}

/** A last word that is taken back, and the reports that came since. */
export interface UndoneWord {
  readonly channel: ChannelState;
  readonly reports: readonly KeptReport[];
}

/** What a last word changes of a channel. */
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
 * Final scores that were given out, until the channel hangs up. Anybody who reaches the FastAGI port, and knows its secret where
 * there is one, can ask for those of a channel that goes on. They are then taken back, and nothing is lost.
 */
export class LastWords {
  readonly #unproven = new Map<string, Unproven>();

  /** Call it before the final scores change anything of the channel. */
  note(channel: ChannelState, nowMs: number): void {
    const { counters, wentPastUs, scores, rx } = channel;
    const { deadReports, mesMin } = rx.total;
    const before = { counters, wentPastUs, scores, deadReports, mesMin };
    this.#unproven.set(channel.uniqueid, { channel, atMs: nowMs, before, reports: [] });
  }

  /** Keeps a report that comes after the final scores; returns all kept ones when they show that the channel goes on. */
  takeReport(channel: ChannelState, report: RtcpReport, atMs: number): UndoneWord | null {
    const unproven = this.#unproven.get(channel.uniqueid);
    if (unproven === undefined) return null;
    if (unproven.reports.length < MOST_REPORTS) unproven.reports.push({ report, atMs });
    return atMs - unproven.atMs > REPORTS_UNTIL_MS ? this.#undo(unproven) : null;
  }

  /** Those of channels that should have hung up by now. */
  takeOverdue(nowMs: number): UndoneWord[] {
    const overdue: UndoneWord[] = [];
    for (const unproven of this.#unproven.values()) {
      if (nowMs - unproven.atMs <= HANGUP_WITHIN_MS) break;
      overdue.push(this.#undo(unproven));
    }
    return overdue;
  }

  /** The channel has ended: its last word stands. */
  prove(channel: ChannelState): void {
    this.#unproven.delete(channel.uniqueid);
  }

  clockStepped(byMs: number): void {
    for (const unproven of this.#unproven.values()) unproven.atMs += byMs;
  }

  #undo({ channel, before, reports }: Unproven): UndoneWord {
    this.#unproven.delete(channel.uniqueid);
    const { deadReports, mesMin, ...own } = before;
    Object.assign(channel, own);
    Object.assign(channel.rx.total, { deadReports, mesMin });
    channel.final = null;
    // What was handed out for the channel may never have reached it.
    channel.published.variables.fill(undefined);
    channel.published.cdrFields.fill(undefined);
    return { channel, reports };
  }
}
