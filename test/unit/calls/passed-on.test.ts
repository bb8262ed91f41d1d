import { describe, expect, test } from 'vitest';
import { rescoreCall } from '../../../src/calls/again/rescoring.ts';
import type { CallRecord, SegmentRecord } from '../../../src/model/record.ts';
import type { StoredCall } from '../../../src/model/rescoring.ts';
import type { SenderInfo } from '../../../src/model/report.ts';
import { mesProfile } from '../../../src/score/profiles.ts';
import { DEFAULT_THRESHOLDS } from '../../../src/score/verdict.ts';
import { local, remote, reportBlock, Script } from './script.ts';

const ALICE = { name: 'PJSIP/alice-00000001', linkedid: '1' };
const BOB = { name: 'PJSIP/bob-00000002', linkedid: '1' };
const REPORTS = 12;
const EVERY_S = 5;

interface Setting {
  /** Packets of alice's that were lost in each 5 s on the way in, and of bob's on the way to him. */
  readonly aliceLost?: number;
  readonly bobLost?: number;
  /** Of the packets that bob is sent: in 5 s, and octets of each. */
  readonly sentPackets: number;
  readonly sentOctets?: number;
  /** How far the numbers of those packets move on in 5 s. */
  readonly numbers?: number;
  readonly codecs?: readonly [alice: string, bob: string];
  readonly aliceOctets?: number;
  /** Whether this server says how much it sends (SR). */
  readonly isCounted?: boolean;
  /** The report before which bob holds the call, and takes it back. */
  readonly holdsAt?: number;
  readonly takesBackAt?: number;
  /** The report before which bob leaves the bridge: some still come between that and his hang-up. */
  readonly leavesAt?: number;
  /** From this report on every packet is sent on. */
  readonly wholeFrom?: number;
  /** How many reports there are, and by how much each comes before its time, seconds. */
  readonly reports?: number;
  readonly earlyS?: number;
  /** The report in which bob's phone says goodbye: its block is all zeros. */
  readonly saysGoodbyeAt?: number;
}

/** Half of alice's audio gets lost in this server. */
const HALF: Setting = { sentPackets: 96, numbers: 96, codecs: ['ulaw', 'alaw'] };

/** Alice talks to bob for a minute; what he says comes through whole. */
function play(setting: Setting): Script {
  const { aliceLost = 0, bobLost = 0, sentPackets, sentOctets = 160, numbers = 250, aliceOctets = 160 } = setting;
  const { codecs = ['ulaw', 'ulaw'], isCounted = true, wholeFrom = REPORTS + 1 } = setting;
  const whole = (n: number): number => Math.max(0, n - wholeFrom + 1);
  const byThen = (n: number, of: number): number => (n - whole(n)) * of + whole(n) * 250;
  const script = new Script().up('1', ALICE).up('2', BOB).codecs('1', codecs[0]).codecs('2', codecs[1]);
  script.enter('b', '1', ALICE).enter('b', '2', BOB);
  const sr = (n: number, packets: number, octets: number): SenderInfo => ({
    ntpS: n * EVERY_S,
    rtpTicks: n * EVERY_S * 8000,
    sentPackets: n * packets,
    sentOctets: n * packets * octets,
  });
  const block = (n: number, moved: number, lost: number, sourceSsrc: number) =>
    reportBlock(n * moved, n * lost, { sourceSsrc, fractionLostQ8: Math.floor((lost * 256) / moved) });
  for (let n = 1; n <= (setting.reports ?? REPORTS); n++) {
    script.wait(EVERY_S - (setting.earlyS ?? 0));
    if (n === setting.holdsAt || n === setting.takesBackAt) {
      script.board.handle({
        type: n === setting.holdsAt ? 'hold' : 'unhold',
        atMs: script.atMs,
        channel: { uniqueid: '2', stateNumber: 6, ...BOB },
      });
    }
    if (n === setting.leavesAt) script.leave('b', '2', BOB);
    const sent = { sentPackets: byThen(n, sentPackets), sentOctets: byThen(n, sentPackets) * sentOctets };
    const counts = isCounted ? { sender: { ...sr(n, 250, 160), ...sent } } : {};
    script.rtcp('1', local(block(n, 250, aliceLost, 0xa), { sender: sr(n, 250, 160) }), ALICE);
    script.rtcp('1', remote(block(n, 250, 0, 0x1), { rttMs: 20, sender: sr(n, 250, aliceOctets) }), ALICE);
    script.rtcp('2', local(block(n, 250, 0, 0xb), counts), BOB);
    // He sends as he is sent, but whole.
    const his = sr(n, 250, numbers === 250 ? sentOctets : 160);
    const heard = reportBlock(byThen(n, numbers), n * bobLost, { sourceSsrc: 0x2 });
    const goodbye = reportBlock(0, 0, { sourceSsrc: 0 });
    script.rtcp('2', remote(n === setting.saysGoodbyeAt ? goodbye : heard, { rttMs: 20, sender: his }), BOB);
  }
  return script;
}

