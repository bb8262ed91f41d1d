import { setTimeout as sleep } from 'node:timers/promises';

/** The state of a connection to Asterisk. `problem` is one sentence for people, without secrets. */
export type LinkState =
  | { readonly status: 'connecting' }
  | { readonly status: 'connected' }
  /** Not connected; another try follows. */
  | { readonly status: 'waiting'; readonly problem: string }
  /** Given up: a person has to change something first. */
  | { readonly status: 'failed'; readonly problem: string };

/** How a connection, or the attempt at one, ended. */
export interface LinkEnd {
  /** True when trying again cannot help, such as after a wrong secret. */
  readonly fatal: boolean;
  readonly problem: string;
  readonly wasConnected: boolean;
}

export interface BackOff {
  readonly minMs: number;
  readonly maxMs: number;
}

/** Doubles up to 15 s: the link is soon back after a reload, and an Asterisk that stays away is not burdened. */
export const DEFAULT_BACK_OFF: BackOff = { minMs: 500, maxMs: 15_000 };

/**
 * Milliseconds to wait before try number `attempt`; 0 is the first after a loss. The wait is exponential, and half of it is random,
 * so that many sidecars do not return at once. `random` gives 0 up to 1.
 */
export function backOffMs(attempt: number, backOff: BackOff, random: () => number): number {
  const fullMs = Math.min(backOff.maxMs, backOff.minMs * 2 ** Math.min(attempt, 30));
  return fullMs / 2 + (fullMs / 2) * random();
}

export interface KeepLinkedOptions {
  /** Opens one connection and resolves when it has ended. It calls `onConnected` once it is in use. Never rejects. */
  readonly openOnce: (onConnected: () => void, signal: AbortSignal) => Promise<LinkEnd>;
  /** Called once for each change, not for each try. */
  readonly onState: (state: LinkState) => void;
  readonly signal: AbortSignal;
  readonly random: () => number;
  readonly backOff: BackOff;
}

/**
 * Keeps a connection up until `signal` aborts or the very first connection fails fatally. After the first success nothing is fatal:
 * a sidecar that has worked must not die of a failed reload in Asterisk.
 */
export async function keepLinked(options: KeepLinkedOptions): Promise<void> {
  const { openOnce, onState, signal, random, backOff } = options;
  let everConnected = false;
  let attempt = 0;
  let shown = '';
  const show = (state: LinkState): void => {
    const text = 'problem' in state ? `${state.status}: ${state.problem}` : state.status;
    if (text === shown) return;
    shown = text;
    onState(state);
  };
  const connected = (): void => {
    everConnected = true;
    show({ status: 'connected' });
  };
  show({ status: 'connecting' });
  while (!signal.aborted) {
    const end = await openOnce(connected, signal);
    if (signal.aborted) return;
    if (end.fatal && !everConnected) {
      show({ status: 'failed', problem: end.problem });
      return;
    }
    show({ status: 'waiting', problem: end.problem });
    attempt = end.wasConnected ? 0 : attempt + 1;
    await sleepUnlessAborted(backOffMs(attempt, backOff, random), signal);
  }
}

/** A connection that is kept up from `start` until `stop`. */
export class KeptLink {
  readonly #options: Omit<KeepLinkedOptions, 'signal'>;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  /** Uses the default back-off unless `options` has one. */
  constructor(
    openOnce: KeepLinkedOptions['openOnce'],
    options: Pick<KeepLinkedOptions, 'onState' | 'random'> & { readonly backOff?: BackOff },
  ) {
    const { onState, random, backOff = DEFAULT_BACK_OFF } = options;
    this.#options = { openOnce, onState, random, backOff };
  }

  /** Starts connecting; returns at once. */
  start(): void {
    this.#running ??= keepLinked({ ...this.#options, signal: this.#stopping.signal });
  }

  /** Stops trying, ends the connection by `close`, and resolves when it has ended. */
  async stop(close: () => void = () => {}): Promise<void> {
    this.#stopping.abort();
    close();
    await this.#running;
  }
}

/** Resolves after `ms`, or at once when `signal` aborts. */
export async function sleepUnlessAborted(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
