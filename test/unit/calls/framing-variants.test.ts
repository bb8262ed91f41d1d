import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TimedText } from '../../lab/timed-text.ts';
import { playPieces } from '../field-case.ts';
import { madeChannel, tellOf, uniqueidOf } from '../made-channel.ts';
import { GOOD_MES, REPORTS } from './varied-channel.ts';

/** What else comes over the same line: other events, answers, an RTCP event of Asterisk 1.8, the tail of one that was torn. */
const NOISE = [
  '\r\n',
  '\r\n\r\n\r\n',
  'Event: TestEvent\r\nPrivilege: reporting,all\r\nType: StateChange\r\nState: RINGING_INBAND\r\nAppLine: 4562\r\n\r\n\r\n',
  'Response: Success\r\nActionID: 4711\r\nPing: Pong\r\nTimestamp: 1796042112.000000\r\n\r\n',
  'name: CID:5551234\r\nAccountCode: \r\nVariable: BRIDGEPEER\r\nValue: SIP/TRUNK-0017d8a2\r\n\r\n',
  'Event: RTCPSent\r\nPrivilege: reporting,all\r\nTo: 192.0.2.9:4001\r\nOurSSRC: 2070743128\r\nSentNTP: 1457522606.3921813504\r\nSentRTP: 7119840\r\nSentPackets: 44499\r\nSentOctets: 7119840\r\nReportBlock:\r\nFractionLost: 0\r\nCumulativeLoss: 0\r\nIAJitter: 0.0003\r\nTheirLastSR: 2251224312\r\nDLSR: 0.0000 (sec)\r\n\r\n',
  'Event: RTCPReceived\r\nPrivilege: reporting,all\r\nFrom: 192.0.2.9:4001\r\nPT: 200(Sender Report)\r\nReceptionReports: 1\r\nSenderSSRC: 2070743128\r\nFractionLost: 255\r\nPacketsLost: 900\r\nIAJitter: 7\r\nRTT: 3(sec)\r\n\r\n',
  'Event: RTCPSent\r\nPrivilege: reporting,all\r\nChannel: PJSIP/other-00000009\r\n\r\n',
] as const;

/** What comes of the good channel, which reports once a second at each end, when it is told so. */
function outcomeOf(pieces: readonly TimedText[]): object {
  const { mesRx, mesTx, mesMin, verdict, streams } = playPieces(pieces).channel(uniqueidOf(madeChannel()));
  const reports = streams.map((stream) => stream.reports);
  const lost = streams.map(({ packetsLost }) => packetsLost);
  const isWhole = streams.every(({ packetsExpected }) => Math.abs(Number(packetsExpected) - 50 * REPORTS) <= 15);
  return { mesRx, mesTx, mesMin, verdict, reports, lost, isWhole };
}

const GOOD = {
  mesRx: expect.closeTo(GOOD_MES, 2),
  mesTx: expect.closeTo(GOOD_MES, 2),
  mesMin: expect.closeTo(GOOD_MES, 2),
  verdict: 'good',
  reports: [REPORTS, REPORTS],
  lost: [0, 0],
  isWhole: true,
};

describe('a good channel', () => {
  test('is good in whatever company its events come', () => {
    const noise = fc.array(fc.tuple(fc.nat(), fc.constantFrom(...NOISE)), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(noise, (additions) => {
        const pieces = tellOf(madeChannel());
        for (const [place, text] of additions) {
          const at = place % (pieces.length + 1);
          pieces.splice(at, 0, { atMs: pieces[Math.max(0, at - 1)]?.atMs ?? 0, text });
        }
        expect(outcomeOf(pieces)).toEqual(GOOD);
      }),
      { numRuns: 60 },
    );
  });

  test('is good however the network cuts its events', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 10, maxLength: 60 }), (sizes) => {
        const pieces = tellOf(madeChannel()).flatMap(({ atMs, text }, index) => {
          const size = sizes[index % sizes.length] ?? 1;
          const count = Math.ceil(text.length / size);
          return Array.from({ length: count }, (_, part) => ({
            atMs,
            text: text.slice(part * size, (part + 1) * size),
          }));
        });
        expect(outcomeOf(pieces)).toEqual(GOOD);
      }),
      { numRuns: 60 },
    );
  });

  test('is good where a report is torn in two by an empty line: the next one tells what that would have told', () => {
    const whole = tellOf(madeChannel());
    const torn = whole.findIndex(({ text, atMs }) => text.startsWith('Event: RTCPSent') && atMs > 6000);
    const lines = (whole[torn]?.text ?? '').trimEnd().split('\r\n');
    for (let line = 1; line < lines.length; line++) {
      const text = `${lines.slice(0, line).join('\r\n')}\r\n\r\n${lines.slice(line).join('\r\n')}\r\n\r\n`;
      const outcome = outcomeOf(whole.with(torn, { atMs: whole[torn]?.atMs ?? 0, text }));
      expect(outcome).toEqual({ ...GOOD, reports: [REPORTS - 1, REPORTS] });
    }
  });
});
