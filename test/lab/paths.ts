import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

/** The repository's own folder. */
export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** Git-ignored home of everything that the lab builds and writes. */
export const LAB_HOME = join(REPOSITORY, '.lab');

/** One folder per running Asterisk. */
export const RUN_HOME = join(LAB_HOME, 'run');

let counter = 0;

/** A name that tells who made a folder, so that another process can see whether its owner is still alive. */
export function ownedName(prefix: string): string {
  counter += 1;
  return `${prefix}-${process.pid}.${startOfProcess(process.pid) ?? '0'}-${counter}`;
}

/** Makes a new run folder that belongs to this process. */
export function makeRunDirectory(prefix: string): string {
  const path = join(RUN_HOME, ownedName(prefix));
  mkdirSync(path, { recursive: true });
  return path;
}

/** Removes what processes that are gone (killed, power cut) left in `home`. */
export function sweepOrphans(home: string): void {
  let names: string[] = [];
  try {
    names = readdirSync(home);
  } catch {
    return;
  }
  for (const name of names) {
    const [, pid, start] = /-(\d+)\.(\d+)-\d+$/.exec(name) ?? [];
    if (pid === undefined || startOfProcess(Number(pid)) === start) continue;
    rmSync(join(home, name), { recursive: true, force: true });
  }
}

/** When a process began, in clock ticks since boot: with its pid, an identity that is never used twice. */
function startOfProcess(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
