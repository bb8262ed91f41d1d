import { describe, expect, test } from 'vitest';
import { rescoreCall } from '../../../src/calls/again/rescoring.ts';
import type { CallRecord, ChannelRecord, IntervalRecord, SegmentRecord } from '../../../src/model/record.ts';
import { readPhoneReport } from '../../../src/wire/vq-report/report.ts';
import { local, remote, reportBlock, Script } from './script.ts';

const ALICE = { name: 'PJSIP/alice-00000001', linkedid: '1' };
const BOB = { name: 'PJSIP/bob-00000002', linkedid: '1' };
const REPORTS = 12;
const EVERY_S = 5;

interface Setting {
  /** Packets of 250 that were lost on the way to bob. */
  readonly bobLost?: number;
  readonly bobJitterMs?: number;
  /** What bob's phone says when the call ends. */
  readonly bobSays?: string;
  readonly aliceSays?: string;
}

/** Alice talks to bob for a minute over networks that lose nothing but what is set. */
function play({ bobLost = 0, bobJitterMs = 0, bobSays, aliceSays }: Setting): Script {
  const script = new Script().up('1', ALICE).up('2', BOB).codecs('1', 'ulaw').codecs('2', 'ulaw');
  script.enter('b', '1', ALICE).enter('b', '2', BOB);
  const block = (n: number, lost: number, sourceSsrc: number, jitterMs = 0) =>
    reportBlock(n * 250, n * lost, {
      sourceSsrc,
      fractionLostQ8: Math.floor((lost * 256) / 250),
      jitterTicks: jitterMs * 8,
    });
  for (let n = 1; n <= REPORTS; n++) {
    script.wait(EVERY_S);
    script.rtcp('1', local(block(n, 0, 0xa), { senderSsrc: 0x1 }), ALICE);
    script.rtcp('1', remote(block(n, 0, 0x1), { rttMs: 20 }), ALICE);
    script.rtcp('2', local(block(n, 0, 0xb), { senderSsrc: 0x2 }), BOB);
    script.rtcp('2', remote(block(n, bobLost, 0x2, bobJitterMs), { rttMs: 20 }), BOB);
  }
  if (bobSays !== undefined) hear(script, '2', bobSays);
  if (aliceSays !== undefined) hear(script, '1', aliceSays);
  return script.hangup('1', ALICE).hangup('2', BOB);
}

function hear(script: Script, uniqueid: string, line: string): void {
  const report = readPhoneReport(['VQSessionReport: CallTerm', 'LocalMetrics:', line].join('\r\n'));
  if (report === undefined) throw new Error('the test writes no report');
  script.board.handle({ type: 'phone-heard', atMs: script.atMs, uniqueid, report, userAgent: null });
}

function callOf(script: Script): CallRecord {
  const last = script.stored().findLast((change) => change.kind === 'call');
  if (last?.kind !== 'call') throw new Error('no call was stored');
  return last.call;
}

function whyOf(channel: ChannelRecord, direction: 'rx' | 'tx'): string | null {
  return channel.streams.find((stream) => stream.direction === direction)?.why ?? null;
}

const scoresOf = (script: Script) => {
  const { mes, mesMin, verdict } = callOf(script);
  const channels = ['1', '2'].map((uniqueid) => script.channel(uniqueid));
  return [mes, mesMin, verdict, ...channels.map((channel) => [channel.mesRx, channel.mesTx, channel.verdict])];
};

