import { Worker } from 'node:worker_threads';
import type { Direction } from '../../src/model/report.ts';
import { CLEAN, type NetworkProfile, type PacketKind } from './network-profile.ts';
import type { RelayAnswer, RelayPlan, RelayRequest, RelayTruth } from './relay-protocol.ts';

type Waiting = { readonly resolve: (truth: RelayTruth | undefined) => void; readonly reject: (error: Error) => void };

/** Distributes over the members, which a plain `Omit` of a union does not. */
type WithoutId<T> = T extends { readonly id: number } ? Omit<T, 'id'> : never;

/** The impaired network between the phones and the PBX, in a thread of its own so that no test disturbs its timing. */
export class Relay {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #profiles = new Map<string, NetworkProfile>();
  #lastId = 0;

  /** Resolves when every socket is bound. Throws when one cannot be. */
  static async start(plan: RelayPlan): Promise<Relay> {
    const worker = new Worker(new URL('relay-worker.ts', import.meta.url), { workerData: plan });
    await new Promise<void>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('message', (answer: RelayAnswer) => {
        if (answer.type === 'ready') resolve();
        else reject(new Error(`The relay could not start: ${answer.type === 'failed' ? answer.reason : answer.type}`));
      });
    });
    return new Relay(worker, plan);
  }

  private constructor(worker: Worker, plan: RelayPlan) {
    this.#worker = worker;
    for (const phone of plan.phones) {
      this.#profiles.set(`${phone.name} rx`, phone.rx);
      this.#profiles.set(`${phone.name} tx`, phone.tx);
    }
    worker.on('message', (answer: RelayAnswer) => {
      if (answer.type !== 'done') return;
      this.#waiting.get(answer.id)?.resolve(answer.truth);
      this.#waiting.delete(answer.id);
    });
    worker.on('exit', () => {
      for (const waiting of this.#waiting.values()) waiting.reject(new Error('The relay has stopped.'));
      this.#waiting.clear();
    });
    worker.unref();
  }

  /** What a phone's network is told to do now. `rx` is from the phone to the PBX. Throws for an unknown phone. */
  profile(phone: string, direction: Direction): NetworkProfile {
    const profile = this.#profiles.get(`${phone} ${direction}`);
    if (profile === undefined) throw new Error(`The relay knows no phone ${phone}.`);
    return profile;
  }

  /** Changes a phone's network while calls are up: a clean one with these changes. In force when the promise resolves. */
  async setProfile(phone: string, direction: Direction, changes: Partial<NetworkProfile>): Promise<void> {
    this.profile(phone, direction);
    const profile = { ...CLEAN, ...changes };
    this.#profiles.set(`${phone} ${direction}`, profile);
    await this.#ask({ type: 'profile', phone, direction, profile });
  }

  /** What really happened to a phone's packets in one direction since the lab started. */
  async truth(phone: string, direction: Direction, kind: PacketKind = 'rtp'): Promise<RelayTruth> {
    this.profile(phone, direction);
    const truth = await this.#ask({ type: 'truth', phone, direction, kind });
    if (truth === undefined) throw new Error('The relay gave no truth.');
    return truth;
  }

  /** Closes every socket. */
  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(request: WithoutId<RelayRequest>): Promise<RelayTruth | undefined> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ ...request, id }, []);
    });
  }
}
