import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openHistory } from '../../../src/history/history.ts';
import { CONTRACT_CHANGES, CONTRACT_NOW_MS } from './contract-calls.ts';
import { readerContract } from './reader-contract.ts';

const YEAR_MS = 365 * 86_400_000;

readerContract('SQLite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mes-reader-'));
  const clock = { nowMs: () => CONTRACT_NOW_MS };
  const history = await openHistory({
    path: join(folder, 'mes.sqlite'),
    keepIntervalsMs: YEAR_MS,
    keepCallsMs: YEAR_MS,
    clock,
  });
  for (const change of CONTRACT_CHANGES) history.record(change);
  await history.flush();
  return {
    reader: history,
    close: async () => {
      await history.close();
      rmSync(folder, { recursive: true });
    },
  };
});
