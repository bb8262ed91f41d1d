import { describe, expect, test } from 'vitest';
import { local, reportBlock, Script } from './script.ts';

describe('what is told of a channel that is over', () => {
  test('some seconds after its hang-up, when it is forgotten, begins no channel, and is counted', () => {
    const script = new Script().up('1').wait(5).hangup('1');
    script.board.drain();
    script.wait(10);
    script.board.tick(script.atMs);
    expect(script.board.current.channelNow('1')).toBeNull();
    script.rtcp('1', local(reportBlock(250, 0)));
    expect(script.board.liveCount).toBe(0);
    expect(script.board.counters).toMatchObject({ reports: 0, lateReports: 1 });
    script.enter('bridge', '1').up('1');
    expect(script.board.liveCount).toBe(0);
    // Another one is a channel like any.
    script.up('2').rtcp('2', local(reportBlock(250, 0)));
    expect(script.board.liveCount).toBe(1);
    expect(script.board.counters.reports).toBe(1);
  });

  test('when its hang-up came before its beginning, begins no channel', () => {
    const script = new Script().hangup('1').up('1');
    expect(script.board.liveCount).toBe(0);
    script.wait(59).up('1');
    expect(script.board.liveCount).toBe(0);
  });

  test('is a channel again a minute later, and at once after Asterisk was looked at anew', () => {
    const script = new Script().hangup('1').wait(60).up('1');
    expect(script.board.liveCount).toBe(1);
    // One that vanished with the former Asterisk, and is forgotten 5 s later, keeps its id from nobody.
    const before = new Script().up('1').wait(5);
    before.board.handle({ type: 'resync', atMs: before.atMs, channels: [] });
    before.board.drain();
    before.wait(10).up('1');
    expect(before.board.liveCount).toBe(1);
    const restarted = new Script().hangup('1');
    restarted.board.handle({ type: 'resync', atMs: restarted.atMs, channels: [] });
    restarted.up('1');
    expect(restarted.board.liveCount).toBe(1);
  });
});
