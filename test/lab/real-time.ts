import { execFile } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/**
 * Puts a process, or one thread of it, ahead of everything ordinary on the machine: what measures delays of a millisecond
 * must wake in time whatever else runs (`sched(7)`, SCHED_RR). Where that is not allowed it goes on as it was. Resolves
 * when done.
 */
export function runInRealTime(which: { readonly pid: number } | { readonly threadId: number }): Promise<void> {
  const target =
    'pid' in which ? ['--all-tasks', '--pid', '1', String(which.pid)] : ['--pid', '1', String(which.threadId)];
  return new Promise((resolve) => void execFile('chrt', ['--rr', ...target], () => resolve()));
}

/** The kernel's number of the thread that asks. */
export function ownThreadId(): number {
  return Number(basename(readlinkSync('/proc/thread-self')));
}
