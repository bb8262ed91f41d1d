import { execFile } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/**
 * Priorities (`sched(7)`, SCHED_RR). Processes of equal priority may keep a processor for 100 ms each, and a sidecar that compiles its
 * code does. So the network, Asterisk and phones, which never do, come before it.
 */
const PRIORITIES = { sidecar: 1, asterisk: 2, phone: 2, network: 3 } as const;

/**
 * Runs a process, or one thread of it, before all ordinary work: a measurement of milliseconds must wake in time. Without the right
 * to do so nothing changes. Resolves when done.
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
