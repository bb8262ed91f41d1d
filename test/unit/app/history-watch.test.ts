import { expect, it } from 'vitest';
import { HistoryWatch } from '../../../src/app/history-watch.ts';
import type { Logger } from '../../../src/app/log.ts';

it('says each trouble once, and how much was given up no more often than every ten seconds', () => {
  const said: string[] = [];
  const log = { info: (text: string) => said.push(text), warn: (text: string) => said.push(text) };
  const watch = new HistoryWatch(log as unknown as Logger);
  watch.look({ problem: null, dropped: 0 }, 0);
  expect(said).toEqual([]);
  watch.look({ problem: 'the disk is full', dropped: 0 }, 50);
  watch.look({ problem: 'the disk is full', dropped: 7 }, 100);
  watch.look({ problem: 'the disk is full', dropped: 500 }, 150);
  watch.look({ problem: 'the disk is full', dropped: 900 }, 10_099);
  watch.look({ problem: null, dropped: 1000 }, 10_100);
  watch.look({ problem: null, dropped: 1000 }, 99_999);
  const givenUp = (count: number): string =>
    `history: ${count} changes were given up, the oldest reports first, because more came than the disk took`;
  expect(said).toEqual([
    'history: the disk is full; trying again',
    givenUp(7),
    'history: it can be written again',
    givenUp(993),
  ]);
});
