import { expect, it } from 'vitest';
import { type HistoryState, HistoryLog } from '../../../src/app/state/history-log.ts';
import type { Logger } from '../../../src/app/state/log.ts';

function listen(): { readonly said: string[]; readonly log: HistoryLog } {
  const said: string[] = [];
  const info = (text: string): number => said.push(text);
  const tell = (_code: object, text: string): number => said.push(text);
  return { said, log: new HistoryLog({ info, warn: tell, error: tell } as unknown as Logger) };
}

const WELL: HistoryState = { problem: null, dropped: 0, rejected: 0, rejection: null };

const givenUp = (count: number): string =>
  `history: ${count} changes were given up, the oldest reports first, because more came than the disk took`;

it('says each trouble once, and how much was given up no more often than every ten seconds', () => {
  const { said, log } = listen();
  log.look({ ...WELL, problem: null, dropped: 0 }, 0);
  expect(said).toEqual([]);
  log.look({ ...WELL, problem: 'the disk is full', dropped: 0 }, 50);
  log.look({ ...WELL, problem: 'the disk is full', dropped: 7 }, 100);
  log.look({ ...WELL, problem: 'the disk is full', dropped: 500 }, 150);
  log.look({ ...WELL, problem: 'the disk is full', dropped: 900 }, 10_099);
  log.look({ ...WELL, problem: null, dropped: 1000 }, 10_100);
  log.look({ ...WELL, problem: null, dropped: 1000 }, 99_999);
  expect(said).toEqual([
    'history: the disk is full; trying again',
    givenUp(7),
    'history: it can be written again',
    givenUp(993),
  ]);
});

it('says how many changes the database does not take, and why, likewise', () => {
  const { said, log } = listen();
  log.look(WELL, 0);
  log.look({ ...WELL, rejected: 2, rejection: 'row 2 of interval_journal cannot be read' }, 50);
  log.look({ ...WELL, rejected: 5, rejection: 'broken' }, 10_049);
  log.look({ ...WELL, rejected: 6, rejection: 'broken' }, 10_050);
  log.look({ ...WELL, rejected: 6, rejection: 'broken' }, 99_999);
  expect(said).toEqual([
    'history: 2 changes were left out: row 2 of interval_journal cannot be read',
    'history: 4 changes were left out: broken',
  ]);
});

it('says at the end what was lost, and why', () => {
  const well = listen();
  well.log.close({ queued: 0, dropped: 0 });
  expect(well.said).toEqual([]);

  const slow = listen();
  slow.log.look({ ...WELL, problem: null, dropped: 7 }, 0);
  slow.log.close({ queued: 3, dropped: 9 });
  expect(slow.said).toEqual([
    givenUp(7),
    givenUp(2),
    'history: the last 3 changes were lost at the end, because it took too long to store them',
  ]);

  const full = listen();
  full.log.look({ ...WELL, problem: 'the disk is full', dropped: 4 }, 0);
  full.log.close({ queued: 8, dropped: 4 });
  expect(full.said.at(-1)).toBe('history: the last 8 changes were lost at the end, because the disk is full');
});
