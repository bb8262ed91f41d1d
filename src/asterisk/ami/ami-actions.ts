import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from 'asterisk-manager';
import { encodeAmiAction } from '../../wire/ami/ami.ts';
import { AmiRefusedError, isDenied } from './ami-login.ts';
import { DEFAULT_AMI_TIMING, type AmiLinkTiming } from './ami-link.ts';
import { where, type AmiConnection } from './ami-socket.ts';
import { KeptLink, type BackOff, type LinkEnd, type LinkState } from '../link-state.ts';
import { ACTION_ID, openManager, type ManagerClient } from './manager-client.ts';
import { type PendingAction, PendingActions } from './pending-actions.ts';
import { ReadPace } from './paced-reads.ts';
import { SoleWriter } from './sole-writer.ts';
import { arrayAssignment } from '../variable-assignment.ts';
import { flatCopy } from '../../units/flat-copy.ts';
import { errorText } from '../../units/error-text.ts';

/** Why an action failed. */
export type AmiActionProblem = 'disconnected' | 'timeout' | 'busy' | 'no-such-channel' | 'denied' | 'refused';

export class AmiActionError extends Error {
  override readonly name = 'AmiActionError';
  readonly problem: AmiActionProblem;

  constructor(problem: AmiActionProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}

export interface AmiActionsOptions {
  readonly connection: AmiConnection;
  readonly onState: (state: LinkState) => void;
  /** 0 up to 1. */
  readonly random: () => number;
  readonly timing?: AmiLinkTiming;
  readonly backOff?: BackOff;
  /** Shared by sockets that are read in the same turns. */
  readonly pace?: ReadPace;
  /** The id of this sidecar, if no other may write scores here; absent: others may. */
  readonly writerId?: string | undefined;
}

/** Bound on the actions under way; Asterisk answers thousands a second. */
const MAX_PENDING = 2000;

/** How often overdue answers are looked for. One timer per action would be hundreds a second. */
const OVERDUE_EVERY_MS = 200;

/**
 * A global variable in Asterisk. Until that second of Asterisk's clock the sidecar counts as alive, and the hangup handler asks it
 * for the final scores. A sidecar that is gone or frozen must not delay a hang-up.
 */
export const ALIVE_VARIABLE = 'MES_ALIVE_UNTIL';
/** If the goodbye does not reach Asterisk, it notices that the variable is not renewed. */
const GOODBYE_TIMEOUT_MS = 500;
/** Pings that may be missed before hang-ups stop asking us. */
const ALIVE_PINGS = 2;

type Asked = Pick<PendingAction, 'name' | 'timeoutMs' | 'resolve' | 'reject'>;

/** The connection for actions, by the package `asterisk-manager`. It reconnects for ever. */
export class AmiActions {
  readonly #options: AmiActionsOptions;
  readonly #timing: AmiLinkTiming;
  readonly #kept: KeptLink;
  readonly #pending = new PendingActions(MAX_PENDING);
  /** Null: others may write to this Asterisk as well. */
  readonly #sole: SoleWriter | null;
  #watching: NodeJS.Timeout | undefined;
  #manager: ManagerClient | undefined;
  /** Whether it was found that no other sidecar writes here. */
  #isAdmitted = false;

  constructor(options: AmiActionsOptions) {
    this.#options = options;
    this.#kept = new KeptLink((onConnected, signal) => this.#openOnce(onConnected, signal), options);
    this.#timing = options.timing ?? DEFAULT_AMI_TIMING;
    const { writerId } = options;
    this.#sole =
      writerId === undefined
        ? null
        : new SoleWriter(writerId, {
            getGlobal: async (name) => (await this.getGlobal(name)) ?? '',
            setGlobal: (name, value) => this.setGlobal(name, value),
            clockS: () => this.#clockS(),
          });
  }

  get connected(): boolean {
    return this.#isAdmitted;
  }

  /** Starts connecting; returns at once. */
  start(): void {
    this.#kept.start();
  }

