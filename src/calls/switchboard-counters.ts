/** Counts over all channels since the start. */
export class SwitchboardCounters {
  reports = 0;
  /** Reports about channels that already had their final scores. */
  lateReports = 0;
  /** Final scores that were revoked because the channel went on. */
  lastWordsUndone = 0;
  roundTripsRefused = 0;
  /** How often Asterisk's counters had fewer received packets than its reports. */
  countersDisagreed = 0;
  /** Channels that were given up because too many were up. */
  channelsGivenUp = 0;
}
