import { availableParallelism, freemem, loadavg, totalmem } from 'node:os';
import type { Surroundings } from './format/document.ts';

/** Time between two looks at load and memory, which change slowly. */
const LOOK_EVERY_MS = 5000;

export interface CurrentSurroundingsOptions {
  readonly release: string;
  readonly asteriskVersion: () => string | null;
}

/** What all legs have in common now: the releases, and load and memory of this machine. */
export class CurrentSurroundings {
  readonly #options: CurrentSurroundingsOptions;
  #lookedAtMs: number | null = null;
  #load: number | null = null;
  #memory: number | null = null;

  constructor(options: CurrentSurroundingsOptions) {
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
