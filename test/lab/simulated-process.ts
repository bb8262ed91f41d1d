import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { AmiConnection } from '../../src/asterisk/ami/ami-socket.ts';
import type { Flood } from './flood.ts';
import type { Pace } from './recording.ts';
import type { SimulatedCounters } from './simulated-asterisk.ts';

const MAIN = fileURLToPath(new URL('./simulated-asterisk-main.ts', import.meta.url));

/** Two-party calls that keep `legs` channels up: as many calls begin as end, `legs / 2 / pace.callMs` a millisecond. */
export interface LoadPlan {
  /** Of `test/golden/ami`, one with all its other events before and after its reports, such as `22-lossy-call`. */
  readonly recording: string;
  readonly pace: Pace;
  readonly legs: number;
}

/** See `makeFlood`. */
export interface FloodPlan {
  readonly recordings: readonly string[];
  readonly pace: Pace;
  readonly events: number;
  readonly callsAtOnce: number;
}

export type SimulatorOrder =
  | { readonly order: 'status' | 'stop-load' | 'pour' }
  | { readonly order: 'load'; readonly plan: LoadPlan }
  | { readonly order: 'make-flood'; readonly plan: FloodPlan };

export interface SimulatorStatus {
  readonly connection: AmiConnection;
  readonly counters: SimulatedCounters;
  /** See `SimulatedAsterisk.takeDelaysMs`: those since the last answer. */
  readonly delaysMs: readonly number[];
  /** What `pour` will pour. */
  readonly flood: Omit<Flood, 'chunks'> | null;
}

export type SimulatorRequest = SimulatorOrder & { readonly id: number };
export type SimulatorAnswer = SimulatorStatus & { readonly id: number };

/** A `SimulatedAsterisk` in a process of its own, so that its work is not counted as the sidecar's. */
export class SimulatedProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: SimulatorAnswer) => void>();
  #lastId = 0;

  static async start(): Promise<{ readonly simulator: SimulatedProcess; readonly connection: AmiConnection }> {
    const simulator = new SimulatedProcess();
    const { connection } = await simulator.status();
    return { simulator, connection };
  }

  private constructor() {
    this.#child = fork(MAIN, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', (answer: SimulatorAnswer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  load(plan: LoadPlan): Promise<SimulatorStatus> {
    return this.#ask({ order: 'load', plan });
  }

  /** No new calls; those that are up go on to their end. */
  stopLoad(): Promise<SimulatorStatus> {
    return this.#ask({ order: 'stop-load' });
  }

  /** Gets a flood ready; the same one may be poured again and again. */
  makeFlood(plan: FloodPlan): Promise<SimulatorStatus> {
    return this.#ask({ order: 'make-flood', plan });
  }

  /** Writes the flood to every connection that asked for events, as fast as they read; resolves when it is written. */
  pour(): Promise<SimulatorStatus> {
    return this.#ask({ order: 'pour' });
  }

  status(): Promise<SimulatorStatus> {
    return this.#ask({ order: 'status' });
  }

  /** Ends the process. */
  async stop(): Promise<void> {
    // Killed by a signal, it has no exit code.
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill();
    await ended;
  }

  /** Rejects when the process ends instead of answering. */
  #ask(order: SimulatorOrder): Promise<SimulatorStatus> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('the simulated Asterisk ended'));
      if (!this.#child.connected) return ended();
      this.#child.once('exit', ended);
      this.#waiting.set(id, (answer) => {
        this.#child.off('exit', ended);
        resolve(answer);
      });
      this.#child.send({ ...order, id });
    });
  }
}
