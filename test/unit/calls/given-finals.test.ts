import { describe, expect, it } from 'vitest';
import { local, remote, reportBlock, Script } from './script.ts';

/** What somebody who is not Asterisk says of a channel: that nothing ever came in, and that it is over. */
const FORGED = { rxPackets: 0, txPackets: 9000, rxLostPackets: 0 };

/** Both ends report what they have received by then. */
function report(script: Script, highestSequence: number): void {
  script.rtcp('1', local(reportBlock(highestSequence, 0)));
  script.rtcp('1', remote(reportBlock(highestSequence, 2), { rttMs: 40 }));
}

function running(): Script {
  const script = new Script().up('1');
  for (let n = 1; n <= 3; n++) {
    script.wait(5);
    report(script, 250 * n);
  }
  return script;
}

describe('final scores that were given', () => {
  it('that was asked for by somebody else is taken back when no hang-up follows, and the channel is scored on', () => {
    const script = running();
    const before = script.channel('1');
    const forged = script.board.finalWord('1', FORGED, script.atMs);
    expect([...(forged?.variables.keys() ?? [])]).toContain('MES');
    expect(script.board.finalWord('2', FORGED, script.atMs)).toBeUndefined();
    expect(script.channel('1').finalAtMs).toBe(script.atMs);
    script.wait(4.5);
    expect([script.board.counters.lastWordsUndone, script.reopened]).toEqual([0, []]);
    script.wait(1);
    expect([script.board.counters.lastWordsUndone, script.reopened]).toEqual([1, ['1']]);
    expect(script.channel('1')).toEqual({ ...before, finalAtMs: null });
    const writes = script.writes.length;
    report(script, 1000);
    expect(script.board.counters).toMatchObject({ reports: 8, lateReports: 0 });
    expect(script.writes.length).toBeGreaterThanOrEqual(writes);
  });

  it('is taken back at once when reports go on, and none of them is lost', () => {
    const script = running();
    script.board.finalWord('1', FORGED, script.atMs);
    script.wait(0.5);
    report(script, 1000);
    expect(script.board.counters).toMatchObject({ reports: 6, lateReports: 2, lastWordsUndone: 0 });
    script.wait(2);
    report(script, 1250);
    expect(script.board.counters).toMatchObject({ reports: 10, lateReports: 0, lastWordsUndone: 1 });
    expect(script.channel('1')).toMatchObject({ finalAtMs: null });
    // The same as if nobody had asked.
    const undisturbed = running();
    undisturbed.wait(0.5);
    report(undisturbed, 1000);
    undisturbed.wait(2);
    report(undisturbed, 1250);
    expect(script.channel('1')).toEqual(undisturbed.channel('1'));
  });

  it('stands when the channel hangs up, and a report on its way changes nothing', () => {
    const script = running();
    const words = script.board.finalWord('1', {}, script.atMs);
    const { finalAtMs, mes } = script.channel('1');
    script.wait(0.2);
    report(script, 1000);
    script.hangup('1');
    script.wait(10);
    expect(words?.variables.get('MES')).toBe(Number(mes).toFixed(2));
    expect(words?.variables.get('MES_VERDICT')).toBe('good');
    expect(script.board.counters).toMatchObject({ lateReports: 2, lastWordsUndone: 0 });
    expect(script.reopened).toEqual([]);
    script.stored();
    expect(finalAtMs).not.toBeNull();
    expect(mes).not.toBeNull();
  });

  it('that is asked for again and again never stops a channel for good', () => {
    const script = running();
    for (let n = 4; n <= 12; n++) {
      script.board.finalWord('1', FORGED, script.atMs);
      script.wait(5.1);
      report(script, 250 * n);
    }
    expect(script.board.counters).toMatchObject({ reports: 24, lateReports: 0, lastWordsUndone: 9 });
    script.hangup('1');
    expect(script.board.liveCount).toBe(0);
  });
});
