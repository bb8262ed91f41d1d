import { describe, expect, test } from 'vitest';
import type { CallRecord } from '../../../src/model/record.ts';
import { advantageOf } from '../../../src/calls/scoring-rules.ts';
import { local, remote, reportBlock, Script, sender } from './script.ts';

const why = (script: Script, uniqueid: string, direction: 'rx' | 'tx'): string | null =>
  script.channel(uniqueid).streams[direction === 'rx' ? 0 : 1]?.why ?? null;

/** Reports about what 1 sent: so many lost in each. The clock of the script starts at 22:13:20 UTC. */
function lossy(lostPerReport: readonly number[]): Script {
  const script = new Script().up('1', { name: 'PJSIP/alice-00000001' });
  let sequence = 0;
  let lost = 0;
  for (const lostNow of lostPerReport) {
    sequence += 250;
    lost += lostNow;
    const block = reportBlock(sequence, lost, { jitterTicks: 24, fractionLostQ8: Math.round((lostNow * 256) / 250) });
    script.wait(5).rtcp('1', local(block), { name: 'PJSIP/alice-00000001' });
  }
  return script;
}

describe('why a direction has its score', () => {
  test('a good one says so, with its numbers', () => {
    const script = new Script().up('1', { name: 'PJSIP/alice-00000001' }).wait(5);
    const block = reportBlock(250, 0, { jitterTicks: 16 });
    script.rtcp('1', remote(block, { rttMs: 40 }), { name: 'PJSIP/alice-00000001' });
    script
      .wait(5)
      .rtcp('1', remote({ ...block, extendedHighestSequence: 500 }, { rttMs: 40 }), { name: 'PJSIP/alice-00000001' });
    expect(why(script, '1', 'tx')).toBe('The audio to PJSIP/alice was fine: no loss, round trip 40 ms, jitter 2.0 ms.');
  });

  test('loss that was there all along, at random', () => {
    expect(why(lossy([10, 9, 11, 10, 10, 9]), '1', 'rx')).toBe(
      '3.9 % of the audio from PJSIP/alice was lost; jitter was fine; the round trip is not known.',
    );
  });

  test('loss in bursts, and from when on', () => {
    expect(why(lossy([0, 0, 0, 0, 0, 60, 0, 80]), '1', 'rx')).toBe(
      '7.0 % of the audio from PJSIP/alice was lost, in bursts, from 22:13:45 UTC on; jitter was fine; the round trip is not known.',
    );
  });

  test('loss that came and went', () => {
    expect(why(lossy([0, 0, 0, 0, 25, 25, 0, 0, 0, 0]), '1', 'rx')).toMatch(
      /^Good, although 2\.0 % .* from 22:13:40 UTC to 22:13:50 UTC; /,
    );
  });

  test('delay, by itself', () => {
    const script = new Script()
      .up('1')
      .wait(5)
      .rtcp('1', remote(reportBlock(250, 0), { rttMs: 400 }));
    expect(why(script, '1', 'tx')).toBe(
      'The round trip to PJSIP/phone1 and back took 400 ms; loss and jitter were fine.',
    );
  });

  test('nothing arrives any more: since when, and how much of the whole that was', () => {
    const script = new Script().up('1');
    for (let n = 1; n <= 4; n++) {
      script.wait(3).rtcp('1', local(null, { sender: sender(5 * n, 250 * n) }));
      script.wait(2).rtcp('1', remote(reportBlock(Math.min(n, 2) * 250, 0), { rttMs: 20 }));
    }
    expect(why(script, '1', 'tx')).toMatch(
      /^From 22:13:30 UTC on nothing of the audio to PJSIP\/phone1 arrived any more \((4\d|50)\.\d % of it was lost in all\); /,
    );
    script.wait(5).rtcp('1', remote(reportBlock(1500, 500), { rttMs: 20 }));
    expect(why(script, '1', 'tx')).toMatch(/^\d\d\.\d % of the audio to PJSIP\/phone1 was lost/);
  });

  test.each([
    ['shorter than one report', (script: Script) => script.wait(3).hangup('1'), /shorter than one report/],
    ['no RTCP at all', (script: Script) => script.wait(60).hangup('1'), /The far end sent no RTCP report/],
    ['too early to say', (script: Script) => script, /^nothing said$/],
  ])('no score: %s', (_what, play, sentence) => {
    const script = new Script().up('1');
    play(script);
    const said = why(script, '1', 'tx');
    expect(said ?? 'nothing said').toMatch(sentence);
  });

  test('no score: direct media, a Local channel', () => {
    const direct = new Script().up('1').enter('b', '1').wait(60);
    direct.board.handle({
      type: 'bridge-leave',
      atMs: direct.atMs,
      channel: { uniqueid: '1', linkedid: '1', name: 'PJSIP/phone1-00000001', stateNumber: 6 },
      bridgeId: 'b',
      bridgeTechnology: 'native_rtp',
    });
    direct.board.finalWord('1', { rxPackets: 12, txPackets: 9 }, direct.atMs);
    direct.hangup('1');
    expect(direct.channel('1')).toMatchObject({ verdict: 'no-rtcp', mes: null });
    expect(why(direct, '1', 'rx')).toMatch(/direct media/);
    // The hangup handler did not reach us: Asterisk's variable with the same counters comes after the end.
    const unheard = new Script().up('1').enter('b', '1').wait(60);
    unheard.board.handle({
      type: 'bridge-leave',
      atMs: unheard.atMs,
      channel: { uniqueid: '1', linkedid: '1', name: 'PJSIP/phone1-00000001', stateNumber: 6 },
      bridgeId: 'b',
      bridgeTechnology: 'native_rtp',
    });
    unheard.hangup('1');
    unheard.board.handle({
      type: 'counters',
      atMs: unheard.atMs,
      uniqueid: '1',
      counters: { rxPackets: 0, txPackets: 0 },
    });
    expect(unheard.channel('1')).toMatchObject({ verdict: 'no-rtcp', mes: null });
    const bend = new Script()
      .up('1', { name: 'Local/7@x-00000001;1' })
      .wait(60)
      .hangup('1', { name: 'Local/7@x-00000001;1' });
    expect(why(bend, '1', 'rx')).toBe('A Local channel carries no audio of its own.');
  });
});

