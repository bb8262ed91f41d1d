import { expect, test } from 'vitest';
import type { Interval } from '../../../src/dashboard/client/rest/answers.ts';
import { seriesOf } from '../../../src/dashboard/client/charts/series.ts';

function report(at: string, mes: number | null, covers_reports = 1): Interval {
  const unknown = { rtt_ms: null, jitter_ms: null, loss_percent: null, mes_running: null };
  return { ...unknown, direction: 'rx', report_number: 1, kind: 'media', at, mes, covers_reports };
}

test('a line has one point a report, unknown where the report does not tell', () => {
  const reports = [report('1970-01-01T00:00:05Z', 4.2), report('1970-01-01T00:00:10Z', null)];
  expect(seriesOf(reports, ({ mes }) => mes)).toStrictEqual([
    [5, 10],
    [4.2, null],
  ]);
});

test('it breaks off where reports were missed, but not before its first one', () => {
  const reports = [
    report('1970-01-01T00:00:05Z', 4.2, 2),
    report('1970-01-01T00:00:25Z', 3, 4),
    report('1970-01-01T00:00:30Z', 4),
  ];
  expect(seriesOf(reports, ({ mes }) => mes)).toStrictEqual([
    [5, 15, 25, 30],
    [4.2, null, 3, 4],
  ]);
});
