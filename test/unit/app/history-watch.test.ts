import { expect, it } from 'vitest';
import { HistoryWatch } from '../../../src/app/history-watch.ts';
import type { Logger } from '../../../src/app/log.ts';

function listen(): { readonly said: string[]; readonly watch: HistoryWatch } {
  const said: string[] = [];
  const say = (text: string): number => said.push(text);
  return { said, watch: new HistoryWatch({ info: say, warn: say, error: say } as unknown as Logger) };
}

const givenUp = (count: number): string =>
  `history: ${count} changes were given up, the oldest reports first, because more came than the disk took`;

it('says each trouble once, and how much was given up no more often than every ten seconds', () => {
  const { said, watch } = listen();
  watch.look({ problem: null, dropped: 0 }, 0);
  expect(said).toEqual([]);
  watch.look({ problem: 'the disk is full', dropped: 0 }, 50);
  watch.look({ problem: 'the disk is full', dropped: 7 }, 100);
  watch.look({ problem: 'the disk is full', dropped: 500 }, 150);
  watch.look({ problem: 'the disk is full', dropped: 900 }, 10_099);
  watch.look({ problem: null, dropped: 1000 }, 10_100);
  watch.look({ problem: null, dropped: 1000 }, 99_999);
  expect(said).toEqual([
    'history: the disk is full; trying again',
    givenUp(7),
    'history: it can be written again',
    givenUp(993),
  ]);
});

it('says at the end what was lost, and why', () => {
  const well = listen();
  well.watch.close({ queued: 0, dropped: 0 });
  expect(well.said).toEqual([]);

  const slow = listen();
  slow.watch.look({ problem: null, dropped: 7 }, 0);
  slow.watch.close({ queued: 3, dropped: 9 });
  expect(slow.said).toEqual([
    givenUp(7),
    givenUp(2),
    'history: the last 3 changes were lost at the end, because it took too long to store them',
  ]);

  const full = listen();
  full.watch.look({ problem: 'the disk is full', dropped: 4 }, 0);
  full.watch.close({ queued: 8, dropped: 4 });
  expect(full.said.at(-1)).toBe('history: the last 8 changes were lost at the end, because the disk is full');
});
