import { describe, expect, test } from 'vitest';
import type { CallRecord } from '../../../src/model/record.ts';
import { remote, reportBlock, Script } from './script.ts';

function lastCall(script: Script, linkedid: string): CallRecord | undefined {
  const last = script.stored().findLast((change) => change.kind === 'call' && change.call.linkedid === linkedid);
  return last?.kind === 'call' ? last.call : undefined;
}

/** One report with so many lost packets, rtt 40. */
function report(script: Script, uniqueid: string, lost: number, linkedid: string): void {
  script.rtcp(uniqueid, remote(reportBlock(250, lost, { fractionLostQ8: lost }), { rttMs: 40 }), { linkedid });
}

/** Asterisk lists its channels, and there is none. */
function foundGone(script: Script): void {
  script.board.handle({ type: 'resync', atMs: script.atMs, channels: [] });
}

function setClock(script: Script, byS: number): void {
  script.atMs += byS * 1000;
  script.board.clockStepped(byS * 1000);
}

// latency 50: r = 91.95 − 6.25 a percent → opinions by hand. 8 of 256 are 3.125 %: r = 72.41875.
const MES_LOST_0 = 4.3838;
const MES_LOST_8 = 3.7083;

describe('a two-party call', () => {
  test("each leg gets its peer's score under other names, and the call is the mean of all directions", () => {
    const script = new Script().up('1').up('2', { linkedid: '1' });
    script.enter('b', '1').enter('b', '2', { linkedid: '1' }).wait(5);
    report(script, '1', 0, '1');
    report(script, '2', 8, '1');
    script.wait(2);
    expect(script.channel('1')).toMatchObject({ peerUniqueid: '2', linkedid: '1' });
    expect(script.channel('1').mesPeerTx).toBeCloseTo(MES_LOST_8, 2);
    expect(script.channel('2').mesPeerTx).toBeCloseTo(MES_LOST_0, 2);
    expect(lastCall(script, '1')?.mes).toBeCloseTo((MES_LOST_0 + MES_LOST_8) / 2, 2);
  });

  test('a report writes its own channel at once, the peer within a second, and only what changed', () => {
    const script = new Script().up('1').up('2', { linkedid: '1' });
    script.enter('b', '1').enter('b', '2', { linkedid: '1' }).wait(5);
    report(script, '1', 0, '1');
    expect(script.writes).toEqual([
      {
        uniqueid: '1',
        variables: { MES: '4.38', MES_TX: '4.38', MES_CALL: '4.38', MES_MIN: '4.38', MES_VERDICT: 'good' },
      },
    ]);
    script.wait(1);
    expect(script.writes[1]).toEqual({ uniqueid: '2', variables: { MES_PEER_TX: '4.38', MES_CALL: '4.38' } });
    script.wait(4).rtcp('1', remote(reportBlock(500, 0), { rttMs: 40 }));
    script.wait(5);
    expect(script.writes).toHaveLength(2);
  });

  test('without a writer nothing is written while it is up, and its final scores and records are the same', () => {
    const told = [true, false].map((isWriting) => {
      const script = new Script(undefined, undefined, isWriting).up('1').up('2', { linkedid: '1' });
      script.enter('b', '1').enter('b', '2', { linkedid: '1' }).wait(5);
      report(script, '1', 0, '1');
      report(script, '2', 8, '1');
      script.wait(2);
      const last = script.board.finalWord('1', {}, script.atMs);
      const records = script.stored().map((change) => ({ ...change, resume: null }));
      return { writes: script.writes.length, last: Object.fromEntries(last?.variables ?? []), records };
    });
    expect(told.map(({ writes }) => writes)).toEqual([3, 0]);
    expect(told[1]?.last).toEqual(told[0]?.last);
    expect(told[1]?.last).toMatchObject({ MES: '4.38', MES_PEER_TX: '3.71' });
    expect(told[1]?.records).toEqual(told[0]?.records);
    expect(told[1]?.records.length).toBeGreaterThan(4);
  });

  test('ends when its last channel does, and is let go of a while later', () => {
    const script = new Script().up('1').up('2', { linkedid: '1' });
    script.wait(5).hangup('2', { linkedid: '1' });
    script.stored();
    expect(lastCall(script, '1')?.endedAtMs).toBeNull();
    script.wait(1).hangup('1');
    expect(lastCall(script, '1')?.endedAtMs).toBe(script.atMs);
    const resumes = script
      .stored()
      .filter((change) => change.kind === 'channel')
      .slice(-2);
    expect(resumes.map((change) => change.resume)).toEqual([null, null]);
    script.wait(61);
    expect(script.board.finalWord('1', {}, script.atMs)).toBeUndefined();
  });
});

