import type { Socket } from 'node:net';
import type { WorkQueue } from './work-queue.ts';
import { AgiLineReader, readAgiAnswer, readAgiVariable, type AgiAnswer } from '../wire/agi.ts';

/** Asterisk sends about 22 lines of environment, and one more for each argument, of which our handler gives none. */
const MAX_ENVIRONMENT_LINES = 64;

/** Bound on unread lines: the conversation is question and answer. */
const MAX_QUEUED_LINES = 400;

/** Thrown when the conversation ends early; `late` when the time was up. */
export class AgiError extends Error {
  override readonly name = 'AgiError';
  readonly late: boolean;

  constructor(message: string, late: boolean) {
    super(message);
    this.late = late;
  }
}

/** One FastAGI connection: lines in, commands out, one deadline for all of it. */
export class AgiConversation {
  readonly #socket: Socket;
  readonly #reader = new AgiLineReader();
  readonly #lines: string[] = [];
  #timer: NodeJS.Timeout;
  /** Rejects when the conversation fails; never resolves. */
  readonly #failed: Promise<never>;
  readonly #fail: (error: AgiError) => void;
  #wake: (() => void) | undefined;

  /** `workQueue` runs the reading of lines, so that a crowd of connections cannot hold up the event loop. */
  constructor(socket: Socket, workQueue: WorkQueue, deadlineMs: number) {
    this.#socket = socket;
    const { promise, reject } = Promise.withResolvers<never>();
    this.#failed = promise;
    this.#fail = reject;
    // Rejects the present waiter, or the next one when nobody waits.
    promise.catch(() => {});
    this.#timer = this.#deadline(deadlineMs);
    let isInTurn = false;
    socket.on('readable', () => {
      if (isInTurn) return;
      isInTurn = true;
      workQueue.take(() => {
        isInTurn = false;
        const chunk = socket.read() as Buffer | null;
        if (chunk !== null) this.#take(chunk);
      });
    });
    socket.on('error', () => reject(new AgiError('the connection broke', false)));
    socket.on('close', () => reject(new AgiError('the connection was closed', false)));
  }

  /** The next line. Rejects with AgiError. */
  async line(): Promise<string> {
    for (;;) {
      const next = this.#lines.shift();
      if (next !== undefined) return next;
      const { promise, resolve } = Promise.withResolvers<undefined>();
      this.#wake = () => resolve(undefined);
      await this.inTime(promise);
    }
  }

  /** Sends a command and resolves with its answer; it skips other lines, such as HANGUP. Rejects with AgiError. */
  async command(text: string): Promise<AgiAnswer> {
    this.#socket.write(text);
    for (;;) {
      const answer = readAgiAnswer(await this.line());
      if (answer !== undefined) return answer;
    }
  }

  /** Resolves as `work` does; rejects with AgiError when the conversation ends first. */
  async inTime<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#failed]);
  }

  /** Sets a new deadline, counted from now, for example to ask a person something. */
  extend(deadlineMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = this.#deadline(deadlineMs);
  }

  /** Closes the connection after everything is sent. */
  close(): void {
    clearTimeout(this.#timer);
    this.#socket.destroySoon();
  }

  #deadline(afterMs: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#fail(new AgiError('the time is up', true));
      this.#socket.destroy();
    }, afterMs);
  }

  #take(chunk: Buffer): void {
    const lines = this.#reader.push(chunk);
    if (lines === 'overlong' || this.#lines.length + lines.length > MAX_QUEUED_LINES) {
      this.#fail(new AgiError('too much was sent', false));
      this.#socket.destroy();
      return;
    }
    this.#lines.push(...lines);
    this.#wake?.();
  }
}

/** What Asterisk sends first, as far as a script needs it. */
export interface AgiEnvironment {
  /** The path of the address that the dialplan named: `hangup/SECRET`. */
  readonly script: string;
  readonly uniqueid: string | undefined;
  /** The channel's name: `PJSIP/alice-00000001`. */
  readonly channel: string;
  /** What the dialplan gave behind the address, in its order. */
  readonly words: readonly string[];
}

/** Reads the environment that Asterisk sends first. Rejects with AgiError for other lines, or when it does not end. */
export async function readAgiEnvironment(conversation: AgiConversation): Promise<AgiEnvironment> {
  const values = new Map<string, string>();
  for (let count = 0; count < MAX_ENVIRONMENT_LINES; count++) {
    const line = await conversation.line();
    if (line === '') {
      return {
        script: values.get('agi_network_script') ?? '',
        uniqueid: values.get('agi_uniqueid') || undefined,
        channel: values.get('agi_channel') ?? '',
        words: [...values].filter(([name]) => name.startsWith('agi_arg_')).map(([, value]) => value),
      };
    }
    const variable = readAgiVariable(line);
    if (variable === undefined) throw new AgiError('that is no AGI environment', false);
    values.set(variable.name, variable.value);
  }
  throw new AgiError('the environment does not end', false);
}
