import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts processor time in hundredths of a second for programs, whatever its own clock (`getconf CLK_TCK`). */
const TICK_S = 0.01;

/** What the kernel says of a process now. */
export interface ProcessUsage {
  /** Processor time of all its threads, user and system, since it began. */
  readonly cpuS: number;
  readonly residentMb: number;
  /** Open file descriptors. */
  readonly handles: number;
}

/** Throws when there is no such process. */
export function usageOf(pid: number): ProcessUsage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold anything; utime and stime are fields 14 and 15 (proc_pid_stat(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return {
    cpuS: (Number(fields[11]) + Number(fields[12])) * TICK_S,
    residentMb: Number(kilobytes ?? 0) / 1024,
    handles: readdirSync(`/proc/${pid}/fd`).length,
  };
}