describe('where the fault lies', () => {
  interface Losses {
    readonly callerRx?: number;
    readonly callerTx?: number;
    readonly calleeRx?: number;
    readonly calleeTx?: number;
    readonly callerRttMs?: number;
  }

  /** Twelve reports in each direction with so many lost packets each; native: the SSRC of one party goes out to the other. */
  function play(losses: Losses, isNative = false, reports = 12): Script {
    return talk(losses, isNative, reports).hangup('1', alice).hangup('2', bob);
  }

  const alice = { name: 'PJSIP/alice-00000001', linkedid: '1' };
  const bob = { name: 'PJSIP/bob-00000002', linkedid: '1' };

  /** The same while the call is up. */
  function talk(losses: Losses, isNative: boolean, reports: number): Script {
    const script = new Script().up('1', alice).up('2', bob).enter('b', '1', alice).enter('b', '2', bob);
    const block = (n: number, perReport: number, sourceSsrc: number) =>
      reportBlock(250 * n, perReport * n, { sourceSsrc, fractionLostQ8: Math.round((perReport * 256) / 250) });
    for (let n = 1; n <= reports; n++) {
      script.wait(5);
      script.rtcp('1', local(block(n, losses.callerRx ?? 0, 0xa)), alice);
      script.rtcp(
        '1',
        remote(block(n, losses.callerTx ?? 0, isNative ? 0xb : 0x1), { rttMs: losses.callerRttMs ?? 20 }),
        alice,
      );
      script.rtcp('2', local(block(n, losses.calleeRx ?? 0, 0xb)), bob);
      script.rtcp('2', remote(block(n, losses.calleeTx ?? 0, isNative ? 0xa : 0x2), { rttMs: 20 }), bob);
    }
    return script;
  }

  function callWith(...how: Parameters<typeof play>): CallRecord {
    const call = play(...how)
      .stored()
      .findLast((change) => change.kind === 'call');
    if (call?.kind !== 'call') throw new Error('no call was stored');
    return call.call;
  }

  test.each<[string, Losses, CallRecord['faultPlace']]>([
    ['nobody loses', {}, 'none'],
    ['a trace of loss', { callerRx: 2, calleeTx: 2 }, 'none'],
    ['what the caller sends is lost', { callerRx: 12 }, 'caller-network'],
    ['what the callee gets is lost', { calleeTx: 12 }, 'callee-network'],
    ['both ways of both', { callerRx: 12, callerTx: 12, calleeRx: 12, calleeTx: 12 }, 'both-networks'],
    ['what either of them gets is lost', { callerTx: 12, calleeTx: 12 }, 'this-server'],
  ])('%s', (_what, losses, place) => {
    expect(callWith(losses)).toMatchObject({ faultPlace: place, faultCertainty: 'sure' });
  });

  test.each<[Losses, CallRecord['faultPlace']]>([
    [{ callerRx: 12 }, 'caller-network'],
    [{}, 'none'],
  ])('of a call that is up is stored with its scores: %o, %s', (losses, place) => {
    const script = talk(losses, false, 3);
    script.drain(script.atMs);
    script
      .wait(5)
      .rtcp('1', local(reportBlock(1000, 0, { sourceSsrc: 0xa })), alice)
      .wait(5);
    const scores = script.drain(script.atMs).flatMap((change) => (change.kind === 'scores' ? [change.scores] : []));
    expect(scores).toMatchObject([{ linkedid: '1', faultPlace: place, faultCertainty: 'likely' }]);
  });

  test('a native bridge passes loss on, and it is counted where it arose', () => {
    const passedOn = { callerRx: 12, calleeTx: 12 };
    expect(callWith(passedOn, true)).toMatchObject({ faultPlace: 'caller-network' });
    expect(callWith(passedOn, false)).toMatchObject({ faultPlace: 'both-networks' });
    const own = callWith({ callerRx: 12, calleeTx: 24 }, true);
    expect(own.faultPlace).toBe('both-networks');
    expect(own.faultWhy).toMatch(/4\.8 % lost from PJSIP\/alice.*4\.8 % lost to PJSIP\/bob/);
  });

  test.each<[string, Losses, string]>([
    ['all', { callerRx: 12, calleeTx: 12 }, ', nearly all of it on the way from PJSIP/alice to this server'],
    ['half', { callerRx: 12, calleeTx: 24 }, ', 4.8 points of that on the way from PJSIP/alice to this server'],
    ['a trace', { callerRx: 2, calleeTx: 24 }, ''],
    ['none', { calleeTx: 24 }, ''],
  ])("the callee's own sentence says what the caller's network had lost: %s of it", (_part, losses, words) => {
    const percent = (((losses.calleeTx ?? 0) * 100) / 250).toFixed(1);
    const sentence = (where: string) =>
      `${percent} % of the audio to PJSIP/bob was lost${where}; delay and jitter were fine.`;
    expect(why(play(losses, true), '2', 'tx')).toBe(sentence(words));
    // Where this server numbers the packets anew, the loss to the callee is its own.
    expect(why(play(losses), '2', 'tx')).toBe(sentence(''));
    expect(why(play(losses, true), '1', 'tx')).toMatch(/was fine: no loss/);
  });

  test('says how sure it is', () => {
    expect(callWith({ callerRx: 12 }, false, 4).faultCertainty).toBe('likely');
    expect(callWith({ callerRx: 12 }, false, 2).faultCertainty).toBe('guess');
    expect(callWith({ callerRx: 12 }).faultReports).toBe(48);
    expect(callWith({ callerRx: 12 }).faultWhy).toBe(
      'The fault lies between PJSIP/alice (the caller) and this server: 4.8 % lost from PJSIP/alice.',
    );
  });

  test('a party that is far away: only the round trip is named, once', () => {
    expect(callWith({ callerRttMs: 400 }).faultWhy).toBe(
      'The fault lies between PJSIP/alice (the caller) and this server: a round trip of 400 ms to PJSIP/alice.',
    );
  });

  test('is not asked of one party', () => {
    const script = new Script()
      .up('1')
      .wait(5)
      .rtcp('1', local(reportBlock(250, 50, { fractionLostQ8: 51 })));
    const call = script.stored().findLast((change) => change.kind === 'call');
    expect(call?.kind === 'call' ? call.call : null).toMatchObject({ faultPlace: null, faultWhy: null });
  });
});

