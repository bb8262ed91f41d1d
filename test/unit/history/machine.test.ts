import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { machineRoutes, presentMachine } from '../../../src/api/machine.ts';
import { type History, openHistory } from '../../../src/history/history.ts';
import type { MachinePeak, MachineSample } from '../../../src/model/machine.ts';
import { routeRequest } from '../api/route-request.ts';

const AT_MS = Date.parse('2026-11-20T10:00:00Z');
const SECOND_MS = 1000;

function sample(seconds: number, changes: Partial<MachineSample> = {}): MachineSample {
  return {
    atMs: AT_MS + seconds * SECOND_MS,
    cpuPercent: 20,
    loadPerProcessor: 0.5,
    memoryAvailablePercent: 60,
    asteriskCpuPercent: 30,
    asteriskThreads: 50,
    timingSource: 'timerfd',
    taskQueueMost: 3,
    taskQueuesOver: 0,
    channels: 4,
    ...changes,
  };
}

const PEAK: MachinePeak = { ...sample(0), samples: 3 };

describe('how the machine was', () => {
  let folder: string;
  let history: History;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mes-machine-'));
    const clock = { nowMs: () => AT_MS };
    history = await openHistory({ path: join(folder, 'mes.sqlite'), keepIntervalsMs: 1e12, keepCallsMs: 1e12, clock });
  });
  afterEach(async () => {
    await history.close();
    rmSync(folder, { recursive: true });
  });

  async function keep(one: MachineSample, beforeMs = 0): Promise<void> {
    await history.features.write('machine', 'keep', { sample: one, beforeMs });
  }

  test('is told by the worst of each value in the time asked for', async () => {
    await keep(sample(0, { cpuPercent: 99 }));
    await keep(sample(10, { cpuPercent: 40, memoryAvailablePercent: 7, asteriskThreads: null }));
    await keep(sample(20, { cpuPercent: null, loadPerProcessor: 3, channels: 90, asteriskCpuPercent: 120 }));
    await keep(sample(30, { cpuPercent: 98, taskQueueMost: 612, taskQueuesOver: 1 }));
    const span = { fromMs: AT_MS + 5 * SECOND_MS, toMs: AT_MS + 20 * SECOND_MS };
    expect(await history.features.read('machine', 'peak', span)).toEqual({
      samples: 2,
      cpuPercent: 40,
      loadPerProcessor: 3,
      memoryAvailablePercent: 7,
      asteriskCpuPercent: 120,
      asteriskThreads: 50,
      timingSource: 'timerfd',
      // Seen after the end, of the minute before.
      taskQueueMost: 612,
      taskQueuesOver: 1,
      channels: 90,
    });
    const later = { fromMs: AT_MS + 60 * SECOND_MS, toMs: AT_MS + 90 * SECOND_MS };
    expect(await history.features.read('machine', 'peak', later)).toBeNull();
  });

  test('goes when it is older than what is kept', async () => {
    for (const seconds of [0, 10, 20]) await keep(sample(seconds));
    await keep(sample(30), AT_MS + 15 * SECOND_MS);
    const all = { fromMs: 0, toMs: AT_MS + 60 * SECOND_MS, stepMs: 10_000 };
    const course = await history.features.read('machine', 'course', all);
    expect(course.map(({ atMs }) => (atMs - AT_MS) / SECOND_MS)).toEqual([20, 30]);
  });

  test('is shown over time, in steps that a page can draw', async () => {
    for (const seconds of [0, 10, 170, 180]) await keep(sample(seconds, { cpuPercent: seconds / 2 }));
    const [shown] = machineRoutes(
      { course: (span) => history.features.read('machine', 'course', span) },
      { nowMs: () => AT_MS + 3600 * SECOND_MS },
    );
    const query = shown?.query.parse({ from: '2026-11-20T00:00:00Z', to: '2026-11-21T00:00:00Z' });
    // A day in at most 500 steps: 172.8 s, up to the next ten.
    expect(await shown?.handle(routeRequest(query))).toEqual({
      from: '2026-11-20T00:00:00.000Z',
      to: '2026-11-21T00:00:00.000Z',
      step_s: 180,
      points: [
        expect.objectContaining({ at: '2026-11-20T10:00:00.000Z', samples: 3, cpu_percent_max: 85 }),
        expect.objectContaining({ at: '2026-11-20T10:03:00.000Z', samples: 1, cpu_percent_max: 90 }),
      ],
    });
  });
});

test.each([
  [{}, null],
  [{ cpuPercent: 96.6 }, 'This machine was at its limits: its processors were 97 % busy.'],
  [
    { loadPerProcessor: 2.34, memoryAvailablePercent: 3.2 },
    'This machine was at its limits: 2.3 programs shared or waited for each processor, and only 3.2 % of its memory was left.',
  ],
  [
    { taskQueueMost: 612, taskQueuesOver: 1 },
    "This machine was at its limits: work waited beyond its high water mark in 1 of Asterisk's task processors.",
  ],
  [{ cpuPercent: null, memoryAvailablePercent: null, asteriskCpuPercent: null, asteriskThreads: null }, null],
])('%j speaks for this machine as the place of a fault, or does not', (changes, why) => {
  expect(presentMachine({ ...PEAK, ...changes })?.why).toBe(why);
});

test('where nothing is known there is nothing', () => {
  expect(presentMachine(null)).toBeNull();
});
