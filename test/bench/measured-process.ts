import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Measured {
  readonly stdout: string;
  readonly elapsedS: number;
  /** Largest resident size that was seen. */
  readonly peakRssMb: number;
}

const SAMPLE_EVERY_MS = 5;

/** Runs a program to its end. Throws when it fails. */
export async function measure(command: string, args: readonly string[]): Promise<Measured> {
  const startMs = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  let peakRssMb = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const sampler = setInterval(() => {
    peakRssMb = Math.max(peakRssMb, highWaterMarkMb(child.pid));
  }, SAMPLE_EVERY_MS);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => clearInterval(sampler));
  const elapsedS = (performance.now() - startMs) / 1000;
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr.trim()}`);
  return { stdout, elapsedS, peakRssMb };
}

/** The kernel's own account of the most memory that a process ever had. */
function highWaterMarkMb(pid: number | undefined): number {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes ?? 0) / 1024;
  } catch {
    return 0;
  }
}
