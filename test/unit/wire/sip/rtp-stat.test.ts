import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRtpStat } from '../../../../src/wire/sip/rtp-stat.ts';

test('of baresip, as Asterisk 16.28 showed it, what it received comes first', () => {
  const said =
    'EX=BareSip;CS=0;CD=8;PR=380;PS=400;PL=20,7;PD=19,0;JI=2.5,4.0;IP=0.0.0.0:30800,127.0.0.1:20074;EN=PCMA/8000;DE=PCMU/8000|';
  expect(readRtpStat(said)).toMatchObject({
    kind: 'bye',
    // 20 of 400, and 19 of the 380 that came.
    localMetrics: {
      networkLossPercent: 5,
      discardPercent: 5,
      interarrivalJitterMs: 2.5,
      codec: 'pcmu',
      roundTripDelayMs: null,
      mosCq: null,
    },
    remoteMetrics: null,
  });
});

test("Cisco's P-RTP-Stat, which has commas between", () => {
  const said = '|PS=0,OS=0,PR=5429,OR=955504,PL=0,JI=3,LA=40,DU=108,EN=G711u,DE=G711u';
  expect(readRtpStat(said)?.localMetrics).toMatchObject({
    networkLossPercent: 0,
    discardPercent: null,
    interarrivalJitterMs: 3,
    codec: 'g711u',
  });
});

test.each([
  ['', 'no header'],
  ['|', 'neither'],
  ['PR=0;ER=0;PL=0;RB=0/0;DE=PCMU;JI=0', 'nothing was received'],
  ['PL=3,3;JI=1', 'nobody says of how many'],
  ['PR=-5;PL=3', 'no number'],
  ['MOS=3.8;Jitter=7;PacketLossPct=0;RTT=260682', 'another make'],
])('%j says nothing: %s', (said) => {
  expect(readRtpStat(said)).toBeUndefined();
});

test.each([
  ['PR=100;PL=-1', null, null],
  ['PR=100;PL=99999999999', null, null],
  ['PR=100;PL=100;PD=101', 50, null],
  ['PR=100;PL=0;PL=50', 0, null],
])('%j: lost %s, thrown away %s', (said, lost, discarded) => {
  expect(readRtpStat(said)?.localMetrics).toMatchObject({ networkLossPercent: lost, discardPercent: discarded });
});

test('whatever it says, percentages are percentages', () => {
  const part = fc.oneof(fc.constantFrom('PR=', 'PL=', 'PD=', 'JI=', ';', ',', '|', '-', '.', '1', '99'), fc.string());
  fc.assert(
    fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
      const { networkLossPercent, discardPercent } = readRtpStat(parts.join(''))?.localMetrics ?? {};
      for (const percent of [networkLossPercent ?? 0, discardPercent ?? 0]) {
        expect(percent).toBeGreaterThanOrEqual(0);
        expect(percent).toBeLessThanOrEqual(100);
      }
    }),
  );
});
