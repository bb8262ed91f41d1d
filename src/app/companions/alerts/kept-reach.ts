import { type EndpointState, Reachability, type UsualReach } from '../../../alerting/rules/reachability.ts';
import type { PbxEvent } from '../../../model/event.ts';
import { errorText } from '../../../units/error-text.ts';
import { flatCopy } from '../../../units/flat-copy.ts';

const STORE_EVERY_MS = 600_000;

/** Asterisk's device states (`ast_devstate2str`). INVALID and UNKNOWN say nothing. */
const STATES: Readonly<Record<string, EndpointState>> = {
  NOT_INUSE: 'reachable',
  INUSE: 'in-use',
  BUSY: 'in-use',
  RINGING: 'in-use',
  RINGINUSE: 'in-use',
  ONHOLD: 'in-use',
  UNAVAILABLE: 'unreachable',
};

export interface KeptReachOptions {
  readonly stored: () => Promise<string | null>;
  readonly store: (text: string) => Promise<unknown>;
  readonly nowMs: () => number;
  readonly onProblem: (sentence: string) => void;
}

/** Which endpoints Asterisk can reach, by its events. What is usual is stored, so that an endpoint is missed after a restart, too. */
export class KeptReach {
  readonly reach = new Reachability();
  readonly #options: KeptReachOptions;
  #isRestored = false;
  #storedAtMs: number;

  constructor(options: KeptReachOptions) {
    this.#options = options;
    this.#storedAtMs = options.nowMs();
  }

  async restore(): Promise<void> {
    if (this.#isRestored) return;
    const text = await this.#options.stored();
    if (text !== null) this.reach.restore(JSON.parse(text) as readonly UsualReach[]);
    this.#isRestored = true;
  }

  take(event: PbxEvent): void {
    if (event.type === 'link-lost') this.reach.linkLost(event.atMs);
    if (event.type !== 'endpoint-state') return;
    this.reach.take(flatCopy(event.endpoint), STATES[event.state] ?? null, event.atMs);
  }

  tick(nowMs: number): void {
    // A clock that was set back must not stop it.
    if (Math.abs(nowMs - this.#storedAtMs) >= STORE_EVERY_MS) void this.store();
  }

  async store(): Promise<void> {
    const nowMs = this.#options.nowMs();
    this.#storedAtMs = nowMs;
    // Before it is restored there is only a part of it.
    if (!this.#isRestored) return;
    try {
      await this.#options.store(JSON.stringify(this.reach.usual(nowMs)));
    } catch (error) {
      this.#options.onProblem(`which endpoints are usually reachable cannot be stored: ${errorText(error)}`);
    }
  }
}