describe('calls that are joined', () => {
  test('attended transfer: the consultation and its ended channel follow into the older call', () => {
    // 1 calls 2; 2 (as channel 3) consults 4; then 1 and 4 are bridged and 2, 3 hang up.
    const script = new Script().up('1').up('2', { linkedid: '1' });
    script.enter('b', '1').enter('b', '2', { linkedid: '1' });
    script.wait(5).up('3').up('4', { linkedid: '3' }).enter('c', '3').enter('c', '4', { linkedid: '3' });
    script.wait(5);
    report(script, '3', 0, '3');
    report(script, '4', 8, '3');
    script.leave('c', '4', { linkedid: '3' }).enter('b', '4', { linkedid: '1' });
    script.hangup('2', { linkedid: '1' }).hangup('3', { linkedid: '3' });
    expect(script.stored()).toContainEqual({ kind: 'call-merged', fromLinkedid: '3', intoLinkedid: '1' });
    expect(script.channel('3')).toMatchObject({ linkedid: '1', endReason: 'hangup' });
    expect(script.channel('4')).toMatchObject({ linkedid: '1', endedAtMs: null, peerUniqueid: '1' });
    expect(script.channel('4').mesTx).toBeCloseTo(MES_LOST_8, 2);
    expect(lastCall(script, '1')?.mes).toBeCloseTo((MES_LOST_0 + MES_LOST_8) / 2, 2);
    script.hangup('1').hangup('4', { linkedid: '1' });
    expect(lastCall(script, '1')?.endedAtMs).toBe(script.atMs);
  });

  test('a call that lost one channel to another call is not merged while it is still up', () => {
    const script = new Script().up('1').up('5').up('6', { linkedid: '5' }).up('7', { linkedid: '5' });
    script.enter('b', '6', { linkedid: '1' });
    expect(script.stored().filter((change) => change.kind === 'call-merged')).toEqual([]);
    expect(script.channel('6').linkedid).toBe('1');
    script.hangup('5').hangup('7', { linkedid: '5' });
    expect(script.stored()).toContainEqual({ kind: 'call-merged', fromLinkedid: '5', intoLinkedid: '1' });
  });

  test('what follows into a call that has ended meanwhile moves its end on', () => {
    const script = new Script().up('1').up('5').up('6', { linkedid: '5' });
    script.enter('b', '6', { linkedid: '1' }).wait(5).hangup('1').hangup('6', { linkedid: '1' });
    script.stored();
    expect(lastCall(script, '1')?.endedAtMs).toBe(script.atMs);
    script.wait(4).hangup('5');
    expect(lastCall(script, '1')?.endedAtMs).toBe(script.atMs);
    // And it stays for stragglers as long as any other.
    script.stored();
    script.wait(4);
    report(script, '5', 0, '1');
    expect(script.board.counters.lateReports).toBe(1);
    expect(script.board.liveCount).toBe(0);
  });

  test('of more than a thousand that have just ended the oldest go as soon as they are stored', () => {
    const script = new Script();
    const uniqueids = Array.from({ length: 1200 }, (_, index) => `${index + 1}.5`);
    for (const uniqueid of uniqueids) script.up(uniqueid).hangup(uniqueid);
    const isKnown = (uniqueid: string): boolean => script.board.finalWord(uniqueid, {}, script.atMs) !== undefined;
    script.wait(1);
    expect(uniqueids.filter(isKnown)).toHaveLength(1200);
    script.stored();
    script.wait(1);
    expect(uniqueids.filter(isKnown)).toStrictEqual(uniqueids.slice(200));
  });

  test('chains of joins end in the last call', () => {
    const script = new Script().up('1').up('2').up('3');
    script.up('4', { linkedid: '3' });
    script.enter('b', '3', { linkedid: '2' });
    script.enter('c', '2', { linkedid: '1' }).enter('c', '3', { linkedid: '1' });
    script.hangup('4', { linkedid: '3' });
    expect(script.channel('4').linkedid).toBe('1');
    expect(script.channel('3').linkedid).toBe('1');
  });

  test('a conference is one call whose parties have no single peer', () => {
    const script = new Script().up('1').up('2').up('3');
    for (const uniqueid of ['1', '2', '3']) script.enter('conf', uniqueid, { linkedid: '1' });
    script.wait(5);
    for (const [uniqueid, lost] of [
      ['1', 0],
      ['2', 0],
      ['3', 8],
    ] as const)
      report(script, uniqueid, lost, '1');
    expect(lastCall(script, '1')?.mes).toBeCloseTo((2 * MES_LOST_0 + MES_LOST_8) / 3, 2);
    expect(script.channel('3')).toMatchObject({ peerUniqueid: null, mesPeerTx: null });
  });

  test('the peer is found through Local channels', () => {
    const script = new Script().up('1').up('9', { linkedid: '1' });
    script
      .up('5', { linkedid: '1', name: 'Local/x@y-00000001;1' })
      .up('6', { linkedid: '1', name: 'Local/x@y-00000001;2' });
    script.board.handle({ type: 'local-bridge', atMs: script.atMs, oneUniqueid: '5', twoUniqueid: '6' });
    script
      .enter('a', '1')
      .enter('a', '5', { linkedid: '1' })
      .enter('b', '6', { linkedid: '1' })
      .enter('b', '9', { linkedid: '1' });
    expect(script.channel('9').peerUniqueid).toBe('1');
  });
});

