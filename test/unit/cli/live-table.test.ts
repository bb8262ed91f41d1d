import { expect, test } from 'vitest';
import { liveCalls } from '../../../src/cli/terminal/live-table.ts';
import type { ChannelAnswer, VerdictWord } from '../../../src/cli/terminal/answers.ts';

const leg = (name: string, linkedid: string, verdict: VerdictWord): ChannelAnswer =>
  ({
    uniqueid: name === 'caller' ? linkedid : `${linkedid}-${name}`,
    linkedid,
    name: `PJSIP/${name}-00000001`,
    endpoint: `PJSIP/${name}`,
    started_at: '2026-11-20T10:00:00.000Z',
    duration_s: 60,
    mes_rx: null,
    mes_tx: null,
    verdict,
  }) as unknown as ChannelAnswer;

// That nothing came from a party is the cause; that the other one was sent nothing, the effect. Both outrank what was heard badly.
test.each<[caller: VerdictWord, callee: VerdictWord, word: VerdictWord]>([
  ['one-way-rx', 'one-way-tx', 'one-way-tx'],
  ['one-way-tx', 'one-way-rx', 'one-way-tx'],
  ['bad', 'one-way-rx', 'one-way-rx'],
  ['bad', 'one-way-tx', 'one-way-tx'],
  ['no-media', 'one-way-tx', 'no-media'],
  ['poor', 'bad', 'bad'],
])(
  'a call of a leg that is %s and one that is %s is %s in the list of live calls, as in REST',
  (caller, callee, word) => {
    const view = { sort: 'worst', isBadOnly: false, search: '' } as const;
    const legs = [leg('caller', '1.1', caller), leg('callee', '1.1', callee)];
    expect(liveCalls(legs, view).map(({ verdict }) => verdict)).toEqual([word]);
  },
);
