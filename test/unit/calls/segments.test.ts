import { describe, expect, test } from 'vitest';
import type { SegmentRecord } from '../../../src/model/record.ts';
import { local, remote, reportBlock, Script, sender, snapshot } from './script.ts';

/** The last stored state of each segment of a direction, in order. */
function segments(script: Script, uniqueid: string, direction: 'rx' | 'tx'): SegmentRecord[] {
  const found = new Map<number, SegmentRecord>();
  for (const change of script.stored()) {
    if (change.kind !== 'segment') continue;
    const { segment } = change;
    if (segment.uniqueid === uniqueid && segment.direction === direction) found.set(segment.segmentNumber, segment);
  }
  return [...found.values()];
}

const causes = (script: Script, direction: 'rx' | 'tx'): string[] =>
  segments(script, '1', direction).map(({ openedBy, reports }) => `${openedBy} ${reports}`);

describe('RTP sessions of a channel', () => {
  test('hold and retrieve open new ones: their values start afresh, the channel keeps the sum', () => {
    const script = new Script().up('1');
    const report = (n: number, lost: number) =>
      script.wait(5).rtcp('1', local(reportBlock(250 * n, lost, { jitterTicks: 80, fractionLostQ8: 20 })));
    report(1, 10);
    report(2, 20);
    script.board.handle({ type: 'hold', atMs: script.atMs, channel: snapshot('1') });
    script.wait(1);
    script.board.handle({ type: 'unhold', atMs: script.atMs, channel: snapshot('1') });
    report(3, 20);
    report(4, 20);
    expect(causes(script, 'rx')).toEqual(['start 2', 'hold 2']);
    const [before, after] = segments(script, '1', 'rx');
    expect(before).toMatchObject({ packetsLost: 20, lostPacketsPerReportMean: 10 });
    expect(after).toMatchObject({ packetsLost: 0, lostPacketsPerReportMean: 0, jitterMs: { count: 2, mean: 10 } });
    expect(script.channel('1').streams[0]).toMatchObject({ reports: 4, packetsLost: 20, lostPacketsPerReportMean: 5 });
    expect(before?.endedAtMs).toBeLessThanOrEqual(after?.startedAtMs ?? 0);
  });

  test('a first report that comes after a hold says nothing of loss, and the next one does', () => {
    const script = new Script().up('1').enter('b', '1').wait(4);
    script.board.handle({ type: 'hold', atMs: script.atMs, channel: snapshot('1') });
    script.wait(4);
    script.board.handle({ type: 'unhold', atMs: script.atMs, channel: snapshot('1') });
    // As baresip: the 200 packets before the hold are lost to it.
    script.wait(5).rtcp('1', remote(reportBlock(450, 200, { fractionLostQ8: 113 })));
    expect(script.channel('1').streams[1]).toMatchObject({ packetsLost: null, lossPercent: null });
    script.wait(5).rtcp('1', remote(reportBlock(700, 210)));
    expect(script.channel('1').streams[1]).toMatchObject({ packetsLost: 10, lossPercent: 4 });
    // Without a hold the first report counts.
    const plain = new Script().up('1').enter('b', '1').wait(13);
    plain.rtcp('1', remote(reportBlock(450, 200, { fractionLostQ8: 113 })));
    expect(plain.channel('1').streams[1]?.packetsLost).toBe(200);
  });

  test('nor does one that comes when the phone has gone over into another bridge, as in a consultation', () => {
    const script = new Script().up('1').enter('b', '1').wait(2);
    script.leave('b', '1').enter('c', '1');
    // Of the one who spoke with it first the last number was 100, of the other one the first is 120.
    script.wait(3).rtcp('1', remote(reportBlock(270, 20)));
    expect(script.channel('1').streams[1]).toMatchObject({ packetsLost: null, lossPercent: null, reports: 1 });
    script.wait(5).rtcp('1', remote(reportBlock(520, 30)));
    expect(script.channel('1').streams[1]).toMatchObject({ packetsLost: 10, lossPercent: 4 });
  });

  test('a source that is put on the channel before its first report spoils its jitter for 5 s; the first bridge does not', () => {
    const jittersMs = (bridgedAfterS: number, reportAfterS: number): number | undefined => {
      const script = new Script().up('1').wait(bridgedAfterS).enter('b', '1').wait(reportAfterS);
      script.rtcp('1', remote(reportBlock(250, 0, { jitterTicks: 1360 })));
      return script.channel('1').streams[1]?.jitterMs.count;
    };
    expect(jittersMs(0.1, 5)).toBe(1);
    expect(jittersMs(3, 2)).toBe(0);
    expect(jittersMs(3, 4.9)).toBe(0);
    expect(jittersMs(3, 5.1)).toBe(1);
  });

  test('to take back what was never held opens none', () => {
    const script = new Script().up('1');
    script.wait(5).rtcp('1', local(reportBlock(250, 0)));
    script.board.handle({ type: 'unhold', atMs: script.atMs, channel: snapshot('1') });
    script.wait(5).rtcp('1', local(reportBlock(500, 0)));
    expect(causes(script, 'rx')).toEqual(['start 2']);
  });

  test('a new SSRC opens one, and counts from its own beginning', () => {
    const script = new Script().up('1');
    script.wait(5).rtcp('1', remote(reportBlock(250, 7, { fractionLostQ8: 7 })));
    script.wait(5).rtcp('1', remote(reportBlock(900, 2, { sourceSsrc: 0xdef, fractionLostQ8: 2 })));
    expect(causes(script, 'tx')).toEqual(['start 1', 'ssrc 1']);
    expect(segments(script, '1', 'tx').map(({ ssrc, packetsLost }) => [ssrc, packetsLost])).toEqual([
      [0xabc, 7],
      [0xdef, 2],
    ]);
  });

  test('a new codec opens one in both directions', () => {
    const script = new Script().up('1').wait(5);
    script.codecs('1', 'ulaw');
    script.rtcp('1', local(reportBlock(250, 0))).rtcp('1', remote(reportBlock(250, 0)));
    script.wait(1);
    script.codecs('1', 'g722');
    script
      .wait(4)
      .rtcp('1', local(reportBlock(500, 0)))
      .rtcp('1', remote(reportBlock(500, 0)));
    expect(causes(script, 'rx')).toEqual(['start 1', 'codec 1']);
    expect(causes(script, 'tx')).toEqual(['start 1', 'codec 1']);
  });

  test('a new codec of one direction opens one there only, and what was heard before keeps its own', () => {
    const script = new Script().up('1').wait(5).codecs('1', 'ulaw');
    script.rtcp('1', local(reportBlock(250, 0))).rtcp('1', remote(reportBlock(250, 0)));
    script.wait(1).codecs('1', 'g722', 'ulaw');
    script
      .wait(4)
      .rtcp('1', local(reportBlock(500, 0)))
      .rtcp('1', remote(reportBlock(500, 0)));
    script.wait(1).codecs('1', null, 'alaw');
    script
      .wait(4)
      .rtcp('1', local(reportBlock(750, 0)))
      .rtcp('1', remote(reportBlock(750, 0)));
    const codecsOf = (direction: 'rx' | 'tx') =>
      segments(script, '1', direction).map(({ openedBy, codec, reports }) => [openedBy, codec, reports]);
    expect(codecsOf('rx')).toEqual([
      ['start', 'ulaw', 1],
      ['codec', 'g722', 2],
    ]);
    expect(codecsOf('tx')).toEqual([
      ['start', 'ulaw', 2],
      ['codec', 'alaw', 1],
    ]);
    expect(script.intervals('1', 'rx').map(({ codec }) => codec)).toEqual(['ulaw', 'g722', 'g722']);
    expect(script.intervals('1', 'tx').map(({ codec }) => codec)).toEqual(['ulaw', 'ulaw', 'alaw']);
    // No loss: the best of G.722 (93.25 - 5) and of G.711, by hand.
    expect(segments(script, '1', 'rx')[1]?.rLq).toBeCloseTo(88.25, 9);
    expect(segments(script, '1', 'tx')[0]?.rLq).toBeCloseTo(93.25, 9);
  });

  test('a codec that is told when a session has just shown itself was there from its beginning', () => {
    const script = new Script().up('1').wait(5).codecs('1', 'ulaw');
    script.rtcp('1', remote(reportBlock(250, 0)));
    script.wait(5).rtcp('1', remote(reportBlock(900, 0, { sourceSsrc: 0xdef })));
    script.codecs('1', 'ulaw', 'g722');
    script.wait(5).rtcp('1', remote(reportBlock(1150, 0, { sourceSsrc: 0xdef })));
    expect(segments(script, '1', 'tx').map(({ openedBy, codec, reports }) => [openedBy, codec, reports])).toEqual([
      ['start', 'ulaw', 1],
      ['ssrc', 'g722', 2],
    ]);
  });

  test('the first codec that is learnt is no change, and before there was media there is nothing to close', () => {
    const script = new Script().up('1').enter('b', '1').up('2', { linkedid: '1' }).enter('b', '2', { linkedid: '1' });
    script.wait(5).rtcp('1', local(reportBlock(250, 0)));
    script.codecs('1', 'ulaw');
    script.wait(5).rtcp('1', local(reportBlock(500, 0)));
    expect(causes(script, 'rx')).toEqual(['start 2']);
  });

  test('a transfer opens one for who stays', () => {
    const script = new Script().up('1').up('2', { linkedid: '1' });
    script.enter('b', '1').enter('b', '2', { linkedid: '1' });
    script.wait(5).rtcp('1', remote(reportBlock(250, 0)));
    script.leave('b', '2', { linkedid: '1' }).enter('b', '3', { linkedid: '1' });
    script.wait(5).rtcp('1', remote(reportBlock(800, 300)));
    script.wait(5).rtcp('1', remote(reportBlock(1050, 305)));
    expect(causes(script, 'tx')).toEqual(['start 1', 'bridge 2']);
    // The jump of 300 packets is no loss; what is lost after it is.
    expect(segments(script, '1', 'tx')[1]).toMatchObject({ packetsExpected: 250, packetsLost: 5 });
  });
});

