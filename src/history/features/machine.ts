import { ASTERISK_LOOK_MS, type MachinePeak, type MachineSample } from '../../model/machine.ts';
import type { Feature } from '../schema/feature.ts';
import type { Statements } from '../schema/statements.ts';

/** Bound on the rows deleted in one transaction: a day's. */
const PURGED_AT_ONCE = 8640;

const PEAK_CELLS = `count(*) AS samples, max(cpu_percent) AS cpuPercent, max(load_per_processor) AS loadPerProcessor,
  min(memory_available_percent) AS memoryAvailablePercent, max(asterisk_cpu_percent) AS asteriskCpuPercent,
  max(asterisk_threads) AS asteriskThreads, coalesce(max(channels), 0) AS channels, max(timing_source) AS timingSource`;
const QUEUE_CELLS = 'max(task_queue_most) AS taskQueueMost, max(task_queues_over) AS taskQueuesOver';

/** Samples of the machine, one every ten seconds. */
export const MACHINE = {
  steps: [
    `CREATE TABLE machine_samples (
      at_ms INTEGER PRIMARY KEY,
      cpu_percent REAL,
      load_per_processor REAL NOT NULL,
      memory_available_percent REAL,
      asterisk_cpu_percent REAL,
      asterisk_threads INTEGER,
      channels INTEGER NOT NULL
    ) STRICT`,
    `ALTER TABLE machine_samples ADD COLUMN timing_source TEXT;
    ALTER TABLE machine_samples ADD COLUMN task_queue_most INTEGER;
    ALTER TABLE machine_samples ADD COLUMN task_queues_over INTEGER`,
  ],
  writes: {
    /** Stores a sample, and deletes some that are older than `beforeMs`. */
    keep(statements: Statements, { sample, beforeMs }: { sample: MachineSample; beforeMs: number }): void {
      statements.run(
        'INSERT OR REPLACE INTO machine_samples VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        Math.round(sample.atMs),
        sample.cpuPercent,
        sample.loadPerProcessor,
        sample.memoryAvailablePercent,
        sample.asteriskCpuPercent,
        sample.asteriskThreads,
        sample.channels,
        sample.timingSource,
        sample.taskQueueMost,
        sample.taskQueuesOver,
      );
      statements.run(
        `DELETE FROM machine_samples WHERE at_ms IN (
          SELECT at_ms FROM machine_samples WHERE at_ms < ? ORDER BY at_ms LIMIT ${PURGED_AT_ONCE})`,
        Math.round(beforeMs),
      );
    },
  },
  reads: {
    /** The peaks of each step of `stepMs`, the oldest first. */
    course(
      statements: Statements,
      { fromMs, toMs, stepMs }: { fromMs: number; toMs: number; stepMs: number },
    ): (MachinePeak & { readonly atMs: number })[] {
      return statements
        .prepared(
          `SELECT CAST(at_ms / @stepMs AS INTEGER) * @stepMs AS atMs, ${PEAK_CELLS}, ${QUEUE_CELLS} FROM machine_samples
          WHERE at_ms >= @fromMs AND at_ms < @toMs GROUP BY 1 ORDER BY 1`,
        )
        .all({ fromMs, toMs, stepMs: Math.round(stepMs) }) as (MachinePeak & { readonly atMs: number })[];
    },
    /** The peaks from `fromMs` to `toMs`, both included; null: no samples. */
    peak(statements: Statements, { fromMs, toMs }: { fromMs: number; toMs: number }): MachinePeak | null {
      const cellsOf = (cells: string, untilMs: number): unknown =>
        statements
          .prepared(`SELECT ${cells} FROM machine_samples WHERE at_ms >= ? AND at_ms <= ?`)
          .get(fromMs, untilMs);
      const peak = cellsOf(PEAK_CELLS, toMs) as Omit<MachinePeak, 'taskQueueMost' | 'taskQueuesOver'>;
      // The look after the end tells of what waited before it.
      const queues = cellsOf(QUEUE_CELLS, toMs + ASTERISK_LOOK_MS) as Pick<
        MachinePeak,
        'taskQueueMost' | 'taskQueuesOver'
      >;
      return peak.samples === 0 ? null : { ...peak, ...queues };
    },
  },
} as const satisfies Feature;