function callOf(script: Script): CallRecord {
  const last = script
    .hangup('1', ALICE)
    .hangup('2', BOB)
    .stored()
    .findLast((change) => change.kind === 'call');
  if (last?.kind !== 'call') throw new Error('no call was stored');
  return last.call;
}

const toBob = (script: Script) => script.channel('2').streams[1];

describe('loss that this server passes on', () => {
  test('without a native bridge too: the numbers that bob sees go by are more than the packets that he was sent', () => {
    const script = play({ aliceLost: 12, bobLost: 12, sentPackets: 238 });
    expect(toBob(script)?.why).toMatch(/^4\.8 % .*, nearly all of it on the way from PJSIP\/alice to this server/);
    const call = callOf(script);
    expect(call).toMatchObject({ faultPlace: 'caller-network', faultCertainty: 'sure', verdict: 'poor' });
    expect(call.faultWhy).toBe(
      'The fault lies between PJSIP/alice (the caller) and this server: 4.8 % lost from PJSIP/alice.',
    );
  });

  test('not where the counts say that every number was sent: what bob lost is his own', () => {
    const call = callOf(play({ aliceLost: 12, bobLost: 12, sentPackets: 250 }));
    expect(call).toMatchObject({ faultPlace: 'both-networks' });
    expect(call.faultWhy).toMatch(/4\.8 % lost from PJSIP\/alice, 4\.8 % lost to PJSIP\/bob/);
  });

  test('of which only part is his own', () => {
    const script = play({ aliceLost: 12, bobLost: 24, sentPackets: 238 });
    expect(toBob(script)?.why).toMatch(/^9\.6 % .*, 4\.8 points of that on the way from PJSIP\/alice/);
    expect(callOf(script).faultPlace).toBe('both-networks');
  });

  test.each<[string, Partial<Setting>]>([
    ['a report came between the end of the bridge and the hang-up', { leavesAt: 12 }],
    ['bob held the call in the end', { holdsAt: 10 }],
    ['bob said goodbye', { saysGoodbyeAt: 12 }],
  ])('is known from the counts also when %s', (_what, at) => {
    const script = play({ aliceLost: 12, bobLost: 12, sentPackets: 238, codecs: ['ulaw', 'alaw'], ...at });
    expect(toBob(script)?.why).toMatch(/^4\.\d % .*, nearly all of it on the way from PJSIP\/alice to this server/);
    expect(callOf(script).faultPlace).toBe('caller-network');
  });

  test.each<[string, Partial<Setting>, CallRecord['faultPlace']]>([
    ['the same codec on both sides', {}, 'caller-network'],
    ['another codec: transcoding closes the gaps', { codecs: ['ulaw', 'g722'] }, 'both-networks'],
    [
      'the same codec, but bob lost far less than alice: it cannot have been passed on',
      { bobLost: 2 },
      'caller-network',
    ],
  ])('without counts, by what can pass: %s', (_what, of, place) => {
    const script = play({ aliceLost: 12, bobLost: 12, sentPackets: 238, isCounted: false, ...of });
    expect(callOf(script).faultPlace).toBe(place);
    const isPassed = of.codecs === undefined && of.bobLost === undefined;
    expect(toBob(script)?.why?.includes('on the way from PJSIP/alice')).toBe(isPassed);
  });

  test('two losses that are small by themselves and not together', () => {
    // 1.2 % are good (r = 93.2 − 0.75 − 7.5, MOS-CQ 4.15), 2.4 % are not (MOS-CQ 3.82).
    const call = callOf(play({ aliceLost: 3, bobLost: 6, sentPackets: 247 }));
    expect(call).toMatchObject({ faultPlace: 'both-networks', verdict: 'fair' });
    expect(call.faultWhy).toMatch(
      /^Neither network is bad by itself, .*1\.2 % lost from PJSIP\/alice and 1\.2 % to PJSIP\/bob/,
    );
  });
});

