import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRtcpAll, signedLostPackets } from '../../../src/wire/rtcp/rtcp-all.ts';

/** As Asterisk 22.10.1 answered `CHANNEL(rtcp,all)` on a loopback call. */
const FROM_22 =
  'ssrc=468825120;themssrc=1471529793;lp=0;rxjitter=0.000000;rxcount=277;txjitter=0.000000;txcount=277;rlp=0;rtt=0.000305;rxmes=88.084497;txmes=88.084497';
/** As Asterisk 16.28.0 did. */
const FROM_16 =
  'ssrc=1471529793;themssrc=468825120;lp=0;rxjitter=0.000000;rxcount=499;txjitter=0.000019;txcount=499;rlp=0;rtt=0.000564';

describe('parseRtcpAll', () => {
  it('reads what Asterisk 22 and 16 answer', () => {
    expect(parseRtcpAll(FROM_22)).toEqual({
      rxPackets: 277,
      rxLostPackets: 0,
      txPackets: 277,
      txLostPackets: 0,
      localSsrc: 468_825_120,
      remoteSsrc: 1_471_529_793,
    });
    expect(parseRtcpAll(FROM_16)).toMatchObject({ rxPackets: 499, txPackets: 499, txLostPackets: 0 });
  });

  it('takes rlp=0 for unknown when the far end has reported nothing, and not otherwise', () => {
    const silent =
      'ssrc=1;themssrc=0;lp=0;rxjitter=0.000000;rxcount=0;txjitter=0.000000;txcount=250;rlp=0;rtt=0.000000';
    expect(parseRtcpAll(silent)).toEqual({ rxPackets: 0, rxLostPackets: 0, txPackets: 250, localSsrc: 1 });
    expect(parseRtcpAll(silent.replace('rlp=0', 'rlp=7'))).toMatchObject({ txLostPackets: 7 });
    expect(parseRtcpAll(silent.replace('rxjitter=0.000000', 'rxjitter=0.001000'))).toMatchObject({ txLostPackets: 0 });
    expect(parseRtcpAll(`${silent};rxmes=88.1;txmes=0.0`)).toMatchObject({ txLostPackets: 0 });
  });

  it('reads losses below zero, however they are printed', () => {
    const text = FROM_22.replace('lp=0', 'lp=4294967295').replace('rlp=0', 'rlp=16777215');
    expect(parseRtcpAll(text)).toMatchObject({ rxLostPackets: -1, txLostPackets: -1 });
    expect(parseRtcpAll(FROM_22.replace('lp=0', 'lp=-3'))).toMatchObject({ rxLostPackets: -3 });
  });

  it.each(['', 'no', 'ssrc=1;themssrc=2', 'rxcount=;txcount=', 'rxcount=-1', 'rxcount=1e5', '='.repeat(5000)])(
    'gives nothing for %j',
    (text) => {
      expect(parseRtcpAll(text)).toBeUndefined();
    },
  );

  it('never throws and never gives a number that is none', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const counters = parseRtcpAll(`${a};rxcount=5;${b}`) ?? {};
        expect(Object.values(counters).every((value) => Number.isInteger(value))).toBe(true);
      }),
    );
  });
});

describe('signedLostPackets', () => {
  it.each([
    [0, 0],
    [1, 1],
    [0x7f_ffff, 0x7f_ffff],
    [0x80_0000, -0x80_0000],
    [0xff_ffff, -1],
    [0x100_0000, 0x100_0000],
    [0xffff_ffff, -1],
    [-2, -2],
  ])('reads %d as %d', (printed, packets) => {
    expect(signedLostPackets(printed)).toBe(packets);
  });
});