describe('the word of a phone', () => {
  test('is a place of its own when the network was fine and the phone threw away what came too late', () => {
    const script = play({ bobSays: 'PacketLoss: NLR=0.0 JDR=6.0' });
    expect(callOf(script)).toMatchObject({
      faultPlace: 'callee-phone',
      faultCertainty: 'likely',
      faultWhy:
        'The network to PJSIP/bob (the callee) was fine; the phone threw away 6.0 % that came too late for its jitter buffer, by its own report.',
    });
    expect(whyOf(script.channel('2'), 'tx')).toBe(
      'The network to PJSIP/bob was fine: no loss, round trip 20 ms, jitter 0.0 ms. By its own report the phone threw away 6.0 % of it, which came too late for its jitter buffer.',
    );
    expect(whyOf(script.channel('2'), 'rx')).toMatch(/^The audio from PJSIP\/bob was fine: no loss/);
    expect(whyOf(script.channel('1'), 'tx')).toMatch(/^The audio to PJSIP\/alice was fine: no loss/);
  });

  test("of both phones', the worse one", () => {
    const script = play({ bobSays: 'PacketLoss: NLR=0.0 JDR=3.0', aliceSays: 'PacketLoss: NLR=0.0 JDR=9.5' });
    expect(callOf(script)).toMatchObject({ faultPlace: 'caller-phone' });
    expect(callOf(script).faultWhy).toContain('PJSIP/alice (the caller)');
    expect(callOf(script).faultWhy).toContain('9.5 %');
  });

  test('changes no score, whatever it is', () => {
    const without = scoresOf(play({ bobLost: 20 }));
    for (const words of [
      'PacketLoss: NLR=0.0 JDR=0.0',
      'PacketLoss: NLR=90.0 JDR=99.0',
      'QualityEst: MOSLQ=5.0 MOSCQ=5.0',
    ]) {
      expect(scoresOf(play({ bobLost: 20, bobSays: words }))).toEqual(without);
    }
    expect(without[2]).toBe('bad');
  });

  test('convinces nobody that all was well while RTCP says that a tenth was lost', () => {
    const script = play({ bobLost: 25, bobSays: 'PacketLoss: NLR=0.0 JDR=0.0\r\nQualityEst: MOSLQ=4.4 MOSCQ=4.4' });
    const honest = play({ bobLost: 25 });
    expect(callOf(script)).toEqual(callOf(honest));
    expect(callOf(script).faultPlace).toBe('callee-network');
    expect(whyOf(script.channel('2'), 'tx')).toBe(whyOf(honest.channel('2'), 'tx'));
  });

  test('does not take the blame from a network that lost packets, and is heard beside it', () => {
    const script = play({ bobLost: 25, bobSays: 'PacketLoss: NLR=10.0 JDR=6.0' });
    expect(callOf(script).faultPlace).toBe('callee-network');
    expect(whyOf(script.channel('2'), 'tx')).toMatch(/^10\.0 % of the audio to PJSIP\/bob was lost.*threw away 6\.0 %/);
  });

  test('leads to the network when that is what made packets late', () => {
    const script = play({ bobJitterMs: 25, bobSays: 'PacketLoss: NLR=0.0 JDR=6.0' });
    expect(callOf(script)).toMatchObject({ faultPlace: 'callee-network', faultCertainty: 'likely' });
    expect(callOf(script).faultWhy).toContain(
      'with a jitter of 25 ms to PJSIP/bob (the callee) the phone threw away 6.0 %',
    );
  });

  test('is not repeated while next to nothing was thrown away, or nothing is known of it', () => {
    for (const words of ['PacketLoss: NLR=0.0 JDR=1.9', 'PacketLoss: NLR=5.0', 'QualityEst: MOSLQ=1.2']) {
      const script = play({ bobSays: words });
      expect(callOf(script).faultPlace).toBe('none');
      expect(whyOf(script.channel('2'), 'tx')).toMatch(/^The audio to PJSIP\/bob was fine/);
      expect(script.channel('2').phone?.reports).toBe(1);
    }
  });

  test('outlasts rescoring', () => {
    const script = play({ bobSays: 'PacketLoss: NLR=0.0 JDR=6.0' });
    const changes = script.stored();
    const channels = ['1', '2'].map((uniqueid) => {
      const segments = new Map<string, SegmentRecord>();
      for (const change of changes) {
        if (change.kind === 'segment' && change.segment.uniqueid === uniqueid)
          segments.set(`${change.segment.direction} ${change.segment.segmentNumber}`, change.segment);
      }
      const intervals: IntervalRecord[] = [...script.intervals(uniqueid, 'rx'), ...script.intervals(uniqueid, 'tx')];
      return { channel: script.channel(uniqueid), segments: [...segments.values()], intervals };
    });
    const again = rescoreCall({ call: callOf(script), channels, peers: [] }, script.rules);
    expect(again?.call).toEqual(callOf(script));
    expect(again?.call.faultPlace).toBe('callee-phone');
  });
});
