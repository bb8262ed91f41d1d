import type { LegSample } from '../../model/alert.ts';

const DAY_MS = 86_400_000;
/** The habit is that of the last so many days. */
const DAYS = 7;
/** A habit needs so many calls, and reports in so many of a hundred. */
const FEWEST_CALLS = 20;
const LEAST_PERCENT = 95;

interface Day {
  readonly day: number;
  calls: number;
  withReports: number;
}

/** Knows which endpoints always sent RTCP. Only their silence is worth an alert. */
export class ReportingHabit {
  readonly #days = new Map<string, Day[]>();

  /** Counts an ended channel. */
  take({ endpoint, endedAtMs, answered, verdict, hasFarReports }: LegSample): void {
    if (endedAtMs === null || !answered || verdict === 'too-short') return;
    const today = Math.floor(endedAtMs / DAY_MS);
    let days = this.#days.get(endpoint);
    if (days === undefined) this.#days.set(endpoint, (days = []));
    let day = days.find((known) => known.day === today);
    if (day === undefined) {
      days.push((day = { day: today, calls: 0, withReports: 0 }));
      if (days.length > DAYS + 1) days.shift();
    }
    day.calls++;
    if (hasFarReports) day.withReports++;
  }

  /**
   * Whether nearly all calls of the endpoint in the days before had reports. The day itself counts only while most of its calls
   * had them: otherwise an endpoint that falls silent would soon look as if it had always been silent.
   */
  usedToReport(endpoint: string, beforeMs: number): boolean {
    const lastDay = Math.floor(beforeMs / DAY_MS);
    let calls = 0;
    let withReports = 0;
    for (const day of this.#days.get(endpoint) ?? []) {
      if (day.day > lastDay || day.day < lastDay - DAYS) continue;
      const isSilentDay = day.day === lastDay && day.withReports * 2 < day.calls;
      if (isSilentDay) continue;
      calls += day.day === lastDay ? day.withReports : day.calls;
      withReports += day.withReports;
    }
    return calls >= FEWEST_CALLS && withReports * 100 >= calls * LEAST_PERCENT;
  }
}
