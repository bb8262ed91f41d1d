import { execFile } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/**
 * Who comes before whom (`sched(7)`, SCHED_RR): at one priority each may keep a processor for 100 ms while others wait, and
 * a sidecar that compiles its code takes that long. The network and Asterisk never do.
 */
const PRIORITIES = { sidecar: 1, asterisk: 2, network: 3 } as const;

/**
 * Puts a process, or one thread of it, ahead of everything ordinary on the machine: what measures delays of a millisecond
 * must wake in time whatever else runs. Where that is not allowed it goes on as it was. Resolves when done.
 */
export function runInRealTime(
  which: { readonly pid: number } | { readonly threadId: number },
  as: keyof typeof PRIORITIES,
): Promise<void> {
  const priority = String(PRIORITIES[as]);
  const target =
    'pid' in which
      ? ['--all-tasks', '--pid', priority, String(which.pid)]
      : ['--pid', priority, String(which.threadId)];
  return new Promise((resolve) => void execFile('chrt', ['--rr', ...target], () => resolve()));
}

/** The kernel's number of the thread that asks. */
export function ownThreadId(): number {
  return Number(basename(readlinkSync('/proc/thread-self')));
}
