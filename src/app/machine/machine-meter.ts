import { open, readdir } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import type { AsteriskInside, MachineSample } from '../../model/machine.ts';

/** `USER_HZ`: the unit of processor time in /proc; 100 on all of Debian's architectures. */
const TICKS_PER_S = 100;
/** After the program's name in parentheses: utime and stime are the fields 14 and 15, num_threads is 20 (proc(5)). */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;
const THREADS = 17;
const PERCENT = 100;
/** More than any of the files that are read here has. */
const READ_BYTES = 8192;

/** Processor times so far, ms over all processors. */
interface Times {
  readonly busyMs: number;
  readonly wholeMs: number;
}

interface AsteriskTimes {
  readonly pid: number;
  readonly cpuMs: number;
  readonly atMs: number;
}

/** Measures the machine. Each sample covers the time since the one before. */
export class MachineMeter {
  readonly #proc: string;
  readonly #isAsteriskHere: boolean;
  #times = cpuTimes();
  #asterisk: AsteriskTimes | undefined;

  /** `proc`: the directory to read instead of /proc. */
  constructor({ isAsteriskHere, proc = '/proc' }: { readonly isAsteriskHere: boolean; readonly proc?: string }) {
    this.#isAsteriskHere = isAsteriskHere;
    this.#proc = proc;
  }

  async look(atMs: number, channels: number): Promise<Omit<MachineSample, keyof AsteriskInside>> {
    const before = this.#times;
    this.#times = cpuTimes();
    const wholeMs = this.#times.wholeMs - before.wholeMs;
    const [memoryAvailablePercent, asterisk] = await Promise.all([this.#memory(), this.#lookAtAsterisk(atMs)]);
    return {
      atMs,
      cpuPercent: wholeMs > 0 ? (PERCENT * (this.#times.busyMs - before.busyMs)) / wholeMs : null,
      loadPerProcessor: (loadavg()[0] ?? 0) / availableParallelism(),
      memoryAvailablePercent,
      asteriskCpuPercent: asterisk?.cpuPercent ?? null,
      asteriskThreads: asterisk?.threads ?? null,
      channels,
    };
  }

  async #memory(): Promise<number | null> {
    const text = await read(`${this.#proc}/meminfo`);
    const kib = (name: string): number => Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1]);
    const percent = (PERCENT * kib('MemAvailable')) / kib('MemTotal');
    return Number.isFinite(percent) ? percent : null;
  }

  async #lookAtAsterisk(atMs: number): Promise<{ cpuPercent: number | null; threads: number } | undefined> {
    if (!this.#isAsteriskHere) return undefined;
    const pid = this.#asterisk?.pid ?? (await this.#findAsterisk());
    const before = this.#asterisk;
    this.#asterisk = undefined;
    if (pid === undefined) return undefined;
    const [, name, rest] = /^\d+ \((.*)\) (.*)$/s.exec(await read(`${this.#proc}/${pid}/stat`)) ?? [];
    const fields = rest?.trim().split(' ').map(Number) ?? [];
    const cpuMs = (((fields[USER_TICKS] ?? Number.NaN) + (fields[SYSTEM_TICKS] ?? Number.NaN)) * 1000) / TICKS_PER_S;
    const threads = fields[THREADS];
    // The process has ended, and another program may have its number.
    if (name !== 'asterisk' || !Number.isFinite(cpuMs) || threads === undefined) return undefined;
    this.#asterisk = { pid, cpuMs, atMs };
    const isTold = before !== undefined && atMs > before.atMs && cpuMs >= before.cpuMs;
    return { cpuPercent: isTold ? (PERCENT * (cpuMs - before.cpuMs)) / (atMs - before.atMs) : null, threads };
  }

  /** The process id of Asterisk; undefined: none, or several, of which nobody knows which is ours. */
  async #findAsterisk(): Promise<number | undefined> {
    const names = await readdir(this.#proc).catch(() => []);
    const pids = names.filter((name) => /^\d+$/.test(name));
    const found = await Promise.all(
      pids.map(async (pid) => ((await read(`${this.#proc}/${pid}/comm`)).trim() === 'asterisk' ? [Number(pid)] : [])),
    );
    const [pid, ...others] = found.flat();
    return others.length === 0 ? pid : undefined;
  }
}

function cpuTimes(): Times {
  let [busyMs, wholeMs] = [0, 0];
  for (const { times } of cpus()) {
    const { user, nice, sys, idle, irq } = times;
    busyMs += user + nice + sys + irq;
    wholeMs += user + nice + sys + irq + idle;
  }
  return { busyMs, wholeMs };
}

/** The text of a file; empty when it is missing or may not be read. Node's `readFile` would take 64 KB for each: /proc tells no sizes. */
async function read(path: string): Promise<string> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(READ_BYTES), 0, READ_BYTES, 0);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return '';
  }
}
