import { describe, expect, test } from 'vitest';
import {
  badTrunks,
  faultSentence,
  type PbxShare,
  type SharedTrunk,
  silentPbxs,
  worseThanRest,
} from '../../../src/alerting/fleet-faults.ts';

const share = (pbx: string, badCalls: number, judgedCalls = 100): PbxShare => ({ pbx, badCalls, judgedCalls });

function trunk(endpoint: string, pbxs: number, ...bad: readonly PbxShare[]): SharedTrunk {
  return { endpoint, pbxs, judgedCalls: 1000, badCalls: 300, bad };
}

describe('a trunk on many PBXs', () => {
  const three = [share('a', 30), share('b', 50), share('c', 30)];

  test('is bad when it is so on three and on half of them, which is no chance', () => {
    expect(badTrunks([trunk('PJSIP/carrier', 5, ...three)], { pairs: 105, badPairs: 4 })).toEqual([
      {
        kind: 'trunk',
        subject: 'PJSIP/carrier',
        pbxs: ['b', 'a', 'c'],
        ofPbxs: 5,
        judgedCalls: 1000,
        badPercent: 30,
        othersBadPercent: null,
      },
    ]);
  });

  test.each<[string, SharedTrunk, { pairs: number; badPairs: number }]>([
    ['is bad on two', trunk('t', 2, share('a', 30), share('b', 50)), { pairs: 105, badPairs: 2 }],
    ['is bad on three of seven', trunk('t', 7, ...three), { pairs: 1000, badPairs: 3 }],
    // Three of three where half of all are bad: one in eight by chance.
    ['is as bad as everything', trunk('t', 3, ...three), { pairs: 103, badPairs: 53 }],
    ['is better than everything', trunk('t', 4, ...three), { pairs: 14, badPairs: 13 }],
  ])('is none where it %s', (_, one, base) => {
    expect(badTrunks([one], base)).toEqual([]);
  });
});

describe('a release or device', () => {
  const good = [share('g1', 2), share('g2', 2), share('g3', 2)];
  const of = (...bad: readonly PbxShare[]) =>
    worseThanRest(
      'release',
      new Map([
        ['1.1.0', bad],
        ['1.0.0', good],
      ]),
    );

  test('is worse where its calls are, on most PBXs', () => {
    const [found, ...more] = of(share('a', 20), share('b', 9), share('c', 12));
    expect(more).toEqual([]);
    expect(found).toMatchObject({
      kind: 'release',
      subject: '1.1.0',
      pbxs: ['a', 'c', 'b'],
      ofPbxs: 3,
      judgedCalls: 300,
    });
    expect(found?.badPercent).toBeCloseTo(41 / 3, 10);
    expect(found?.othersBadPercent).toBeCloseTo(2, 10);
  });

  test.each<[string, PbxShare[]]>([
    ['one PBX of it is bad', [share('a', 60), share('b', 2), share('c', 2)]],
    ['it has two PBXs', [share('a', 20, 200), share('b', 20, 200)]],
    ['two of its PBXs have few calls', [share('a', 20, 200), share('b', 5, 9), share('c', 5, 9)]],
    ['it has few calls', [share('a', 20, 30), share('b', 20, 30), share('c', 20, 30)]],
    // 3.5 % against 2 %: half again, but by less than two points.
    ['the difference is small', [share('a', 35, 1000), share('b', 35, 1000), share('c', 35, 1000)]],
    // 5.9 % of 102 against 2 % of 300: z = 2.0.
    ['it may be chance', [share('a', 2, 34), share('b', 2, 34), share('c', 2, 34)]],
    ['it is better', [share('a', 0), share('b', 0), share('c', 0)]],
  ])('is not said to be worse where %s', (_, bad) => {
    expect(of(...bad)).toEqual([]);
  });

  test('without any other is worse than nothing', () => {
    expect(worseThanRest('device', new Map([['x', [share('a', 90), share('b', 90), share('c', 90)]]]))).toEqual([]);
  });
});

test('each is said in one plain sentence', () => {
  const [silent] = silentPbxs(['ulm']);
  const part = { pbxs: ['a', 'b', 'c', 'd'], ofPbxs: 6, judgedCalls: 420, badPercent: 31.04, othersBadPercent: 2 };
  expect([
    silent && faultSentence(silent),
    faultSentence({ kind: 'trunk', subject: 'PJSIP/x', ...part }),
    faultSentence({ kind: 'release', subject: '1.1.0', ...part }),
    faultSentence({ kind: 'asterisk', subject: '22.1.0', ...part }),
    faultSentence({ kind: 'device', subject: 'Yealink T54W 96.86', ...part, pbxs: ['a', 'b', 'c'] }),
  ]).toEqual([
    'Nothing is heard of the PBX ulm any more; see whether it and its network are up.',
    'The trunk PJSIP/x is bad on 4 of the 6 PBXs that have it (a, b, c and 1 more): the fault of 31.0 % of 420 calls lies there.',
    'The release 1.1.0 of asterisk-mes is worse than all others: 31.0 % of 420 calls are bad, of others 2.0 %; it is so on 4 of 6 PBXs (a, b, c and 1 more).',
    'The release 22.1.0 of Asterisk is worse than all others: 31.0 % of 420 calls are bad, of others 2.0 %; it is so on 4 of 6 PBXs (a, b, c and 1 more).',
    'The device Yealink T54W 96.86 is worse than all others: 31.0 % of 420 calls are bad by its fault, of others 2.0 %; it is so on 3 of 6 PBXs (a, b, c).',
  ]);
});
