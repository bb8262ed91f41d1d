import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openForWriting } from '../../../src/history/schema/database.ts';
import { Rankings } from '../../../src/history/sums/rankings.ts';
import { Writer } from '../../../src/history/write/writer.ts';
import type { SummaryQuery, TimeRange } from '../../../src/model/ports.ts';
import {
  DAY_MS,
  ENDPOINTS,
  FIRST_MS,
  HOUR_MS,
  LAST_MS,
  makeHistory,
  MINUTE_MS,
  momentMs,
  steps,
} from './random-history.ts';
import { slowEndpoints, slowGroups, slowSummary } from './slow-rankings.ts';

/** Of each history so many are compared: to count them takes long. */
const TRENDS = 2;
const BEGINNINGS = ['*', 'PJSIP/*', 'PJSIP/a*', 'S*', 'SIP/😀*', 'Z*'];

let folder: string;
let database: Database;
let writer: Writer;
let rankings: Rankings;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mes-rankings-'));
  database = openForWriting(join(folder, 'mes.sqlite'));
  writer = new Writer(database);
  rankings = new Rankings(database);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const ALWAYS: TimeRange = { fromMs: FIRST_MS - DAY_MS, toMs: LAST_MS + 2 * DAY_MS + 1 };
const range = fc.oneof(
  { weight: 1, arbitrary: fc.constant(ALWAYS) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(momentMs, momentMs)
      .map((both): TimeRange => ({ fromMs: Math.min(...both), toMs: Math.max(...both) })),
  },
);
const course = fc
  .tuple(
    range,
    fc.constantFrom(50 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, DAY_MS, 7 * DAY_MS),
    fc.constantFrom(undefined, ...ENDPOINTS, ...BEGINNINGS),
  )
  .map(([{ fromMs, toMs }, bucketMs, endpoint]): SummaryQuery => ({ fromMs, toMs, bucketMs, endpoint }));

/** Sums are kept in millionths and microseconds. */
function close(value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? expect.closeTo(value, 5) : value;
}
function closely(quality: object): object {
  return Object.fromEntries(Object.entries(quality).map(([name, value]) => [name, close(value)]));
}

function expectSameRanking(asked: TimeRange): void {
  const [qualities, media] = slowEndpoints(database, asked);
  const { endpoints, leftOut } = rankings.endpoints(asked);
  expect(leftOut).toBe(0);
  const wanted = qualities.map(({ part, ...quality }) => ({
    endpoint: part,
    ...quality,
    ...media.find((figures) => figures.part === part),
    part: undefined,
  }));
  const byName = endpoints.toSorted((one, other) => (one.endpoint < other.endpoint ? -1 : 1));
  expect(byName).toEqual(wanted.toSorted((one, other) => (one.endpoint < other.endpoint ? -1 : 1)).map(closely));
}

function expectSameGroups(asked: TimeRange): void {
  for (const by of ['device', 'site', 'codec'] as const) {
    const [qualities, media] = slowGroups(database, asked, by);
    const { groups } = rankings.groups(asked, by);
    const wanted = qualities.map(({ part, ...quality }) => ({
      name: part,
      ...quality,
      ...media.find((figures) => figures.part === part),
      part: undefined,
    }));
    const inOrder = <T extends { readonly name: string | number }>(all: readonly T[]): T[] =>
      all.toSorted((one, other) => (one.name < other.name ? -1 : 1));
    expect([by, inOrder(groups)]).toEqual([by, inOrder(wanted).map(closely)]);
  }
}

/** `bucketMs` as a summary's; the halves part where two stretches meet, at the nearest to the middle. */
function expectSameTrends({ fromMs, toMs, bucketMs }: SummaryQuery): void {
  const meetMs = Math.round((fromMs + toMs) / 2 / bucketMs) * bucketMs;
  // Of a range within one stretch, one half is empty.
  const laterFromMs = Math.min(Math.max(meetMs, fromMs), toMs);
  const halves = [
    { fromMs, toMs: laterFromMs },
    { fromMs: laterFromMs, toMs },
  ];
  const [earlier = [], later = []] = halves.map((half) => slowEndpoints(database, half)[0]);
  const { endpoints } = rankings.endpoints({ fromMs, toMs });
  const trends = rankings.trends({ fromMs, toMs, bucketMs, endpoints: [...ENDPOINTS, 'PJSIP/nobody', 'PJSIP/a'] });
  expect(trends).toEqual(endpoints.map((quality) => ({ ...quality, trend: expect.anything() as unknown })));
  for (const { endpoint, trend } of trends) {
    const counted = slowSummary(database, { fromMs, toMs, bucketMs, endpoint }).map(
      ({ part, calls, badPercent, mesP5 }) => ({ startsAtMs: Number(part) * bucketMs, calls, badPercent, mesP5 }),
    );
    expect(trend.buckets.filter(({ calls }) => calls > 0)).toEqual(counted.map(closely));
    for (const [half, parts] of [
      [trend.earlier, earlier],
      [trend.later, later],
    ] as const) {
      const wanted = parts.find(({ part }) => part === endpoint);
      const figures = wanted === undefined ? { calls: 0 } : closely({ ...wanted, part: undefined });
      expect({ ...half, part: undefined }).toMatchObject(figures);
    }
  }
}

function expectSameCourse(question: SummaryQuery): void {
  const buckets = rankings.summary(question).filter(({ calls }) => calls > 0);
  const counted = slowSummary(database, question);
  expect(buckets).toEqual(
    counted.map(({ part, ...quality }) => ({ startsAtMs: Number(part) * question.bucketMs, ...closely(quality) })),
  );
}

it('answer what counting every call answers, whatever was recorded, joined, changed after its end or has expired', () => {
  let compared = 0;
  fc.assert(
    fc.property(steps, range, fc.array(course, { minLength: 5, maxLength: 10 }), (recorded, asked, courses) => {
      compared += makeHistory(database, writer, recorded);
      expectSameRanking(asked);
      expectSameGroups(asked);
      for (const question of courses) expectSameCourse(question);
      for (const question of courses.slice(0, TRENDS)) expectSameTrends(question);
    }),
    { numRuns: 60 },
  );
  expect(compared).toBeGreaterThan(40);
});
