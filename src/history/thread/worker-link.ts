import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { atMost } from './at-most.ts';
import { listIn } from './parts.ts';
import type { Reply, Request } from './protocol.ts';
import { errorText } from '../../units/error-text.ts';

/** What the thread's side threw; `code` as SQLite or Node gave it, or empty. */
export class WorkerError extends Error {
  override readonly name = 'WorkerError';
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

type MethodOf<Methods, Name extends keyof Methods> = Methods[Name] extends (input: infer Input) => infer Result
  ? { input: Input; result: Result }
  : never;

/** What a thread of ours keeps is SQLite's; of JavaScript it has a few megabytes, and needs no more room for new garbage. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 3 };

interface Part {
  readonly id: number;
  readonly result: unknown;
  readonly left: number;
}

interface Pending {
  resolve(part: Part): void;
  reject(error: Error): void;
}

/**
 * A worker thread that answers requests, started by the first of them. If it dies, its open requests fail and the next one
 * starts it anew.
 */
export class WorkerLink<Methods> {
  readonly #file: URL;
  readonly #data: string;
  readonly #pending = new Map<number, Pending>();
  readonly #idleMs: number | undefined;
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #lastId = 0;
  #stopped = false;

  /**
   * `file` is the thread's module; `data` is handed to it at each start. A thread that had no request for `idleMs` ends, as
   * it takes over 10 MB; without `idleMs` it stays.
   */
  constructor(file: URL, data: string, idleMs?: number) {
    this.#file = file;
    this.#data = data;
    this.#idleMs = idleMs;
  }

  /** Rejects with WorkerError when the thread's method threw, the thread died, or it was stopped. */
  async request<Name extends keyof Methods & string>(
    method: Name,
    input: MethodOf<Methods, Name>['input'],
  ): Promise<MethodOf<Methods, Name>['result']> {
    if (this.#stopped) throw new WorkerError('the history is closed', '');
    const first = await this.#send(method, input);
    const list = listIn(first.result);
    for (let { left } = first; left > 0;) {
      // One part in a turn of the event loop: other work goes in between.
      await nextTurn();
      const part = await this.#send('more', first.id);
      for (const item of part.result as unknown[]) list?.push(item);
      ({ left } = part);
    }
    return first.result;
  }

  /** Ends the thread once it has answered; the next request starts another. */
  async restart(): Promise<void> {
    if (this.#worker === undefined) return;
    const closed = this.#send('close', null).catch(() => undefined);
    // What is asked from now on would not be answered by it.
    this.#worker = undefined;
    await closed;
  }

  /** Lets the thread finish what it does and close its database, for at most `withinMs`; then ends it. */
  async stop(withinMs: number): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#idle);
    const worker = this.#worker;
    if (worker === undefined) return;
    const closed = this.#send('close', null).catch(() => undefined);
    await atMost(withinMs, closed);
    await worker.terminate();
  }

  #send(method: string, input: unknown): Promise<Part> {
    clearTimeout(this.#idle);
    this.#worker ??= this.#start();
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      const request: Request = { id: ++this.#lastId, method, input };
      // Throws at once when the input cannot be copied to the thread; nothing must wait for an answer then.
      worker.postMessage(request, []);
      this.#pending.set(request.id, { resolve, reject });
      worker.ref();
    });
  }

  #start(): Worker {
    const worker = new Worker(this.#file, { workerData: this.#data, resourceLimits: RESOURCE_LIMITS });
    // An idle thread does not keep the process alive; an open request does.
    worker.unref();
    worker.on('message', (reply: Reply) => {
      const waiting = this.#pending.get(reply.id);
      this.#pending.delete(reply.id);
      if (this.#worker === worker && this.#pending.size === 0) this.#rest(worker);
      if ('code' in reply) waiting?.reject(new WorkerError(reply.message, reply.code));
      else waiting?.resolve(reply);
    });
    let cause = 'it ended';
    worker.on('error', (error) => {
      cause = errorText(error);
    });
    worker.on('exit', () => {
      // A worker that ended because it was idle had no open questions.
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      const failed = [...this.#pending.values()];
      this.#pending.clear();
      for (const waiting of failed) waiting.reject(new WorkerError(`the database thread failed: ${cause}`, ''));
    });
    return worker;
  }

  /** Nothing is asked for now. */
  #rest(worker: Worker): void {
    worker.unref();
    if (this.#idleMs === undefined || this.#stopped) return;
    this.#idle = setTimeout(() => {
      this.#worker = undefined;
      worker.postMessage({ id: ++this.#lastId, method: 'close', input: null } satisfies Request, []);
    }, this.#idleMs).unref();
  }
}
