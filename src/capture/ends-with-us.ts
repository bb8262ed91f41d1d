import { spawn } from 'node:child_process';

/** Waits for the end of its input, which comes when this process, the only writer, is gone. */
const WATCH = 'read -r _; kill "$0"';

/**
 * Makes a child end with this process, even when this process is killed: a shell watches both. A parent-death signal will not
 * do, because the kernel clears it for programs that change their user or have capabilities, as tcpdump does. Returns a
 * function that ends the watch; call it when the child has ended. Without a shell nobody watches.
 */
export function endsWithUs(pid: number): () => void {
  try {
    // A session of its own, so that Ctrl-C does not end the watcher first.
    const watcher = spawn('sh', ['-c', WATCH, String(pid)], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    watcher.on('error', () => undefined);
    return () => watcher.kill('SIGKILL');
  } catch {
    return () => undefined;
  }
}
