import { setTimeout as sleep } from 'node:timers/promises';
import type { LabCall } from './call.ts';
import { WAVES } from './demo-phones.ts';
import type { Lab } from './lab.ts';

/** How long the calls of a wave last at most, and the pause between two waves. */
const WAVE_MS = 45_000;
const PAUSE_MS = 3000;
/** Between the beginnings (and the ends) of two calls of a wave. */
const STEP_MS = 400;
/** A shorter wave shows little, so the previous wave is prolonged instead. */
const SHORTEST_WAVE_MS = 20_000;

/** Places wave after wave of calls until it is told to stop. */
export class DemoCalls {
  readonly #lab: Lab;
  #up: Pick<LabCall, 'hangup'>[] = [];
  #placed = 0;

  readonly #waves: typeof WAVES;

  constructor(lab: Lab, waves = WAVES) {
    this.#lab = lab;
    this.#waves = waves;
  }

  get placed(): number {
    return this.#placed;
  }

  /**
   * Resolves soon after `signal`, when every call has been hung up. `endMs` is when the signal is going to come at the
   * latest, undefined when nobody knows. Throws when a call cannot be placed.
   */
  async run(signal: AbortSignal, endMs?: number): Promise<void> {
    try {
      for (let wave = 0; !signal.aborted; wave = (wave + 1) % this.#waves.length) {
        for (const [from, to] of this.#waves[wave] ?? []) {
          if (signal.aborted) return;
          this.#up.push(await this.#place(from, to));
          this.#placed += 1;
          await pause(STEP_MS, signal);
        }
        await pause(waveMs(endMs), signal);
        await this.#hangUpAll(signal.aborted ? 0 : STEP_MS);
        await pause(PAUSE_MS, signal);
      }
    } finally {
      await this.#hangUpAll(0);
    }
  }

  async #place(from: string, to: string): Promise<Pick<LabCall, 'hangup'>> {
    const isProgram = this.#lab.plan.phones.some(({ name, client }) => name === from && client !== null);
    if (!isProgram) return this.#lab.call(from, to);
    const { soft } = this.#lab;
    const { caller, callee = caller } = await soft.call(from, to);
    return { hangup: (side) => soft.hangUp(side === 'caller' ? caller : callee) };
  }

  /** Now the caller hangs up, now the callee. */
  async #hangUpAll(stepMs: number): Promise<void> {
    const calls = this.#up;
    this.#up = [];
    const ends = calls.map(async (call, index) => {
      await sleep(stepMs * index);
      await call.hangup(index % 2 === 0 ? 'caller' : 'callee');
    });
    await Promise.all(ends);
  }
}

function waveMs(endMs: number | undefined): number {
  const leftMs = endMs === undefined ? Number.POSITIVE_INFINITY : endMs - Date.now();
  // The last wave ends with the signal, not before.
  return leftMs < WAVE_MS + PAUSE_MS + SHORTEST_WAVE_MS ? Math.max(0, leftMs) + PAUSE_MS : WAVE_MS;
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}
