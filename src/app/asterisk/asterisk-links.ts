import { AmiActions } from '../../asterisk/ami/ami-actions.ts';
import { AmiEventSession } from '../../asterisk/ami/ami-event-session.ts';
import { ReadPace } from '../../asterisk/ami/paced-reads.ts';
import { Ari, type VariableSet } from '../../asterisk/ari.ts';
import type { LinkState } from '../../asterisk/link-state.ts';
import { WriteBack } from '../../asterisk/write-back.ts';
import type { Settings } from '../../config/settings.ts';
import type { PbxEvent } from '../../model/event.ts';
import type { VariableWriter } from '../../model/ports.ts';
import { LinkLog } from '../state/link-log.ts';
import type { Logger } from '../state/log.ts';
import type { SteadyClock } from '../state/steady-clock.ts';

export interface AsteriskLinksOptions {
  readonly settings: Settings;
  readonly log: Logger;
  readonly clock: SteadyClock;
  /** Events were read: what is due can be done in the same turn. */
  readonly remind: () => void;
}

/** Takes what comes from Asterisk. */
export interface AsteriskListener {
  /** Something was read, and is handed on next. */
  readonly onRead: () => void;
  readonly onEvent: (event: PbxEvent) => void;
  readonly onVariableSet: (change: VariableSet) => void;
  /** Asterisk has carried out a write, so long after the score changed. */
  readonly onWritten: (afterMs: number) => void;
}

/** The connections to Asterisk: the two of AMI, ARI's, and the scores that go back. Nothing is connected before `start`. */
export class AsteriskLinks {
  readonly actions: AmiActions;
  readonly events: AmiEventSession;
  /** Null: ARI is not set up. */
  readonly ari: Ari | null;
  readonly writeBack: WriteBack;
  /** Null: nothing is written while a channel is up. */
  readonly writer: VariableWriter | null;
  readonly #log: LinkLog;
  readonly #failure = Promise.withResolvers<string>();
  #listener: AsteriskListener | undefined;

  constructor({ settings, log, clock, remind }: AsteriskLinksOptions) {
    this.#log = new LinkLog(log);
    const random = (): number => Math.random();
    const onDebug = (sentence: string): void => log.debug(sentence);
    // Answers to actions are in no hurry: they are read now and then when events are.
    const pace = new ReadPace(remind);
    const ami = { connection: settings.ami, random, pace };
    this.actions = new AmiActions({ ...ami, onState: (state) => this.#noteAmi('AMI actions', state) });
    this.events = new AmiEventSession({
      ...ami,
      nowMs: () => clock.nowMs(),
      onDebug,
      readsUserEvents: settings.ratings.enabled,
      onRead: () => this.#listener?.onRead(),
      onEvent: (event) => this.#listener?.onEvent(event),
      onState: (state) => this.#noteAmi('AMI events', state),
    });
    this.ari =
      settings.ari === null
        ? null
        : new Ari({
            connection: settings.ari,
            random,
            onState: (state) => this.#log.note('ARI', state),
            onVariableSet: (change) => this.#listener?.onVariableSet(change),
          });
    this.writeBack = new WriteBack({
      setter: this.actions,
      ...settings.writeback,
      onDebug,
      onWritten: (afterMs) => this.#listener?.onWritten(afterMs),
    });
    this.writer = settings.writeback.variables || settings.writeback.cdr ? this.writeBack : null;
  }

  /** Resolves with one sentence when a person has to change something before AMI can be used; never because of ARI. */
  get failed(): Promise<string> {
    return this.#failure.promise;
  }

  /** Starts to connect. */
  start(listener: AsteriskListener): void {
    this.#listener = listener;
    this.actions.start();
    this.events.start();
    this.ari?.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.events.stop(), this.actions.stop(), this.ari?.stop()]);
  }

  /** Something was learnt from Asterisk in another way than by its events, such as by a question. */
  deliver(event: PbxEvent): void {
    this.#listener?.onRead();
    this.#listener?.onEvent(event);
  }

  /** Of each connection; null: ARI is not set up. */
  get states(): { readonly events: LinkState; readonly actions: LinkState; readonly ari: LinkState | null } {
    return {
      events: this.#log.stateOf('AMI events'),
      actions: this.#log.stateOf('AMI actions'),
      ari: this.ari === null ? null : this.#log.stateOf('ARI'),
    };
  }

  /** Without AMI nothing works, and what ARI lacks is no reason to give up. */
  #noteAmi(link: 'AMI events' | 'AMI actions', state: LinkState): void {
    this.#log.note(link, state);
    if (link === 'AMI actions' && state.status === 'connected') this.writeBack.flush();
    if (state.status === 'failed') this.#failure.resolve(state.problem);
  }
}
