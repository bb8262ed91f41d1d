import { z } from 'zod';
import type { MachinePeak } from '../model/machine.ts';
import type { Clock } from '../model/ports.ts';
import { timeRange } from './answers/quality.ts';
import { moment } from './parameters.ts';
import { type Route, route } from './route.ts';

const MOST_POINTS = 500;
/** Time between two samples of the machine. */
export const MACHINE_STEP_MS = 10_000;
/** From this load on, a thread that waits for a processor may be late with audio. */
const BUSY_PERCENT = 90;
const CROWDED_LOAD = 2;
const SCARCE_MEMORY_PERCENT = 5;

const PERCENT = z.number().min(0).max(100).nullable();

const PEAK = z.strictObject({
  samples: z.int().positive().describe('each of ten seconds'),
  cpu_percent_max: PERCENT.describe('of all processors together'),
  load_per_processor_max: z.number().describe('processes that ran or waited, mean of a minute'),
  memory_available_percent_min: PERCENT.describe('memory that programs could still have'),
  asterisk_cpu_percent_max: z
    .number()
    .nullable()
    .describe('of one processor; null: Asterisk is elsewhere, or there are several'),
  asterisk_threads_max: z.int().nullable().describe('under the same conditions'),
  timing_source: z
    .string()
    .nullable()
    .describe('what Asterisk times audio by: timerfd, kqueue, dahdi, pthread, or none; null: not known'),
  task_queue_max: z
    .int()
    .nullable()
    .describe(
      "tasks that waited at most in one of Asterisk's task processors; null: its control socket is not open to us",
    ),
  task_queues_over_high_water_max: z.int().nullable().describe('task processors that reached their high water mark'),
  channels_max: z.int().nonnegative().describe('channels that were up'),
});

/** The machine's peaks while a call was up. */
export const MACHINE_OF_CALL = PEAK.extend({
  why: z.string().nullable().describe('one sentence where it was so busy that audio can suffer; null: it was not'),
});

const MACHINE_ANSWER = z.strictObject({
  from: z.iso.datetime({ precision: 3 }),
  to: z.iso.datetime({ precision: 3 }),
  step_s: z.number(),
  points: z
    .array(PEAK.extend({ at: z.iso.datetime({ precision: 3 }).describe('its beginning') }))
    .describe('oldest first'),
});

const MACHINE_QUERY = z.strictObject({ from: moment(), to: moment() });

/** Peaks of the machine in a range; null: no samples. */
export interface MachinePeaks {
  peak(span: { readonly fromMs: number; readonly toMs: number }): Promise<MachinePeak | null>;
}

export interface MachineReader {
  course(span: {
    readonly fromMs: number;
    readonly toMs: number;
    readonly stepMs: number;
  }): Promise<readonly (MachinePeak & { readonly atMs: number })[]>;
}

export function machineRoutes(reader: MachineReader, clock: Clock): readonly Route[] {
  return [
    route({
      path: '/v1/machine',
      summary: 'How busy this machine was over time: the worst of each step; a day unless told.',
      query: MACHINE_QUERY,
      answer: MACHINE_ANSWER,
      handle: async ({ query: { from, to } }) => {
        const { fromMs, toMs } = timeRange(from, to, clock.nowMs());
        const stepMs = Math.max(1, Math.ceil((toMs - fromMs) / MOST_POINTS / MACHINE_STEP_MS)) * MACHINE_STEP_MS;
        const points = await reader.course({ fromMs, toMs, stepMs });
        return {
          from: new Date(fromMs).toISOString(),
          to: new Date(toMs).toISOString(),
          step_s: stepMs / 1000,
          points: points.map(({ atMs, ...peak }) => ({ at: new Date(atMs).toISOString(), ...presentPeak(peak) })),
        };
      },
    }),
  ];
}

export function presentMachine(peak: MachinePeak | null): z.output<typeof MACHINE_OF_CALL> | null {
  return peak === null ? null : { ...presentPeak(peak), why: whyBusy(peak) };
}

function presentPeak(peak: MachinePeak): z.output<typeof PEAK> {
  const tenth = (value: number | null): number | null => (value === null ? null : Math.round(value * 10) / 10);
  return {
    samples: peak.samples,
    cpu_percent_max: tenth(peak.cpuPercent),
    load_per_processor_max: Math.round(peak.loadPerProcessor * 100) / 100,
    memory_available_percent_min: tenth(peak.memoryAvailablePercent),
    asterisk_cpu_percent_max: tenth(peak.asteriskCpuPercent),
    asterisk_threads_max: peak.asteriskThreads,
    timing_source: peak.timingSource,
    task_queue_max: peak.taskQueueMost,
    task_queues_over_high_water_max: peak.taskQueuesOver,
    channels_max: peak.channels,
  };
}

/** One sentence that speaks for this machine as the place of a fault; null: nothing does. */
function whyBusy({ cpuPercent, loadPerProcessor, memoryAvailablePercent, taskQueuesOver }: MachinePeak): string | null {
  const reasons = [
    ...(cpuPercent !== null && cpuPercent >= BUSY_PERCENT
      ? [`its processors were ${cpuPercent.toFixed(0)} % busy`]
      : []),
    ...(loadPerProcessor >= CROWDED_LOAD
      ? [`${loadPerProcessor.toFixed(1)} programs shared or waited for each processor`]
      : []),
    ...(memoryAvailablePercent !== null && memoryAvailablePercent < SCARCE_MEMORY_PERCENT
      ? [`only ${memoryAvailablePercent.toFixed(1)} % of its memory was left`]
      : []),
    ...(taskQueuesOver !== null && taskQueuesOver > 0
      ? [`work waited beyond its high water mark in ${taskQueuesOver} of Asterisk's task processors`]
      : []),
  ];
  return reasons.length === 0 ? null : `This machine was at its limits: ${reasons.join(', and ')}.`;
}
