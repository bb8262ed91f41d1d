import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A shell script that runs in process and mount namespaces of its own. */
export interface Confined {
  /** The outer process; it ends only when nothing of the inside is left. */
  readonly process: ChildProcess;
  /** Resolves with the exit status, null after a signal. */
  readonly ended: Promise<number | null>;
  /** Kills everything inside at once; `ended` tells when it is gone, sockets and mounts included. */
  kill(): void;
  /** Host pids of the script's direct children, empty once they are gone. */
  children(): number[];
}

/**
 * Runs a shell script so that nothing of it can outlive this process, not even after SIGKILL, and no mount shows outside.
 *
 * The shell is process 1 of its namespace: when it dies the kernel kills all others. It stays root and is never replaced
 * by the program it starts, because a change of user would clear its parent-death signal.
 */
export function spawnConfined(script: string, words: readonly string[]): Confined {
  const outer = '--pdeathsig KILL -- unshare --mount --pid --fork --kill-child=KILL --propagation private --mount-proc';
  const shell = ['sh', '-c', `${script}\nexit $?`, 'confined', ...words];
  // A session of its own: Ctrl-C is for this process, which then ends the others in good order.
  const child = spawn('setpriv', [...outer.split(' '), ...shell], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', (status) => resolve(status));
  });
  return {
    process: child,
    ended,
    kill() {
      const [inner] = childrenOf(child.pid);
      // The outer process waits for the shell, whose end means the end of every process inside.
      if (inner !== undefined) killQuietly(inner);
      else child.kill('SIGKILL');
    },
    children: () => childrenOf(childrenOf(child.pid)[0]),
  };
}

/** Host pids of a process's direct children. */
function childrenOf(pid: number | undefined): number[] {
  if (pid === undefined) return [];
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text
      .split(' ')
      .filter((word) => word !== '')
      .map(Number);
  } catch {
    return [];
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}
