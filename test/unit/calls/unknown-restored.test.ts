import { describe, expect, test } from 'vitest';
import type { CallRecord, ChannelRecord, HistoryChange, SegmentRecord } from '../../../src/model/record.ts';
import type { StoredCall } from '../../../src/model/rescoring.ts';
import { rescoreCall } from '../../../src/calls/again/rescoring.ts';
import { local, remote, reportBlock, Script, sender } from './script.ts';

/** Four good reports, three about the SSRC of before a transfer, and then `known` about ours. */
function play(script: Script, from: number, to: number): Script {
  for (let n = from; n <= to; n++) {
    const own = n <= 4 ? 0x0a : 0x0b;
    const block = reportBlock(250 * n, n, { sourceSsrc: 0xfa, jitterTicks: n === 3 ? 4_000_000 : 16 });
    script.wait(4.5).rtcp('1', local(block, { sender: sender(5 * n, 250 * n), senderSsrc: own }));
    const theirs =
      n <= 7
        ? reportBlock(Math.min(1000, 250 * n), Math.min(n, 4), { sourceSsrc: 0x0a })
        : reportBlock(40_000 + 250 * n, n - 7, { sourceSsrc: 0x0b });
    script.wait(0.5).rtcp('1', remote(theirs, { rttMs: 40, sender: sender(5 * n, 250 * n) }));
  }
  return script;
}

const restOf = ({ channel }: { channel: ChannelRecord }) => {
  const { startedAtMs: _startedAtMs, streams, ...rest } = channel;
  return { ...rest, streams };
};

describe('a direction that is not known', () => {
  test.each([5, 6, 7, 9])('is so after a restart too, which makes it up from its reports: %i of them', (reports) => {
    const whole = play(new Script().up('1').codecs('1', 'ulaw'), 1, 10);

    const before = new Script().up('1').codecs('1', 'ulaw');
    const first = before.drain();
    play(before, 1, reports);
    const intervals = before.drain(before.atMs).flatMap((change) => (change.kind === 'interval' ? [change] : []));
    const after = new Script();
    after.atMs = before.atMs;
    const stored = first.findLast((change) => change.kind === 'channel');
    if (stored?.kind !== 'channel' || stored.resume === null) throw new Error('nothing was stored');
    after.board.restore([
      {
        channel: stored.channel,
        resume: stored.resume.state,
        laterIntervals: intervals.map(({ interval }) => interval),
      },
    ]);
    play(after, reports + 1, 10);
    const [was, is] = [whole, after].map((script) => restOf({ channel: script.channel('1') }));
    expect(is?.streams).toEqual(was?.streams);
    expect([is?.mesRx, is?.mesTx, is?.verdict]).toEqual([was?.mesRx, was?.mesTx, was?.verdict]);
  });

  test.each([7, 10])('stays as it is when it is scored again by the same rules: %i reports', (reports) => {
    const script = play(new Script().up('1').codecs('1', 'ulaw'), 1, reports);
    script.wait(1).hangup('1').wait(30);
    const changes = script.stored();
    const segments = new Map<string, SegmentRecord>();
    for (const change of changes) {
      if (change.kind !== 'segment') continue;
      segments.set(`${change.segment.direction} ${change.segment.segmentNumber}`, change.segment);
    }
    const call = lastOf(changes, 'call');
    const stored: StoredCall = {
      call,
      channels: [
        {
          channel: script.channel('1'),
          segments: [...segments.values()],
          intervals: [...script.intervals('1', 'rx'), ...script.intervals('1', 'tx')],
        },
      ],
      peers: [],
    };
    const again = rescoreCall(stored, script.rules);
    expect(again?.call).toEqual(call);
    expect(again?.channels).toEqual([script.channel('1')]);
    const tx = again?.channels[0]?.streams[1];
    expect(tx?.mes === null).toBe(reports === 7);
    expect(tx?.unusedReports).toBe(3);
    const numberOf = ({
      uniqueid,
      direction,
      reportNumber,
    }: {
      uniqueid: string;
      direction: string;
      reportNumber: number;
    }) => `${uniqueid} ${direction} ${reportNumber}`;
    const scored = new Map(again?.intervals.map((interval) => [numberOf(interval), interval]));
    for (const interval of stored.channels[0]?.intervals ?? [])
      expect(scored.get(numberOf(interval))).toEqual(interval);
  });
});

function lastOf(changes: readonly HistoryChange[], kind: 'call'): CallRecord {
  const last = changes.findLast((change) => change.kind === kind);
  if (last?.kind !== 'call') throw new Error('no call was stored');
  return last.call;
}
