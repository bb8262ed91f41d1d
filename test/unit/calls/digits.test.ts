import { describe, expect, test } from 'vitest';
import type { ChannelRecord } from '../../../src/model/record.ts';
import type { Direction } from '../../../src/model/report.ts';
import { local, remote, reportBlock, Script, sender, snapshot } from './script.ts';

const TICKS_PER_MS = 8;
const QUIET_TICKS = 4;

/** Two phones in a bridge, on which each end reports every 5 s. */
class BridgedCall {
  readonly script = new Script().up('1').up('2', { linkedid: '1' }).codecs('1', 'ulaw').codecs('2', 'ulaw');
  #n = 0;
  #lostOfTwo = 0;

  constructor() {
    this.script.enter('b', '1').enter('b', '2', { linkedid: '1' });
  }

  press(uniqueid: string, direction: Direction): this {
    const { board, atMs } = this.script;
    board.handle({ type: 'digit', atMs, channel: snapshot(uniqueid, { linkedid: '1' }), direction });
    return this;
  }

  /** `jitterMs`: of the audio from 1, and so to 2; `lost`: of that to 2, since the last report. */
  report({ jitterMs = 0.5, lost = 0 }: { readonly jitterMs?: number; readonly lost?: number } = {}): this {
    const n = ++this.#n;
    this.#lostOfTwo += lost;
    this.script.wait(5);
    const sent = sender(5 * n, 250 * n);
    const quiet = { jitterTicks: QUIET_TICKS };
    const digits = { jitterTicks: jitterMs * TICKS_PER_MS };
    this.script.rtcp('1', local(reportBlock(250 * n, 0, digits), { sender: sent, senderSsrc: 0xabc }));
    this.script.rtcp('1', remote(reportBlock(250 * n, 0, quiet), { sender: sent }));
    this.script.rtcp('2', local(reportBlock(250 * n, 0, quiet), { sender: sent, senderSsrc: 0xabc }), {
      linkedid: '1',
    });
    this.script.rtcp('2', remote(reportBlock(250 * n, this.#lostOfTwo, digits), { sender: sent }), { linkedid: '1' });
    return this;
  }

  channel(uniqueid: string): ChannelRecord {
    return this.script.channel(uniqueid);
  }
}

describe('digits that are pressed in a call', () => {
  test('are no jitter, neither of the phone that sends them nor of who hears it', () => {
    const call = new BridgedCall().report().press('1', 'rx').press('2', 'tx').report({ jitterMs: 100 }).report();
    for (const uniqueid of ['1', '2']) {
      const { verdict, mesRx, mesTx, streams } = call.channel(uniqueid);
      expect({ verdict, mesRx, mesTx }).toEqual({
        verdict: 'good',
        // By hand: no loss and no round trip; latency 10 ms costs 0.25.
        mesRx: expect.closeTo(4.4, 2),
        mesTx: expect.closeTo(4.4, 2),
      });
      for (const stream of streams) expect(stream.jitterMs.max).toBe(0.5);
    }
    expect(call.channel('1').streams.map(({ jitterResets }) => jitterResets)).toEqual([1, 0]);
    expect(call.channel('2').streams.map(({ jitterResets }) => jitterResets)).toEqual([0, 1]);
  });

  test('that nobody pressed are the network: the same jitter counts', () => {
    const call = new BridgedCall().report().report({ jitterMs: 100 }).report();
    expect(call.channel('1').mesRx).toBeLessThan(3.5);
    expect(call.channel('1').verdict).not.toBe('good');
    expect(call.channel('1').streams[0]?.jitterMs.max).toBe(100);
  });

  test('do not excuse what comes a report later', () => {
    const call = new BridgedCall().report().press('1', 'rx').report({ jitterMs: 100 }).report({ jitterMs: 90 });
    call.report({ jitterMs: 90 });
    expect(call.channel('1').streams[0]?.jitterMs.max).toBe(90);
    expect(call.channel('1').verdict).not.toBe('good');
  });

  test('that Asterisk takes out of what it passes on leave gaps, which are no loss; other loss is', () => {
    const call = new BridgedCall().report().press('1', 'rx').report({ lost: 42 }).report({ lost: 3 });
    const [, tx] = call.channel('2').streams;
    expect(tx).toMatchObject({ packetsLost: 3, deadReports: 0 });
    expect(tx?.packetsExpected).toBe(500);
    const lossy = new BridgedCall().report().report({ lost: 42 }).report({ lost: 3 });
    expect(lossy.channel('2').streams[1]).toMatchObject({ packetsLost: 45, packetsExpected: 750 });
  });
});
