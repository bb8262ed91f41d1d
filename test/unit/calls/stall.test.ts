import { expect, test } from 'vitest';
import { local, remote, reportBlock, Script, sender } from './script.ts';

/** In a bridge the far end reports every 5 s, and then nothing comes for 12 s; the first that comes then is the far end's again. */
function afterTwelveSeconds(meanwhile: (script: Script) => void): Script {
  const script = new Script().up('1').enter('b', '1').wait(5);
  script.rtcp('1', remote(reportBlock(250, 0), { rttMs: 20, sender: sender(5, 250) }));
  script.wait(12);
  meanwhile(script);
  return script.rtcp('1', remote(reportBlock(850, 0), { rttMs: 20, sender: sender(17, 850) }));
}

const kinds = (script: Script): string[] => script.intervals('1', 'rx').map(({ kind }) => kind);

test('what came in at one moment, after we stood still, makes no direction dead', () => {
  const script = afterTwelveSeconds(({ board, atMs }) => board.wasDeaf(atMs));
  script.rtcp('1', local(reportBlock(850, 0)));
  expect(kinds(script)).toEqual(['media']);
  expect(script.channel('1')).toMatchObject({ verdict: 'good', mesMin: expect.closeTo(4.4, 1) });
});

test('when we heard all that was said, the far end alone reporting means that nothing of it arrives', () => {
  expect(kinds(afterTwelveSeconds(() => {}))).toEqual(['dead']);
});

test.each([20, 30])(
  'reports of ours that come every %i s are not missed before, when the far end receives our audio',
  (everyS) => {
    const script = new Script().up('1').codecs('1', 'ulaw');
    for (let atS = 5; atS <= 2 * everyS; atS += 5) {
      const sent = sender(atS, atS * 50);
      script.wait(5).rtcp('1', remote(reportBlock(atS * 50, 0), { rttMs: 20, sender: sent }));
      if (atS % everyS === 0) script.rtcp('1', local(reportBlock(atS * 50, 0, { sourceSsrc: 0xb }), { sender: sent }));
      expect(script.intervals('1', 'rx').map(({ kind }) => kind)).toEqual(
        Array(Math.floor(atS / everyS)).fill('media'),
      );
    }
    expect(script.channel('1')).toMatchObject({ verdict: 'good', mesMin: expect.closeTo(4.4, 1) });
  },
);

test('a first report of ours that never comes, though the far end receives our audio, is missed after two minutes', () => {
  const script = new Script().up('1');
  for (let atS = 5; atS <= 130; atS += 5) {
    script.wait(5).rtcp('1', remote(reportBlock(atS * 50, 0), { rttMs: 20, sender: sender(atS, atS * 50) }));
  }
  expect(kinds(script)).toContain('dead');
  expect(script.channel('1').verdict).toBe('one-way-tx');
});

test.each([
  { everyS: 20, hears: 'something', dead: 0 },
  { everyS: 20, hears: 'nothing', dead: 2 },
])(
  'in a bridge our first report after $everyS s is $dead times missed when the other party hears $hears',
  ({ everyS, hears, dead }) => {
    const script = new Script().up('1').up('2', { linkedid: '1' }).enter('b', '1').enter('b', '2', { linkedid: '1' });
    for (let atS = 5; atS <= everyS; atS += 5) {
      const sent = sender(atS, atS * 50);
      const heard = hears === 'nothing' ? null : reportBlock(atS * 50, 0);
      script.wait(5);
      script.rtcp('2', remote(heard, { rttMs: 20, sender: sent }), { linkedid: '1' });
      script.rtcp('1', remote(reportBlock(atS * 50, 0), { rttMs: 20, sender: sent }));
    }
    const deadOnes = kinds(script).filter((kind) => kind === 'dead');
    expect(deadOnes).toHaveLength(dead);
    expect(script.channel('1').verdict).toBe(dead === 0 ? 'good' : 'one-way-tx');
  },
);

/** A phone and a trunk that sends no RTCP, natively bridged, on a server that has reported on nothing yet: only the phone reports. */
function besideSilentTrunk(seconds: number, rxPackets?: number): Script {
  const script = new Script().up('1').up('2', { linkedid: '1' }).enter('b', '1').enter('b', '2', { linkedid: '1' });
  for (let atS = 5; atS <= seconds; atS += 5) {
    script.wait(5);
    // Asterisk is asked once the first report of ours is late, and answers with what came in.
    if (rxPackets !== undefined && atS === 10) {
      const { board, atMs } = script;
      board.handle({ type: 'counters', atMs, uniqueid: '1', counters: { rxPackets, txPackets: 400 } });
    }
    const sent = sender(atS, atS * 50);
    script.rtcp('1', remote(reportBlock(atS * 50, 0), { rttMs: 20, sender: sent }));
  }
  return script;
}

test.each([
  { counted: 400, seconds: 60, verdict: 'good' },
  { counted: undefined, seconds: 60, verdict: 'good' },
  { counted: undefined, seconds: 130, verdict: 'one-way-tx' },
  { counted: 0, seconds: 20, verdict: 'one-way-tx' },
])(
  'beside a party that never reports $seconds s are $verdict where Asterisk counts $counted packets',
  ({ counted, seconds, verdict }) => {
    const script = besideSilentTrunk(seconds, counted);
    expect(script.channel('1').verdict).toBe(verdict);
    expect(kinds(script).includes('dead')).toBe(verdict !== 'good');
    expect(new Set(script.counterQuestions)).toEqual(new Set(['1']));
  },
);

test('Asterisk is asked for its counts only where our first report is late', () => {
  const script = new Script().up('1');
  for (let atS = 5; atS <= 30; atS += 5) {
    const sent = sender(atS, atS * 50);
    script.wait(4.9).rtcp('1', remote(reportBlock(atS * 50, 0), { rttMs: 20, sender: sent }));
    script.wait(0.1).rtcp('1', local(reportBlock(atS * 50, 0, { sourceSsrc: 0xb }), { sender: sent }));
  }
  expect(script.counterQuestions).toEqual([]);
});