describe("what explains Asterisk's own score", () => {
  const nativeWhy = (script: Script, direction: 'rx' | 'tx'): string | null | undefined =>
    script.channel('1').streams[direction === 'rx' ? 0 : 1]?.nativeWhy;

  test('nothing to explain when both agree', () => {
    const script = new Script()
      .up('1')
      .wait(5)
      .rtcp('1', remote(reportBlock(250, 0), { rttMs: 20, nativeMes100: 87.8 }));
    expect(nativeWhy(script, 'tx')).toBeNull();
  });

  test('the mean of cumulative loss', () => {
    const script = new Script().up('1');
    for (let n = 1; n <= 6; n++)
      script
        .wait(5)
        .rtcp('1', remote(reportBlock(250 * n, 4 * n, { fractionLostQ8: 4 }), { rttMs: 20, nativeMes100: 60 }));
    expect(nativeWhy(script, 'tx')).toMatch(/cumulative loss.*#2101/);
  });

  test('jitter in seconds', () => {
    const script = new Script().up('1');
    for (let n = 1; n <= 6; n++) {
      script
        .wait(5)
        .rtcp('1', local(reportBlock(250 * n, 0, { jitterTicks: n % 2 === 0 ? 800 : 80 }), { nativeMes100: 88.1 }));
    }
    expect(nativeWhy(script, 'rx')).toMatch(/jitter in seconds.*#2097/);
  });

  test('a stream that stands still', () => {
    const script = new Script().up('1');
    for (let n = 1; n <= 4; n++) {
      script.wait(3).rtcp('1', local(null, { sender: sender(5 * n, 250 * n) }));
      script.wait(2).rtcp('1', remote(reportBlock(250, 0), { rttMs: 20, nativeMes100: 87.9 }));
    }
    expect(nativeWhy(script, 'tx')).toMatch(/nothing arrives.*#2012/);
  });

  test('no data at all scored as perfect', () => {
    const script = new Script().up('1', { stateNumber: 4 }).wait(5);
    script.rtcp('1', local(null, { nativeMes100: 88.1 }), { stateNumber: 4 });
    expect(nativeWhy(script, 'rx')).toMatch(/without any data as perfect/);
  });
});

describe('advantage', () => {
  test('is of the first pattern that fits the endpoint', () => {
    const rules = {
      advantages: [
        { pattern: 'PJSIP/mobile7', advantage: 5 },
        { pattern: 'PJSIP/mobile*', advantage: 10 },
      ],
    };
    const facts = { device: null, site: null, network: null };
    expect(
      ['PJSIP/mobile7', 'PJSIP/mobile8', 'PJSIP/desk'].map((endpoint) => advantageOf({ ...facts, endpoint }, rules)),
    ).toEqual([5, 10, 0]);
  });

  test('is of a device, a site or a kind of network, where that is known', () => {
    const rules = {
      advantages: [
        { pattern: 'device:Yealink W*', advantage: 3 },
        { pattern: 'site:Lyon', advantage: 4 },
        { pattern: 'network:mobile', advantage: 10 },
        { pattern: '*', advantage: 1 },
      ],
    };
    const facts = { endpoint: 'PJSIP/device:Yealink W1', device: null, site: null, network: null };
    const of = (part: object): number => advantageOf({ ...facts, ...part }, rules);
    expect(of({})).toBe(1);
    expect(of({ device: 'Yealink W60B 77.85', site: 'Lyon' })).toBe(3);
    expect(of({ device: 'Snom D785', site: 'Lyon', network: 'mobile' })).toBe(4);
    expect(of({ device: 'Snom D785', site: 'Lyon 2', network: 'mobile' })).toBe(10);
    expect(of({ device: 'Yealink T54W 96.86', network: 'wifi' })).toBe(1);
  });
});
