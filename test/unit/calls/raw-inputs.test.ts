import { expect, test } from 'vitest';
import type { SegmentRecord } from '../../../src/model/record.ts';
import { local, remote, reportBlock, Script } from './script.ts';

function rxSegments(script: Script): SegmentRecord[] {
  const byNumber = new Map<number, SegmentRecord>();
  for (const change of script.stored()) {
    if (change.kind === 'segment' && change.segment.direction === 'rx')
      byNumber.set(change.segment.segmentNumber, change.segment);
  }
  return [...byNumber.values()];
}

test("what was heard before a codec change is judged by the old codec and its clock, also once the new one's report is in", () => {
  const script = new Script().up('1').wait(5);
  const codec = (name: string) => script.codecs('1', name);
  codec('ulaw');
  script.rtcp('1', local(reportBlock(250, 5, { jitterTicks: 80, fractionLostQ8: 5 })));
  script.wait(5).rtcp('1', local(reportBlock(500, 5, { jitterTicks: 80 })));
  script.wait(1);
  codec('opus');
  expect(rxSegments(script)).toMatchObject([{ codec: 'ulaw', clockRateHz: 8000 }]);
  script.wait(4).rtcp('1', local(reportBlock(750, 5, { jitterTicks: 480 })));

  const [before, after] = rxSegments(script);
  expect(before).toMatchObject({
    segmentNumber: 1,
    codec: 'ulaw',
    reports: 2,
    jitterMs: { min: 10, max: 10, count: 2 },
  });
  expect(after).toMatchObject({ segmentNumber: 2, openedBy: 'codec', codec: 'opus', clockRateHz: 48_000, reports: 1 });
  expect(after?.jitterMs).toMatchObject({ min: 10, max: 10, count: 1 });
  // 5 lost of the 256 expected by the first fraction and of 250 more; opus without loss is 109 - 16.
  const lossPercent = (100 * 5) / 506;
  expect(before?.rLq).toBeCloseTo(93.25 - (95 * lossPercent) / (lossPercent + 10), 6);
  expect(after?.rLq).toBeCloseTo(93, 6);
  const [rx] = script.channel('1').streams;
  expect(rx?.jitterMs).toMatchObject({ min: 10, max: 10, count: 3 });
});

test('a report keeps what its score depends on: its place among all, its begin, its codec and its clock', () => {
  const script = new Script().up('1').wait(5);
  script.rtcp('1', remote(reportBlock(250, 0), { rttMs: 40 }));
  script.codecs('1', 'g722');
  script.rtcp('1', local(reportBlock(250, 0)));
  script.wait(5).rtcp('1', remote(reportBlock(500, 0), { rttMs: 40 }));
  const [first, second] = script.intervals('1', 'tx');
  expect(first).toMatchObject({ channelReportNumber: 1, beganAtMs: null, codec: null, clockRateSource: 'assumed' });
  expect(script.intervals('1', 'rx')).toMatchObject([{ channelReportNumber: 2, beganAtMs: null, codec: 'g722' }]);
  expect(second).toMatchObject({
    channelReportNumber: 3,
    beganAtMs: script.atMs - 5000,
    codec: 'g722',
    clockRateSource: 'codec',
  });
});

test('a round trip belongs to the session that begins with its report', () => {
  const script = new Script().up('1').wait(5);
  script.rtcp('1', remote(reportBlock(250, 0), { rttMs: 40 }));
  script.wait(5).rtcp('1', remote(reportBlock(250, 0, { sourceSsrc: 0xdef }), { rttMs: 80 }));
  const segments = script.stored().filter((change) => change.kind === 'segment' && change.segment.direction === 'tx');
  expect(segments).toMatchObject([
    { segment: { segmentNumber: 1, openedBy: 'start', rttMs: { last: 40, count: 1 } } },
    { segment: { segmentNumber: 2, openedBy: 'ssrc', rttMs: { last: 80, count: 1 } } },
  ]);
  expect(script.channel('1').streams[1]?.rttMs).toMatchObject({ mean: 60, count: 2 });
});

test('the record says when the hangup handler got the final scores, and that it got none', () => {
  const script = new Script().up('1').up('2', { linkedid: '1' }).wait(5);
  script.rtcp('1', local(reportBlock(250, 0)));
  script.board.finalWord('1', {}, script.atMs);
  const finalAtMs = script.atMs;
  script.wait(1).hangup('1').hangup('2', { linkedid: '1' });
  expect(script.channel('1').finalAtMs).toBe(finalAtMs);
  expect(script.channel('2').finalAtMs).toBeNull();
});
