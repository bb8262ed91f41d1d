import { describe, expect, test } from 'vitest';
import type { CallRecord } from '../../../src/model/record.ts';
import { local, remote, reportBlock, Script, sender } from './script.ts';

/** Lost to each party, percent; nothing where it is left out. */
type Losses = Readonly<Partial<Record<'1' | '2' | '3', number>>>;

const REPORTS = 4;

/** The parties of one bridge report, four times each way, every 5 s. */
function talk(script: Script, parties: readonly ('1' | '2' | '3')[], losses: Losses): void {
  const from = script.atMs;
  for (let n = 1; n <= REPORTS; n++) {
    script.wait(5);
    const ntpS = (script.atMs - from) / 1000;
    for (const party of parties) {
      const of = { linkedid: '1' };
      const lost = Math.round((n * 250 * (losses[party] ?? 0)) / 100);
      const sent = sender(ntpS, n * 250);
      script.rtcp(party, local(reportBlock(n * 250, 0, { sourceSsrc: 0xa }), { sender: sent, senderSsrc: 0xb }), of);
      script.rtcp(party, remote(reportBlock(n * 250, lost, { sourceSsrc: 0xb }), { sender: sent, rttMs: 20 }), of);
    }
  }
}

/** 1 calls 2, and one of them hands the call over to 3: the `left` two speak on. */
function transferred(losses: Losses, left: readonly ['1' | '2', '3'] = ['1', '3']): CallRecord {
  const of = { linkedid: '1' };
  const script = new Script().up('1').up('2', of).codecs('1', 'ulaw').codecs('2', 'ulaw');
  script.enter('b', '1').enter('b', '2', of);
  talk(script, ['1', '2'], losses);
  script.up('3', of).codecs('3', 'ulaw');
  const gone = left[0] === '1' ? '2' : '1';
  script.leave('b', gone, of).hangup(gone, of).enter('b', '3', of);
  // Of the one who stays nothing more is reported: its word is the one that it has.
  talk(script, ['3'], losses);
  for (const uniqueid of left) script.hangup(uniqueid, of);
  const last = script.stored().findLast((change) => change.kind === 'call');
  if (last?.kind !== 'call') throw new Error('no call was stored');
  return last.call;
}

describe('the place of a fault after a transfer', () => {
  test.each<[string, Losses, string]>([
    ['the new party', { '3': 12 }, 'callee-network'],
    ['the caller', { '1': 12 }, 'caller-network'],
  ])('is that of %s', (_, losses, place) => {
    const { faultPlace, faultWhy } = transferred(losses);
    expect(faultPlace).toBe(place);
    const [party = ''] = Object.keys(losses);
    expect(faultWhy).toContain(`between PJSIP/phone${party} (the ${place === 'caller-network' ? 'caller' : 'callee'})`);
    expect(faultWhy).toContain(`12.0 % lost to PJSIP/phone${party}`);
  });

  test('is not known where the one who left had the fault: the two who spoke last have none', () => {
    expect(transferred({ '2': 12 })).toMatchObject({ faultPlace: null, faultWhy: null, verdict: 'bad' });
  });

  test('is not known where the caller has left: nobody is the caller of what is left', () => {
    expect(transferred({ '3': 12 }, ['2', '3'])).toMatchObject({ faultPlace: null, faultWhy: null, verdict: 'bad' });
  });

  test('where nobody has one says so', () => {
    expect(transferred({})).toMatchObject({ faultPlace: 'none', verdict: 'good' });
  });
});
