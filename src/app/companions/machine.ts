import { MACHINE_STEP_MS, machineRoutes } from '../../api/machine.ts';
import type { Route } from '../../api/route.ts';
import { AsteriskInsideMeter } from '../machine/asterisk-inside.ts';
import { MachineMeter } from '../machine/machine-meter.ts';
import type { Companion, CompanionContext } from './companion.ts';

const LOOPBACK = /^(localhost|127\.|::1$|\[::1\]$)/;

/** Samples the machine's load, and shows it beside the calls of the same time. */
export function machineCompanion(context: CompanionContext): Companion {
  return new Machine(context);
}

class Machine implements Companion {
  readonly routes: readonly Route[];
  readonly #context: CompanionContext;
  readonly #meter: MachineMeter;
  readonly #inside: AsteriskInsideMeter;
  readonly #counters = { samples: 0, notKept: 0 };
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #looking = false;

  constructor(context: CompanionContext) {
    this.#context = context;
    const isHere = LOOPBACK.test(context.settings.ami.host);
    this.#meter = new MachineMeter({ isAsteriskHere: isHere });
    this.#inside = new AsteriskInsideMeter({ isHere, getGlobal: (name) => context.actions.getGlobal(name) });
    const { features } = context.history;
    this.routes = machineRoutes({ course: (span) => features.read('machine', 'course', span) }, context.clock);
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters };
  }

  tick(nowMs: number): void {
    if (this.#looking || Math.abs(nowMs - this.#lookedAtMs) < MACHINE_STEP_MS) return;
    this.#lookedAtMs = nowMs;
    this.#looking = true;
    void this.#look(nowMs).finally(() => (this.#looking = false));
  }

  /** Takes a sample. When it cannot be stored it is dropped: the next one comes soon. */
  async #look(nowMs: number): Promise<void> {
    const { history, live, settings } = this.#context;
    try {
      const [outside, inside] = await Promise.all([
        this.#meter.look(nowMs, live.liveUniqueids().length),
        this.#inside.look(nowMs),
      ]);
      const sample = { ...outside, ...inside };
      await history.features.write('machine', 'keep', { sample, beforeMs: nowMs - settings.history.keepIntervalsMs });
      this.#counters.samples++;
    } catch {
      this.#counters.notKept++;
    }
  }
}