describe('the E-model of a direction', () => {
  const quality = (script: Script) => script.channel('1').streams[0];

  test('is of the session and of the last interval, and needs codec and packets', () => {
    const script = new Script().up('1').wait(5);
    script.rtcp('1', local(reportBlock(250, 10, { fractionLostQ8: 10 })));
    expect(quality(script)).toMatchObject({ mosLq: null, rLq: null });
    script.codecs('1', 'ulaw');
    script.wait(5).rtcp('1', local(reportBlock(500, 10)));
    script.wait(5).rtcp('1', local(reportBlock(744, 10)));
    // 256 (from the fraction) + 250 + 244 packets, 10 lost: 1.333 %; by hand 93.25 − 95 · 1.3333 / 11.3333 = 82.0735.
    expect(quality(script)?.rLq).toBeCloseTo(82.0735, 3);
    expect(quality(script)?.rCq).toBeCloseTo(81.9235, 3);
    // Nothing was lost in the last interval: the best of G.711.
    expect(quality(script)?.mosLqInterval).toBeCloseTo(4.4098, 3);
  });

  test('is not available under 5 packets', () => {
    const script = new Script().up('1').wait(5);
    script.codecs('1', 'ulaw');
    script.rtcp('1', remote(null, { sender: sender(5, 4) })).rtcp('1', local(reportBlock(104, 0)));
    expect(quality(script)).toMatchObject({ packetsReceived: 4, mosLq: null, mosLqInterval: null });
    script.wait(5).rtcp('1', local(reportBlock(109, 0)));
    expect(quality(script)?.mosLq).toBeCloseTo(4.41, 2);
  });

  test('a direction whose clock is not that of the codec has another codec, which nobody told', () => {
    const script = new Script().up('1').wait(5);
    script.codecs('1', 'ulaw');
    for (const n of [1, 2]) {
      script.rtcp('1', remote(reportBlock(250 * n, 0), { sender: sender(5 * n, 250 * n, 16_000) }));
      script.rtcp('1', local(reportBlock(250 * n, 0), { sender: sender(5 * n, 250 * n, 8000) })).wait(5);
    }
    const [rx, tx] = script.channel('1').streams;
    expect(rx).toMatchObject({ codec: null, clockRateHz: 16_000, mosLq: null });
    expect(tx).toMatchObject({ codec: 'ulaw', clockRateHz: 8000 });
  });
});
