import { availableParallelism, freemem, loadavg, totalmem } from 'node:os';
import type { Surroundings } from './format/document.ts';

/** Load and memory change slowly. */
const LOOK_EVERY_MS = 5000;

export interface AroundOptions {
  readonly release: string;
  readonly asteriskVersion: () => string | null;
}

/** What is known around all legs: the releases, and how busy this machine is. */
export class Around {
  readonly #options: AroundOptions;
  #lookedAtMs: number | null = null;
  #load: number | null = null;
  #memory: number | null = null;

  constructor(options: AroundOptions) {
    this.#options = options;
  }

  get now(): Surroundings {
    return {
      release: this.#options.release,
      asteriskVersion: this.#options.asteriskVersion(),
      load: this.#load,
      memory: this.#memory,
    };
  }

  tick(nowMs: number): void {
    if (this.#lookedAtMs !== null && Math.abs(nowMs - this.#lookedAtMs) < LOOK_EVERY_MS) return;
    this.#lookedAtMs = nowMs;
    this.#load = (loadavg()[0] ?? 0) / availableParallelism();
    this.#memory = 1 - freemem() / totalmem();
  }
}
