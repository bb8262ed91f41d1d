import { expect, test } from 'vitest';
import { AwaitedReports } from '../../../src/app/capture/awaited-reports.ts';
import type { PbxEvent } from '../../../src/model/event.ts';
import { local, remote, reportBlock, snapshot } from '../calls/script.ts';

const T0 = 1_700_000_000_000;

function theirs(uniqueid: string, atMs: number, blocks = 1): PbxEvent {
  const report = remote(reportBlock(250, 0), { rttMs: 20, hasMoreBlocks: blocks > 1 });
  return { type: 'rtcp', atMs, channel: snapshot(uniqueid), report };
}

const ours = (uniqueid: string, atMs: number): PbxEvent => ({
  type: 'rtcp',
  atMs,
  channel: snapshot(uniqueid),
  report: local(reportBlock(250, 0)),
});
const hangup = (uniqueid: string, atMs: number): PbxEvent => ({
  type: 'hangup',
  atMs,
  channel: snapshot(uniqueid),
  cause: 16,
  causeText: 'Normal Clearing',
});

/** Packets are captured when the test says so. */
function awaiting() {
  const capturedAtMs = new Map<string, number>();
  const reports = new AwaitedReports({
    isCaptured: (uniqueid, sinceMs) => (capturedAtMs.get(uniqueid) ?? 0) >= sinceMs,
  });
  return { reports, capturedAtMs };
}

test('a report of one block does not wait, nor does one whose packet is captured', () => {
  const { reports, capturedAtMs } = awaiting();
  const single = theirs('1', T0);
  expect(reports.inOrder(single)).toEqual([single]);
  capturedAtMs.set('1', T0 + 4998);
  const double = theirs('1', T0 + 5000, 2);
  expect(reports.inOrder(double)).toEqual([double]);
  expect(reports.due(T0 + 99_000)).toEqual([]);
});

test('of two blocks waits for its packet, not for that of the report before, and no longer than 300 ms', () => {
  const { reports, capturedAtMs } = awaiting();
  capturedAtMs.set('1', T0 - 5000);
  const report = theirs('1', T0, 2);
  expect(reports.inOrder(report)).toEqual([]);
  expect(reports.due(T0 + 65)).toEqual([]);
  capturedAtMs.set('1', T0 - 2);
  expect(reports.due(T0 + 130)).toEqual([report]);
  expect(reports.due(T0 + 195)).toEqual([]);
  const late = theirs('1', T0 + 5000, 2);
  expect(reports.inOrder(late)).toEqual([]);
  expect(reports.due(T0 + 5299)).toEqual([]);
  expect(reports.due(T0 + 5300)).toEqual([late]);
});

test('the clock is set back, and it does not wait for that long', () => {
  const { reports } = awaiting();
  const report = theirs('1', T0, 2);
  expect(reports.inOrder(report)).toEqual([]);
  expect(reports.due(T0 - 3_600_000)).toEqual([report]);
});

test('what comes after it of its channel follows it, our own report and other channels do not wait', () => {
  const { reports } = awaiting();
  const report = theirs('1', T0, 2);
  const [own, other, end] = [ours('1', T0 + 30), hangup('2', T0 + 40), hangup('1', T0 + 50)];
  expect(reports.inOrder(report)).toEqual([]);
  expect(reports.inOrder(own)).toEqual([own]);
  expect(reports.inOrder(other)).toEqual([other]);
  expect(reports.inOrder(end)).toEqual([report, end]);
  const [next, last] = [theirs('3', T0 + 60, 2), theirs('3', T0 + 70, 2)];
  expect(reports.inOrder(next)).toEqual([]);
  expect(reports.inOrder(last)).toEqual([next]);
  const resync: PbxEvent = { type: 'resync', atMs: T0 + 80, channels: [] };
  expect(reports.inOrder(resync)).toEqual([last, resync]);
});

test('the final scores of a channel do not wait for it', () => {
  const { reports } = awaiting();
  const [one, two] = [theirs('1', T0, 2), theirs('2', T0, 3)];
  expect([...reports.inOrder(one), ...reports.inOrder(two)]).toEqual([]);
  expect(reports.release('1')).toEqual([one]);
  expect(reports.release('1')).toEqual([]);
  expect(reports.releaseAll()).toEqual([two]);
  expect(reports.due(T0 + 9000)).toEqual([]);
});