  /** Tells the dialplan that the sidecar is gone, and closes the connection for good. */
  async stop(): Promise<void> {
    if (this.connected) {
      const gone = { Variable: ALIVE_VARIABLE, Value: '0' };
      const goodbyes = [this.send('Setvar', gone, GOODBYE_TIMEOUT_MS), this.#sole?.leave() ?? Promise.resolve()];
      await Promise.race([Promise.allSettled(goodbyes), sleep(GOODBYE_TIMEOUT_MS)]);
    }
    await this.#kept.stop();
  }

  /**
   * Sets channel variables and CDR fields (names such as `CDR(mes)`) in one action; the channel by Uniqueid.
   * Resolves when Asterisk has done it. Rejects with AmiActionError, or with RangeError on a foreign name or value.
   */
  setVariables(uniqueid: string, variables: ReadonlyMap<string, string>): Promise<unknown> {
    if (variables.size === 0) return Promise.resolve();
    return new Promise<Answer>((resolve, reject) => {
      const { name, value } = arrayAssignment(variables);
      const fields = [
        ['Channel', uniqueid],
        ['Variable', name],
        ['Value', value],
      ] as const;
      this.#ask({ name: 'Setvar', timeoutMs: this.#timing.actionMs, resolve, reject }, fields);
    });
  }

  /** A channel's variable or function such as `CHANNEL(rtcp,all)`; undefined when it is empty or not set. Rejects with AmiActionError. */
  async getVariable(uniqueid: string, name: string): Promise<string | undefined> {
    const answer = await this.send('Getvar', { Channel: uniqueid, Variable: name });
    const value = headerOf(answer, 'value') ?? '';
    // Most values are kept as long as their channel is up. A flat copy does not keep alive everything that was read with it.
    return value === '' ? undefined : flatCopy(value);
  }

  /** A global variable, or a function that needs no channel; undefined when it is empty. Rejects with AmiActionError. */
  async getGlobal(name: string): Promise<string | undefined> {
    return headerOf(await this.send('Getvar', { Variable: name }), 'value') || undefined;
  }

  /** Sets a global variable. Rejects with AmiActionError. */
  async setGlobal(name: string, value: string): Promise<void> {
    await this.send('Setvar', { Variable: name, Value: value });
  }

  /**
   * Sends an action and resolves with its answer when that is a success: its headers, names in lower case.
   * Rejects with AmiActionError, or with AmiValueError when a value holds CR, LF or NUL.
   */
  send(
    action: string,
    fields: Readonly<Record<string, string>> = {},
    timeoutMs = this.#timing.actionMs,
  ): Promise<Answer> {
    return new Promise((resolve, reject) =>
      this.#ask({ name: action, timeoutMs, resolve, reject }, Object.entries(fields)),
    );
  }

  /** Somebody waits: answers are read as they come until the returned function is called. */
  hurry(): () => void {
    return this.#manager?.hurry() ?? ((): void => {});
  }

  /** Throws what the promise would reject with when the action cannot be sent. */
  #ask(asked: Asked, fields: readonly (readonly [string, string])[]): void {
    if (this.#manager === undefined) throw new AmiActionError('disconnected', `${this.#where} is not connected`);
    const number = this.#pending.nextNumber();
    if (number === undefined) throw new AmiActionError('busy', `${this.#where} is behind with its answers`);
    const id = `${ACTION_ID}${number}`;
    this.#manager.send(encodeAmiAction([['Action', asked.name], ['ActionID', id], ...fields]));
    const { name, timeoutMs, resolve, reject } = asked;
    this.#pending.add({ number, name, timeoutMs, dueAtMs: performance.now() + timeoutMs, resolve, reject });
    this.#watching ??= setTimeout(() => this.#dropOverdue(), OVERDUE_EVERY_MS);
  }

  get #where(): string {
    return where(this.#options.connection);
  }

  #takeAnswer(id: string, answer: Answer): void {
    const asked = this.#pending.take(Number(id.slice(ACTION_ID.length)));
    if (asked === undefined) return;
    if (headerOf(answer, 'response')?.toLowerCase() !== 'error') {
      asked.resolve(answer);
      return;
    }
    const message = headerOf(answer, 'message');
    const sentence = `${this.#where} refused the action ${asked.name} (${message ?? 'no reason given'})`;
    asked.reject(new AmiActionError(problemOf(message), sentence));
  }

