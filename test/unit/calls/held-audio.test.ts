import { describe, expect, test } from 'vitest';
import { local, remote, reportBlock, Script, sender, snapshot } from './script.ts';

const MUSIC = 0x5f;
const SPEECH = 0xa0;
const LATER_SPEECH = 0xa1;

/** Of what the phone on channel 2 hears: where it stands with one stream. */
interface Standing {
  readonly ssrc: number;
  readonly highest: number;
  readonly lost?: number;
}

/** Two phones talk; the one on channel 1 holds the call, and the one on channel 2 is held. Its reports come every 5 s. */
class HeldCall {
  readonly script = new Script().up('1').up('2').codecs('2', 'ulaw').enter('b', '1').enter('b', '2');
  #own: number | null;
  #atS = 0;

  constructor(own: number | null = SPEECH) {
    this.#own = own;
  }

  /** The phone's report, and 30 ms later our own, which names what we send now. */
  report(standing: Standing, own = this.#own): this {
    this.until(5 * Math.floor(this.#atS / 5 + 1));
    const block = reportBlock(standing.highest, standing.lost ?? 0, { sourceSsrc: standing.ssrc });
    const sent = Math.floor(this.#atS * 50);
    this.script.rtcp('2', remote(block, { rttMs: 20, sender: sender(this.#atS, sent) }));
    if (own !== null) {
      const heard = reportBlock(sent, 0, { sourceSsrc: 0xfa });
      this.script.wait(0.03).rtcp('2', local(heard, { sender: sender(this.#atS, sent), senderSsrc: own }));
      this.script.wait(-0.03);
    }
    this.#own = own;
    return this;
  }

  hold(atS: number): this {
    return this.#tell('hold', atS);
  }

  retrieve(atS: number): this {
    return this.#tell('unhold', atS);
  }

  get tx() {
    return this.script.channel('2').streams[1];
  }

  until(atS: number): void {
    this.script.wait(atS - this.#atS);
    this.#atS = atS;
  }

  #tell(type: 'hold' | 'unhold', atS: number): this {
    this.until(atS);
    this.script.board.handle({ type, atMs: this.script.atMs, channel: snapshot('1') });
    return this;
  }
}

describe('the one who is held', () => {
  test('and counts the music alone in a first report says nothing of loss', () => {
    // 1.5 s of music, a ninth of it lost, are not 8 of the 250 packets of 5 s.
    const call = new HeldCall(MUSIC).hold(3.5).report({ ssrc: MUSIC, highest: 4094, lost: 8 });
    expect(call.tx).toMatchObject({ packetsLost: null, lossPercent: null, reports: 1 });
    call.report({ ssrc: MUSIC, highest: 4344, lost: 33 });
    expect(call.tx).toMatchObject({ packetsLost: 25, lossPercent: 10 });
  });

  test('and names the speech of before for the first time: what was not sent to it during the music is not lost', () => {
    const call = new HeldCall(MUSIC).hold(3.5).report({ ssrc: MUSIC, highest: 4094, lost: 1 });
    // Of the speech, 75 packets were not passed on during 1.5 s, and one more was lost.
    call.retrieve(5.1).report({ ssrc: MUSIC, highest: 4097, lost: 1 }, SPEECH);
    call.report({ ssrc: SPEECH, highest: 750, lost: 76 });
    for (const n of [1, 2]) call.report({ ssrc: SPEECH, highest: 750 + 250 * n, lost: 76 + 5 * n });
    expect(call.tx).toMatchObject({ packetsLost: 10, packetsExpected: 500, lossPercent: 2, deadReports: 0 });
  });

  test('and names it before we do: nor is it lost then', () => {
    const call = new HeldCall(MUSIC).hold(3.5).report({ ssrc: MUSIC, highest: 4094, lost: 1 });
    call.retrieve(9).report({ ssrc: SPEECH, highest: 500, lost: 280 }, SPEECH);
    for (const n of [1, 2]) call.report({ ssrc: SPEECH, highest: 500 + 250 * n, lost: 280 + 5 * n });
    expect(call.tx?.packetsLost).toBe(10);
    expect(call.tx?.packetsExpected).toBeLessThanOrEqual(525);
    expect(call.tx).toMatchObject({ unusedReports: 1, deadReports: 0, unknownSinceMs: null });
  });

  test('and is given to somebody else has a stream of that one, whose first report counts', () => {
    const call = new HeldCall(SPEECH).hold(2).report({ ssrc: SPEECH, highest: 100 });
    call.until(7);
    call.script.leave('b', '2').enter('c', '2');
    call.report({ ssrc: SPEECH, highest: 150 }, LATER_SPEECH);
    call.report({ ssrc: LATER_SPEECH, highest: 9_400, lost: 20 });
    expect(call.tx).toMatchObject({ packetsLost: 20, deadReports: 0 });
    call.report({ ssrc: LATER_SPEECH, highest: 9_650, lost: 25 });
    expect(call.tx).toMatchObject({ packetsLost: 25, deadReports: 0 });
  });

  test('who has stood still with what we sent before is not deaf: we may send with another SSRC since', () => {
    const call = new HeldCall(MUSIC).hold(3.5).report({ ssrc: MUSIC, highest: 4094 });
    call.retrieve(5.1).report({ ssrc: MUSIC, highest: 4094 }, LATER_SPEECH);
    expect(call.tx).toMatchObject({ deadReports: 0 });
    call.report({ ssrc: MUSIC, highest: 4094 }).report({ ssrc: MUSIC, highest: 4094 });
    expect(call.tx).toMatchObject({ deadReports: 0, mes: null, packetsLost: null });
    expect(call.tx?.why).toMatch(/reported about a stream that this server does not send any more/);
    expect(call.script.channel('2').mesMin ?? 4.4).toBeGreaterThan(4);
  });

  test('who stands still with what we send is, from our next report on', () => {
    const call = new HeldCall(SPEECH).report({ ssrc: SPEECH, highest: 250 });
    call.hold(6).retrieve(9.9);
    for (let n = 0; n < 3; n++) call.report({ ssrc: SPEECH, highest: 250 });
    expect(call.tx?.deadReports).toBeGreaterThanOrEqual(1);
    expect(call.tx?.mes).toBeLessThan(2);
    expect(call.script.channel('2').verdict).toBe('bad');
  });
});
