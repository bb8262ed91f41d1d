import { pino } from 'pino';
import { expect, test } from 'vitest';
import { GivenUpLog } from '../../../src/app/state/given-up-log.ts';

test('says once a minute at most how many channels were given up since the last time', () => {
  const lines: string[] = [];
  const log = new GivenUpLog(pino({ base: null }, { write: (line: string) => void lines.push(line) }));
  log.look(0, 0);
  expect(lines).toEqual([]);
  log.look(3, 1000);
  log.look(5, 60_999);
  expect(lines).toHaveLength(1);
  log.look(5, 61_000);
  log.look(5, 200_000);
  const said = lines.map((line) => JSON.parse(line) as { code: string; msg: string });
  expect(said.map(({ code }) => code)).toEqual(['MES_ERR_CHANNELS_GIVEN_UP', 'MES_ERR_CHANNELS_GIVEN_UP']);
  expect(said.map(({ msg }) => /^calls: (\d+) channels/.exec(msg)?.[1])).toEqual(['3', '2']);
});
