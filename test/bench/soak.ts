import type { Output } from './output.ts';
import { type SoakMark, soak } from './soaked.ts';

/** 360 calls of 50 s an hour: five at any time. */
const PLAN = { hours: 24, callEveryMs: 10_000 };
/** By then all code has been compiled and all tables have their first size. */
const WARM_HOUR = 2;
const MOST_HEAP_GROWTH_MB = 2;
/** A request may be under way or not. */
const MOST_HANDLE_GROWTH = 2;
/** A database's bytes a call may change by this much between its first hours and its last. */
const MOST_DATABASE_DRIFT_RATIO = 0.05;

/**
 * 24 hours of calls in the time that their work takes, on a virtual clock. Fails when, hour by hour with no call up, the heap
 * or the number of handles has grown, or the database by more than its calls.
 */
export async function run(output: Output): Promise<void> {
  const { marks, callsStored, intervalsStored, intervalsExpected } = await soak(PLAN, (mark) => {
    if (mark.hour === 1 || mark.hour % 4 === 0) output.say(line(mark));
  });
  const warm = marks[WARM_HOUR - 1];
  const last = marks.at(-1);
  if (warm === undefined || last === undefined) return;
  const heapGrowthMb = (last.heapBytes - warm.heapBytes) / 2 ** 20;
  const handleGrowth = last.handles - warm.handles;
  const drift = bytesPerCall(marks, marks.length - 1) / bytesPerCall(marks, WARM_HOUR) - 1;
  output.say(`heap ${signed(heapGrowthMb)} MB and handles ${signed(handleGrowth)} since hour ${WARM_HOUR}`);
  output.say(
    `database: ${Math.round(bytesPerCall(marks, marks.length - 1))} bytes a call in the last hour, ${signed(100 * drift)} % of hour ${WARM_HOUR + 1}`,
  );
  output.say(`${callsStored} of ${last.calls} calls and ${intervalsStored} of ${intervalsExpected} reports stored`);
  output.result({ marks, heap_growth_mb: heapGrowthMb, handle_growth: handleGrowth, database_drift_ratio: drift });
  const isMet =
    heapGrowthMb <= MOST_HEAP_GROWTH_MB &&
    handleGrowth <= MOST_HANDLE_GROWTH &&
    Math.abs(drift) <= MOST_DATABASE_DRIFT_RATIO &&
    callsStored === last.calls &&
    intervalsStored === intervalsExpected;
  if (!isMet) process.exitCode = 1;
}

/** What the hour with this index added to the database, a call. */
function bytesPerCall(marks: readonly SoakMark[], index: number): number {
  const [before, after] = [marks[index - 1], marks[index]];
  if (before === undefined || after === undefined) return Number.NaN;
  return (after.databaseBytes - before.databaseBytes) / (after.calls - before.calls);
}

function line({ hour, calls, heapBytes, databaseBytes, handles }: SoakMark): string {
  const [heapMb, databaseMb] = [heapBytes, databaseBytes].map((bytes) => (bytes / 2 ** 20).toFixed(1));
  return `hour ${hour}: ${calls} calls, heap ${heapMb} MB, database ${databaseMb} MB, ${handles} handles`;
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(Number.isInteger(value) ? 0 : 2)}`;
}