describe('audio that this server does not send on', () => {
  test('is no good, though every packet that went out arrived', () => {
    // 96 of 250 packets: 38 %.
    const script = play({ sentPackets: 96, numbers: 96, codecs: ['ulaw', 'alaw'] });
    expect(toBob(script)).toMatchObject({ verdict: 'bad', lossPercent: 0 });
    expect(Number(toBob(script)?.mes)).toBeGreaterThan(4.3);
    expect(toBob(script)?.why).toMatch(/^This server sent on only 38 % of the audio that came in from PJSIP\/alice/);
    expect(script.channel('1').verdict).toBe('good');
    expect(script.channel('2').verdict).toBe('bad');
    const call = callOf(script);
    expect(call).toMatchObject({ verdict: 'bad', faultPlace: 'this-server' });
    expect(call.faultWhy).toBe(
      'Audio is lost in this server: this server sent on to PJSIP/bob only 38 % of the audio from PJSIP/alice.',
    );
  });

  test.each<[string, Setting]>([
    ['all is sent on', { sentPackets: 250 }],
    ['in packets of 60 ms', { sentPackets: 83, numbers: 83, sentOctets: 480, codecs: ['ulaw', 'alaw'] }],
    ['in another codec', { sentPackets: 250, sentOctets: 80, codecs: ['ulaw', 'g726'] }],
    ['from packets of 10 ms', { sentPackets: 125, numbers: 125, aliceOctets: 80, codecs: ['ulaw', 'alaw'] }],
    ['in a codec of which nobody can tell', { sentPackets: 96, numbers: 96, codecs: ['ulaw', 'opus'] }],
  ])('is not said where %s', (_what, setting) => {
    const script = play(setting);
    expect(toBob(script)?.verdict).toBe('good');
    expect(toBob(script)?.why).toMatch(/ was fine: no loss/);
    expect(callOf(script)).toMatchObject({ verdict: 'good', faultPlace: 'none' });
  });

  test.each<[string, Partial<Setting>]>([
    ['bob says goodbye', { saysGoodbyeAt: 12 }],
    ['bob holds the call in the end', { holdsAt: 9 }],
    ['bob held the call for a while', { holdsAt: 5, takesBackAt: 8 }],
    ['he took it back at the very end', { holdsAt: 8, takesBackAt: 12 }],
    ['a report comes between the end of the bridge and the hang-up', { leavesAt: 12 }],
    ['two reports do', { leavesAt: 11 }],
  ])('is said when %s, too', (_what, at) => {
    const script = play({ ...HALF, ...at });
    expect(toBob(script)?.why).toMatch(/^This server sent on only 38 % of the audio that came in from PJSIP\/alice/);
    expect(toBob(script)?.verdict).toBe('bad');
    expect(callOf(script)).toMatchObject({ verdict: 'bad', faultPlace: 'this-server' });
  });

  test.each([
    [4, 0.05, 'bad'],
    [4, 1, 'good'],
    [3, 0, 'good'],
  ])('is said from the fourth report on, also when each comes a little early: %i reports, %f s early: %s', (...of) => {
    const [reports, earlyS, verdict] = of;
    expect(toBob(play({ ...HALF, reports, earlyS }))?.verdict).toBe(verdict);
  });

  test('is not said of what bob hears while he holds the call', () => {
    const script = play({ ...HALF, holdsAt: 1 });
    expect(toBob(script)).toMatchObject({ verdict: 'good' });
    expect(callOf(script).faultPlace).toBe('none');
  });

  test('is not said any more when the next session is long enough, and all of it was sent on', () => {
    // Reports 9 to 12 are 15 s apart.
    expect(toBob(play({ ...HALF, leavesAt: 9, wholeFrom: 9 }))?.why).toMatch(/ was fine: no loss/);
    // 10 s: reports 10 to 12; but in one session the first minute is not forgotten.
    expect(toBob(play({ ...HALF, wholeFrom: 10 }))?.why).toMatch(/^This server sent on only 5\d % /);
  });
});