  #dropOverdue(): void {
    for (const { name, timeoutMs, reject } of this.#pending.takeOverdue(performance.now()))
      reject(new AmiActionError('timeout', `${this.#where} did not answer ${name} within ${timeoutMs} ms`));
    this.#watching = this.#pending.isEmpty ? undefined : setTimeout(() => this.#dropOverdue(), OVERDUE_EVERY_MS);
  }

  #dropPending(problem: string): void {
    clearTimeout(this.#watching);
    this.#watching = undefined;
    // The newest first, so that older values that are queued again do not hide newer ones.
    for (const { reject } of this.#pending.takeAll()) reject(new AmiActionError('disconnected', problem));
  }

  async #openOnce(onConnected: () => void, signal: AbortSignal): Promise<LinkEnd> {
    let manager: ManagerClient;
    try {
      manager = await openManager(this.#options.connection, {
        timing: this.#timing,
        pace: this.#options.pace ?? new ReadPace(),
        onAnswer: (id, answer) => this.#takeAnswer(id, answer),
        stopping: signal,
      });
    } catch (error) {
      const problem = errorText(error);
      return { fatal: error instanceof AmiRefusedError, problem, wasConnected: false };
    }
    this.#manager = manager;
    if (!(await this.#isAlone(manager, signal))) {
      manager.close(this.#rivalry);
      const problem = await manager.ended;
      this.#manager = undefined;
      this.#dropPending(problem);
      return { fatal: true, problem, wasConnected: false };
    }
    this.#isAdmitted = true;
    const pulse = setInterval(() => void this.#keepAlive(manager), this.#timing.pingEveryMs);
    void this.#keepAlive(manager);
    onConnected();
    const problem = await manager.ended;
    clearInterval(pulse);
    this.#isAdmitted = false;
    this.#manager = undefined;
    this.#dropPending(problem);
    return { fatal: false, problem, wasConnected: true };
  }

  async #isAlone(manager: ManagerClient, signal: AbortSignal): Promise<boolean> {
    if (this.#sole === null) return true;
    const ended = new AbortController();
    void manager.ended.then(() => ended.abort());
    const relax = manager.hurry();
    const isAlone = await this.#sole.isAlone(AbortSignal.any([signal, ended.signal]));
    relax();
    return isAlone;
  }

  get #rivalry(): string {
    return (
      `Another asterisk-mes, with a database of its own, writes scores by ${this.#where}; ` +
      'stop that one, or set variables = no and cdr = no in [writeback] of this one'
    );
  }

  async #clockS(): Promise<number | undefined> {
    const answer = await this.send('Ping', {}, this.#timing.silenceMs);
    const nowS = Number(headerOf(answer, 'timestamp'));
    return Number.isFinite(nowS) ? nowS : undefined;
  }

  async #keepAlive(manager: ManagerClient): Promise<void> {
    try {
      const nowS = await this.#clockS();
      if (nowS === undefined) return;
      const untilS = Math.ceil(nowS + (this.#timing.pingEveryMs * ALIVE_PINGS) / 1000);
      if (this.#sole !== null && !(await this.#sole.keep(untilS))) manager.close(this.#rivalry);
      else await this.setGlobal(ALIVE_VARIABLE, String(untilS));
    } catch (error) {
      if (error instanceof AmiActionError && error.problem === 'timeout') manager.close(error.message);
    }
  }
}

/** A header of an answer, by its name in lower case; the first of several, undefined when there is none. */
function headerOf(answer: Answer, name: string): string | undefined {
  const value = answer[name];
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' ? first : undefined;
}

function problemOf(message: string | undefined): AmiActionProblem {
  if (isDenied(message)) return 'denied';
  return message?.toLowerCase() === 'no such channel' ? 'no-such-channel' : 'refused';
}
