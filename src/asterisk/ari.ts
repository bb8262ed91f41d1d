import { Worker } from 'node:worker_threads';
import type { RtpCounters } from '../model/event.ts';
import type { AriCall, AriMessage, AriRequest, AriWorkerData } from './ari-protocol.ts';
import { ariBaseUrl, checkAriCredentials, whereAri } from './ari-credentials.ts';
import { readRtpStatistics } from './ari-statistics.ts';
import { KeptLink, type BackOff, type LinkEnd, type LinkState } from './link-state.ts';
import { errorText } from '../units/error-text.ts';

export interface AriConnection {
  /** `http://127.0.0.1:8088`, or with https; `/ari` at its end is understood. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly app: string;
}

export interface VariableSet {
  /** Undefined for a global variable. */
  readonly uniqueid: string | undefined;
  readonly name: string;
  readonly value: string;
}

export interface AriOptions {
  readonly connection: AriConnection;
  readonly onState: (state: LinkState) => void;
  /** A channel variable was set. */
  readonly onVariableSet?: (change: VariableSet) => void;
  /** 0 up to 1. */
  readonly random: () => number;
  readonly backOff?: BackOff;
  /** For each call, and for the check of the credentials. */
  readonly callTimeoutMs?: number;
}

/** Why a call to ARI failed. `refused`: Asterisk said no, such as "Channel not found". */
export class AriError extends Error {
  override readonly name = 'AriError';
  readonly problem: 'disconnected' | 'timeout' | 'busy' | 'refused';

  constructor(problem: AriError['problem'], message: string) {
    super(message);
    this.problem = problem;
  }
}

const DEFAULT_CALL_TIMEOUT_MS = 3000;

/** Time for a start. Loading ARI's description of itself takes about 0.3 s. */
const START_TIMEOUT_MS = 15_000;

/** Time for the thread to close its web socket and end. */
const GOODBYE_TIMEOUT_MS = 1000;

/** Calls under way at the same time. */
const MAX_PENDING = 200;

interface Pending {
  readonly resolve: (body: unknown) => void;
  readonly reject: (error: AriError) => void;
  readonly timer: NodeJS.Timeout;
}

/** Asterisk's REST interface: `ari-client` in a thread of its own, which is replaced whenever it dies. */
export class Ari {
  readonly #options: AriOptions;
  /** Without the path `/ari`, which the package adds itself. */
  readonly #connection: AriConnection;
  readonly #callTimeoutMs: number;
  readonly #kept: KeptLink;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #up = false;
  #nextId = 1;

  constructor(options: AriOptions) {
    this.#options = options;
    this.#kept = new KeptLink((onConnected, signal) => this.#openOnce(onConnected, signal), options);
    this.#connection = { ...options.connection, url: ariBaseUrl(options.connection.url) };
    this.#callTimeoutMs = options.callTimeoutMs ?? DEFAULT_CALL_TIMEOUT_MS;
  }

  get connected(): boolean {
    return this.#up;
  }

  /** Starts connecting; returns at once. */
  start(): void {
    this.#kept.start();
  }

  /** Closes the connection for good. */
  async stop(): Promise<void> {
    const worker = this.#worker;
    let timer: NodeJS.Timeout | undefined;
    await this.#kept.stop(() => {
      if (this.#up) worker?.postMessage({ kind: 'stop' } satisfies AriRequest, []);
      timer = setTimeout(() => void worker?.terminate(), this.#up ? GOODBYE_TIMEOUT_MS : 0);
    });
    clearTimeout(timer);
  }

  /** Counters of a live channel's RTP; undefined when it has none. Rejects with AriError. */
  async rtpStatistics(uniqueid: string): Promise<RtpCounters | undefined> {
    return readRtpStatistics(await this.#call({ kind: 'rtp-statistics', uniqueid }));
  }

  async #call(request: Omit<AriCall, 'id'>): Promise<unknown> {
    const worker = this.#worker;
    if (worker === undefined || !this.#up) throw new AriError('disconnected', `${this.#where()} is not connected`);
    if (this.#pending.size >= MAX_PENDING) throw new AriError('busy', `${this.#where()} is behind with its answers`);
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => {
      this.#pending.delete(id);
      reject(new AriError('timeout', `${this.#where()} did not answer within ${this.#callTimeoutMs} ms`));
    }, this.#callTimeoutMs);
    this.#pending.set(id, { resolve, reject, timer });
    worker.postMessage({ ...request, id } satisfies AriRequest, []);
    return promise;
  }

  async #openOnce(onConnected: () => void, signal: AbortSignal): Promise<LinkEnd> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(this.#callTimeoutMs)]);
    const refusal = await checkAriCredentials(this.#connection, limit);
    if (refusal !== undefined) return { ...refusal, wasConnected: false };
    if (signal.aborted) return { fatal: false, problem: 'the sidecar stopped', wasConnected: false };
    const worker = startWorker(this.#connection);
    this.#worker = worker;
    const { promise: ended, resolve } = Promise.withResolvers<string>();
    const startTimer = setTimeout(() => void worker.terminate(), START_TIMEOUT_MS);
    let problem = `${this.#where()} closed the connection`;
    worker.on('message', (message: AriMessage) => {
      if (message.kind === 'up') {
        clearTimeout(startTimer);
        this.#up = true;
        onConnected();
      } else this.#take(message);
    });
    worker.on('error', (error: unknown) => {
      problem = `The connection to ${this.#where()} failed (${shorten(error)})`;
    });
    worker.on('exit', () => resolve(problem));
    const why = await ended;
    clearTimeout(startTimer);
    const wasConnected = this.#up;
    this.#up = false;
    this.#worker = undefined;
    this.#dropPending(why);
    return { fatal: false, problem: why, wasConnected };
  }

  #take(message: Exclude<AriMessage, { kind: 'up' }>): void {
    if (message.kind === 'variable-set') {
      const { uniqueid, name, value } = message;
      this.#options.onVariableSet?.({ uniqueid, name, value });
      return;
    }
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return;
    this.#pending.delete(message.id);
    clearTimeout(pending.timer);
    if (message.kind === 'answer') pending.resolve(message.body);
    else pending.reject(new AriError('refused', `${this.#where()} refused the call (${shorten(message.message)})`));
  }

  #dropPending(why: string): void {
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(new AriError('disconnected', why));
    }
    this.#pending.clear();
  }

  #where(): string {
    return whereAri(this.#connection);
  }
}

function startWorker({ url, username, password, app }: AriConnection): Worker {
  // The published package holds JavaScript.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new Worker(new URL(`./ari-worker.${extension}`, import.meta.url), {
    workerData: { url, username, password, app } satisfies AriWorkerData,
    // Discard what the package and its dependencies print.
    stdout: true,
    stderr: true,
  });
}

/** Shortens a message to one line: a server may have sent a whole page. */
function shorten(error: unknown): string {
  const text = errorText(error);
  return text.split('\n', 1)[0]?.slice(0, 200) ?? '';
}