describe('a broken link to Asterisk', () => {
  const blockAt = (n: number) => remote(reportBlock(250 * n, 10 * n, { fractionLostQ8: 10 }), { rttMs: 20 });

  test('missed reports are spread over the intervals that they cover: the mean stays', () => {
    const script = new Script().up('1');
    for (let n = 1; n <= 3; n++) script.wait(5).rtcp('1', blockAt(n));
    script.board.handle({ type: 'link-lost', atMs: script.atMs });
    script.wait(20).rtcp('1', blockAt(7));
    const [, tx] = script.channel('1').streams;
    expect(tx?.lostPacketsPerReportMean).toBeCloseTo(10, 9);
    expect(tx).toMatchObject({ packetsLost: 70, reports: 4 });
    expect(script.intervals('1', 'tx').map(({ coversReports }) => coversReports)).toEqual([1, 1, 1, 4]);
  });

  test('after a restart scoring goes on from the stored state, and what vanished is closed as such', () => {
    const before = new Script().up('1').up('2');
    for (let n = 1; n <= 3; n++) before.wait(5).rtcp('1', blockAt(n)).rtcp('2', blockAt(n));
    const resumable = before
      .stored()
      .flatMap((change) =>
        change.kind === 'channel' && change.resume !== null
          ? [{ channel: change.channel, resume: change.resume.state, laterIntervals: [] }]
          : [],
      );
    const after = new Script();
    after.atMs = before.atMs;
    after.board.restore(resumable);
    after.wait(5);
    after.board.handle({
      type: 'resync',
      atMs: after.atMs,
      channels: [
        {
          uniqueid: '1',
          linkedid: '1',
          name: 'PJSIP/phone1-00000001',
          stateNumber: 6,
          ageS: 20,
          codecs: { rx: 'alaw', tx: 'ulaw' },
        },
      ],
    });
    after.rtcp('1', blockAt(4));
    const [rx, tx] = after.channel('1').streams;
    expect(rx).toMatchObject({ reports: 0, codec: 'alaw' });
    expect(tx).toMatchObject({ reports: 4, packetsLost: 40, codec: 'ulaw' });
    expect(after.intervals('1', 'tx').map(({ reportNumber }) => reportNumber)).toEqual([4]);
    expect(after.channel('2')).toMatchObject({ endReason: 'vanished', endedAtMs: before.atMs });
  });

  test('what is taken for vanished and then hangs up after all has the reason and the cause of that', () => {
    const script = new Script().up('1').wait(5);
    foundGone(script);
    expect(script.channel('1')).toMatchObject({ endReason: 'vanished', hangupCause: null });
    script.wait(1).hangup('1');
    expect(script.channel('1')).toMatchObject({ endReason: 'hangup', hangupCause: 16 });
  });

  test('of a restored call without a channel that is up, the end is told as soon as it is known what is up', () => {
    const before = new Script().up('1').up('2', { linkedid: '1' }).wait(5).hangup('2', { linkedid: '1' });
    const [ended] = before
      .stored()
      .flatMap((change) =>
        change.kind === 'channel' && change.resume !== null && change.channel.endedAtMs !== null
          ? [{ channel: change.channel, resume: change.resume.state, laterIntervals: [] }]
          : [],
      );
    if (ended === undefined) throw new Error('nothing was stored of the channel that ended');
    const after = new Script();
    after.atMs = before.atMs;
    after.board.restore([ended]);
    after.wait(5);
    expect(after.stored()).toEqual([]);
    after.board.handle({ type: 'resync', atMs: after.atMs, channels: [] });
    expect(lastCall(after, '1')?.endedAtMs).toBe(before.atMs);
    expect(after.channel('2')).toMatchObject({ endReason: 'hangup', endedAtMs: before.atMs });
    after.wait(20).hangup('2', { linkedid: '1' });
    expect(after.stored().filter(({ kind }) => kind === 'channel')).toHaveLength(1);
  });

  test('a call that was up before we came is scored from its second report on', () => {
    const script = new Script();
    script.board.handle({
      type: 'resync',
      atMs: script.atMs,
      channels: [
        {
          uniqueid: '1',
          linkedid: '1',
          name: 'PJSIP/phone1-00000001',
          stateNumber: 6,
          ageS: 3600,
          codecs: { rx: null, tx: null },
        },
      ],
    });
    script.wait(5).rtcp('1', remote(reportBlock(180_000, 4000, { fractionLostQ8: 3 }), { rttMs: 20 }));
    expect(script.channel('1').mes).toBeNull();
    script.wait(5).rtcp('1', remote(reportBlock(180_250, 4010, { fractionLostQ8: 10 }), { rttMs: 20 }));
    expect(script.channel('1').streams[1]?.lostPacketsPerReportMean).toBe(10);
    expect(script.channel('1').startedAtMs).toBe(script.atMs - 3_610_000);
  });
});

test.each([
  ['hangs up', (script: Script) => script.hangup('1')],
  ['is found gone an hour after it was last heard of', (script: Script) => foundGone(script.wait(3600))],
  ['hangs up just before the clock is set back', (script: Script) => setClock(script.hangup('1'), -3600)],
  ['hangs up just before the clock is set ahead', (script: Script) => setClock(script.hangup('1'), 3600)],
] as const)('what comes late of a channel is known to be of it for five seconds after it %s', (_, end) => {
  const script = new Script().up('1').wait(5);
  end(script);
  script.stored();
  script.wait(4.9);
  report(script, '1', 0, '1');
  expect([script.board.counters.lateReports, script.board.liveCount]).toEqual([1, 0]);
  script.hangup('1');
  expect(script.channel('1')).toMatchObject({ endReason: 'hangup', hangupCause: 16 });
  script.wait(0.2);
  expect(script.board.finalWord('1', {}, script.atMs)).toBeUndefined();
});
