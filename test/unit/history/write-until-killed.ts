/** Run as a process of its own: records reports of two channels without end, going on from what the file holds. */
import { openHistory } from '../../../src/history/history.ts';
import { channelRecord, intervalRecord, resumeOf } from './records.ts';

const DAY_MS = 86_400_000;
const history = await openHistory({
  path: String(process.argv[2]),
  keepIntervalsMs: 36_500 * DAY_MS,
  keepCallsMs: 36_500 * DAY_MS,
  clock: { nowMs: () => Date.now() },
});
const reportsOf = new Map([
  ['one', 0],
  ['two', 0],
]);
for (const { channel, resume } of await history.resumable()) {
  reportsOf.set(channel.uniqueid, (JSON.parse(resume ?? '') as { reports: number }).reports);
}

function report(): void {
  for (const [uniqueid, reports] of reportsOf) {
    const reportNumber = reports + 1;
    reportsOf.set(uniqueid, reportNumber);
    history.record({ kind: 'interval', interval: intervalRecord(uniqueid, reportNumber) });
    const resume = resumeOf(JSON.stringify({ reports: reportNumber }), reportNumber);
    history.record({ kind: 'channel', channel: channelRecord(uniqueid, { linkedid: 'one' }), resume });
  }
  setTimeout(report, 1);
}
report();
process.send?.('writing');