describe('scoring again', () => {
  /** The call as the history has it. */
  function storedCall(script: Script): StoredCall {
    const call = callOf(script);
    const changes = script.stored();
    const channels = ['1', '2'].map((uniqueid): StoredCall['channels'][number] => {
      const segments = new Map<string, SegmentRecord>();
      for (const change of changes) {
        if (change.kind !== 'segment' || change.segment.uniqueid !== uniqueid) continue;
        segments.set(`${change.segment.direction} ${change.segment.segmentNumber}`, change.segment);
      }
      const intervals = [...script.intervals(uniqueid, 'rx'), ...script.intervals(uniqueid, 'tx')];
      return { channel: script.channel(uniqueid), segments: [...segments.values()], intervals };
    });
    return { call, channels, peers: [] };
  }

  test.each<[string, Setting]>([
    ['audio that was not sent on', { sentPackets: 96, numbers: 96, codecs: ['ulaw', 'alaw'] }],
    ['loss that was passed on', { aliceLost: 12, bobLost: 12, sentPackets: 238 }],
    ['loss that was not', { aliceLost: 12, bobLost: 12, sentPackets: 250 }],
    ['audio that was not sent on until the bridge ended', { ...HALF, leavesAt: 12 }],
    ['audio that was not sent on before and after a hold', { ...HALF, holdsAt: 5, takesBackAt: 8 }],
    ['audio that was not sent on before a hold', { ...HALF, holdsAt: 9 }],
    ['loss that was passed on until the bridge ended', { aliceLost: 12, bobLost: 12, sentPackets: 238, leavesAt: 12 }],
  ])('tells %s as before', (_what, setting) => {
    const before = storedCall(play(setting));
    const again = rescoreCall(before, {
      profile: mesProfile('documented'),
      thresholds: DEFAULT_THRESHOLDS,
      codecs: new Map(),
      advantages: [],
      version: '9.9.9',
    });
    expect(again?.call).toEqual(before.call);
    expect(again?.channels).toEqual(before.channels.map(({ channel }) => channel));
  });
});

describe('who did not hear whom', () => {
  test('is said of a way on which nothing arrives', () => {
    const script = new Script().up('1', ALICE).up('2', BOB).enter('b', '1', ALICE).enter('b', '2', BOB);
    for (let n = 1; n <= 8; n++) {
      script.wait(5);
      const counts = { ntpS: 5 * n, rtpTicks: 40_000 * n, sentPackets: 250 * n, sentOctets: 40_000 * n };
      script.rtcp('1', local(reportBlock(250 * n, 0, { sourceSsrc: 0xa }), { sender: counts }), ALICE);
      script.rtcp('1', remote(reportBlock(250 * n, 0), { rttMs: 20, sender: counts }), ALICE);
      script.rtcp('2', local(reportBlock(250 * n, 0, { sourceSsrc: 0xb }), { sender: counts }), BOB);
      // Bob's phone has received nothing so far.
      script.rtcp('2', remote(null, { sender: counts }), BOB);
    }
    expect(script.channel('2').verdict).toBe('one-way-rx');
    expect(toBob(script)).toMatchObject({ verdict: 'no-media', mes: 1 });
    expect(toBob(script)?.why).toBe(
      'Nothing of the audio to PJSIP/bob arrived, so PJSIP/bob did not hear PJSIP/alice.',
    );
    const call = callOf(script);
    expect(call).toMatchObject({ verdict: 'one-way-rx', faultPlace: 'callee-network' });
    expect(call.faultWhy).toBe(
      'The fault lies between PJSIP/bob (the callee) and this server: nothing arrived at PJSIP/bob, so PJSIP/bob did not hear PJSIP/alice.',
    );
  });
});
