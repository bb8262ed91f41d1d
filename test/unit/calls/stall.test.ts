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
