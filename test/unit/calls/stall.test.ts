import { expect, test } from 'vitest';
import { local, remote, reportBlock, Script, sender } from './script.ts';

/** The far end reports every 5 s, and then nothing comes for 12 s; the first that comes then is the far end's again. */
function afterTwelveSeconds(meanwhile: (script: Script) => void): Script {
  const script = new Script().up('1').wait(5);
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
