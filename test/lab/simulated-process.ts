import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { AmiConnection } from '../../src/asterisk/ami-socket.ts';
import type { SimulatedCounters } from './simulated-asterisk.ts';

const MAIN = fileURLToPath(new URL('./simulated-asterisk-main.ts', import.meta.url));

/** Two-party calls that keep `legs` channels up: as many calls begin as end, `legs / 2 / callMs` a millisecond. */
export interface LoadPlan {
  /** Of `test/golden/ami`, one with all its other events before and after its reports, such as `22-lossy-call`. */
  readonly recording: string;
  readonly legs: number;
  readonly reportEveryMs: number;
  readonly callMs: number;
}

export interface SimulatorRequest {
  readonly id: number;
  readonly load?: LoadPlan;
  readonly stopLoad?: boolean;
}

export interface SimulatorStatus {
  readonly connection: AmiConnection;
  readonly counters: SimulatedCounters;
  /** See `SimulatedAsterisk.takeDelaysMs`: those since the last answer. */
  readonly delaysMs: readonly number[];
}

export interface SimulatorAnswer extends SimulatorStatus {
  readonly id: number;
}

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

  load(load: LoadPlan): Promise<SimulatorStatus> {
    return this.#ask({ load });
  }

  /** No new calls; those that are up go on to their end. */
  stopLoad(): Promise<SimulatorStatus> {
    return this.#ask({ stopLoad: true });
  }

  status(): Promise<SimulatorStatus> {
    return this.#ask({});
  }

  /** Ends the process. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill();
    await ended;
  }

  /** Rejects when the process ends instead of answering. */
  #ask(request: Omit<SimulatorRequest, 'id'>): Promise<SimulatorStatus> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('the simulated Asterisk ended'));
      this.#child.once('exit', ended);
      this.#waiting.set(id, (answer) => {
        this.#child.off('exit', ended);
        resolve(answer);
      });
      this.#child.send({ ...request, id });
    });
  }
}
