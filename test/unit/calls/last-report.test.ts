import { expect, test } from 'vitest';
import { local, remote, reportBlock, Script } from './script.ts';

test('tells when the last report about each direction came, so that an old score is seen to be old', () => {
  const script = new Script().up('1');
  const beganAtMs = script.atMs;
  const lastReports = (): (number | null | undefined)[] | undefined =>
    script.board.liveChannel('1')?.streams.map(({ lastReportAtMs }) => lastReportAtMs && lastReportAtMs - beganAtMs);
  script.wait(5).rtcp('1', local(reportBlock(250, 0)));
  expect(lastReports()).toEqual([5000, null]);
  script.wait(1).rtcp('1', remote(reportBlock(300, 0)));
  expect(lastReports()).toEqual([5000, 6000]);
  // The far end falls silent while this server goes on.
  script.wait(4).rtcp('1', local(reportBlock(500, 0)));
  script.wait(5).rtcp('1', local(reportBlock(750, 0)));
  expect(lastReports()).toEqual([15_000, 6000]);
});
