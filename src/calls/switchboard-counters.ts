/** What is counted of all channels since the start. */
export class SwitchboardCounters {
  reports = 0;
  /** Reports for channels that had their final scores already. */
  lateReports = 0;
  /** Final scores that were revoked because the channel went on. */
  lastWordsUndone = 0;
  roundTripsRefused = 0;
  /** Times that Asterisk's counters knew of fewer received packets than its reports. */
  countersDisagreed = 0;
  /** Channels that were taken for over because too many were up. */
  channelsGivenUp = 0;
}
