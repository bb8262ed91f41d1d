import { expect, it } from 'vitest';
import { type HistoryState, HistoryWatch } from '../../../src/app/history-watch.ts';
import type { Logger } from '../../../src/app/log.ts';

function listen(): { readonly said: string[]; readonly watch: HistoryWatch } {
  const said: string[] = [];
  const info = (text: string): number => said.push(text);
  const tell = (_code: object, text: string): number => said.push(text);
  return { said, watch: new HistoryWatch({ info, warn: tell, error: tell } as unknown as Logger) };
}

const WELL: HistoryState = { problem: null, dropped: 0, rejected: 0, rejection: null };

const givenUp = (count: number): string =>
  `history: ${count} changes were given up, the oldest reports first, because more came than the disk took`;

it('says each trouble once, and how much was given up no more often than every ten seconds', () => {
  const { said, watch } = listen();
  watch.look({ ...WELL, problem: null, dropped: 0 }, 0);
  expect(said).toEqual([]);
  watch.look({ ...WELL, problem: 'the disk is full', dropped: 0 }, 50);
  watch.look({ ...WELL, problem: 'the disk is full', dropped: 7 }, 100);
  watch.look({ ...WELL, problem: 'the disk is full', dropped: 500 }, 150);
  watch.look({ ...WELL, problem: 'the disk is full', dropped: 900 }, 10_099);
  watch.look({ ...WELL, problem: null, dropped: 1000 }, 10_100);
  watch.look({ ...WELL, problem: null, dropped: 1000 }, 99_999);
  expect(said).toEqual([
    'history: the disk is full; trying again',
    givenUp(7),
    'history: it can be written again',
    givenUp(993),
  ]);
});

it('says how many changes the database does not take, and why, likewise', () => {
  const { said, watch } = listen();
  watch.look(WELL, 0);
  watch.look({ ...WELL, rejected: 2, rejection: 'row 2 of interval_journal cannot be read' }, 50);
  watch.look({ ...WELL, rejected: 5, rejection: 'broken' }, 10_049);
  watch.look({ ...WELL, rejected: 6, rejection: 'broken' }, 10_050);
  watch.look({ ...WELL, rejected: 6, rejection: 'broken' }, 99_999);
  expect(said).toEqual([
    'history: 2 changes were left out: row 2 of interval_journal cannot be read',
    'history: 4 changes were left out: broken',
  ]);
});

it('says at the end what was lost, and why', () => {
  const well = listen();
  well.watch.close({ queued: 0, dropped: 0 });
  expect(well.said).toEqual([]);

  const slow = listen();
  slow.watch.look({ ...WELL, problem: null, dropped: 7 }, 0);
  slow.watch.close({ queued: 3, dropped: 9 });
  expect(slow.said).toEqual([
    givenUp(7),
    givenUp(2),
    'history: the last 3 changes were lost at the end, because it took too long to store them',
  ]);

  const full = listen();
  full.watch.look({ ...WELL, problem: 'the disk is full', dropped: 4 }, 0);
  full.watch.close({ queued: 8, dropped: 4 });
  expect(full.said.at(-1)).toBe('history: the last 8 changes were lost at the end, because the disk is full');
});
