import { expect, test } from 'vitest';
import { local, reportBlock, Script } from './script.ts';

/** Cumulative loss after each 500 packets. The intervals after the first lose 0.8, 1.2, 0, 1 and 4 %. */
const LOST = [0, 4, 10, 10, 15, 35];

test('counts the reports of intervals that lost 1 % of their packets or more', () => {
  const script = new Script().up('1');
  LOST.forEach((lost, index) => script.wait(5).rtcp('1', local(reportBlock((index + 1) * 500, lost))));
  const streams = (): (number | null | undefined)[] | undefined =>
    script.board.liveChannel('1')?.streams.map(({ lossyReports }) => lossyReports);
  expect(streams()).toEqual([3, 0]);
  // Nothing is lost, then 1 %.
  script.wait(5).rtcp('1', local(reportBlock(3500, 35)));
  expect(streams()).toEqual([3, 0]);
  script.wait(5).rtcp('1', local(reportBlock(4000, 40)));
  expect(streams()).toEqual([4, 0]);
});
