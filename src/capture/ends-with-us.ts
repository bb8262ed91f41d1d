import { spawn } from 'node:child_process';

/** Waits for the end of its input, which comes when the only process that could write there has gone. */
const WATCH = 'read -r _; kill "$0"';

/**
 * Sees to it that a child ends when this process does, be it killed: a shell watches over both. (A parent-death signal will not
 * do: the kernel clears it for a program that changes its user or has capabilities, as tcpdump does.) Returns what
 * calls that off, to be called when the child has ended. Where no shell can be started the child is not watched.
 */
export function endsWithUs(pid: number): () => void {
  try {
    // A session of its own: Ctrl-C is not the end of us.
    const watcher = spawn('sh', ['-c', WATCH, String(pid)], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    watcher.on('error', () => undefined);
    return () => watcher.kill('SIGKILL');
  } catch {
    return () => undefined;
  }
}
