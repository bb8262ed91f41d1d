import type { Socket } from 'node:net';
import { AgiLineReader, readAgiAnswer, readAgiVariable, type AgiAnswer } from '../wire/agi.ts';

/** Asterisk sends about 22 lines of environment, and one more for each argument, of which our handler gives none. */
const MAX_ENVIRONMENT_LINES = 64;

/** Unread lines at most: the conversation is question and answer. */
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
  readonly #timer: NodeJS.Timeout;
  /** Rejects when the conversation fails; never resolves. */
  readonly #failed: Promise<never>;
  readonly #fail: (error: AgiError) => void;
  #wake: (() => void) | undefined;

  constructor(socket: Socket, deadlineMs: number) {
    this.#socket = socket;
    const { promise, reject } = Promise.withResolvers<never>();
    this.#failed = promise;
    this.#fail = reject;
    // Rejects the present waiter, or the next one when nobody waits.
    promise.catch(() => {});
    this.#timer = setTimeout(() => {
      reject(new AgiError('the time is up', true));
      socket.destroy();
    }, deadlineMs);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
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

  /** Closes the connection after everything is sent. */
  close(): void {
    clearTimeout(this.#timer);
    this.#socket.destroySoon();
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

/** Reads the environment that Asterisk sends first. Rejects with AgiError for other lines, or when it does not end. */
export async function readAgiEnvironment(
  conversation: AgiConversation,
): Promise<{ readonly script: string; readonly uniqueid: string | undefined }> {
  let script = '';
  let uniqueid: string | undefined;
  for (let count = 0; count < MAX_ENVIRONMENT_LINES; count++) {
    const line = await conversation.line();
    if (line === '') return { script, uniqueid };
    const variable = readAgiVariable(line);
    if (variable === undefined) throw new AgiError('that is no AGI environment', false);
    if (variable.name === 'agi_network_script') script = variable.value;
    if (variable.name === 'agi_uniqueid' && variable.value !== '') uniqueid = variable.value;
  }
  throw new AgiError('the environment does not end', false);
}
