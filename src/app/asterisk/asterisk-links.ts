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
  /** See `sidecar-id.ts`. */
  readonly id: string;
  /** Called when events were read, so that due work is done in the same turn. */
  readonly remind: () => void;
}

/** What the sidecar does with input from Asterisk. */
export interface AsteriskListener {
  /** Called before the events of a read. */
  readonly onRead: () => void;
  readonly onEvent: (event: PbxEvent) => void;
  readonly onVariableSet: (change: VariableSet) => void;
  /** Called when Asterisk has carried out a write, `afterMs` after the score changed. */
  readonly onWritten: (afterMs: number) => void;
}

/** The connections to Asterisk: AMI events, AMI actions and ARI, with the write-back of scores. `start` connects them. */
export class AsteriskLinks {
  readonly actions: AmiActions;
  readonly events: AmiEventSession;
  /** Null: ARI is not configured. */
  readonly ari: Ari | null;
  readonly writeBack: WriteBack;
  /** Null: write-back is off. */
  readonly writer: VariableWriter | null;
  readonly #log: LinkLog;
  readonly #failure = Promise.withResolvers<string>();
  #listener: AsteriskListener | undefined;

  constructor({ settings, log, clock, id, remind }: AsteriskLinksOptions) {
    this.#log = new LinkLog(log);
    const random = (): number => Math.random();
    const onDebug = (sentence: string): void => log.debug(sentence);
    // Answers to actions are not urgent: read them together with events.
    const pace = new ReadPace(remind);
    const ami = { connection: settings.ami, random, pace };
    const { variables, cdr } = settings.writeback;
    this.actions = new AmiActions({
      ...ami,
      // Who writes nothing may listen beside others.
      writerId: variables || cdr ? id : undefined,
      onState: (state) => this.#noteAmi('AMI actions', state),
    });
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
    this.writer = variables || cdr ? this.writeBack : null;
  }

  /** Resolves with one sentence when AMI cannot be used before a person changes something. ARI never makes it resolve. */
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

  /** Takes an event that did not come over AMI's event connection, such as the answer to a question. */
  deliver(event: PbxEvent): void {
    this.#listener?.onRead();
    this.#listener?.onEvent(event);
  }

  /** The state of each connection; null: ARI is not configured. */
  get states(): { readonly events: LinkState; readonly actions: LinkState; readonly ari: LinkState | null } {
    return {
      events: this.#log.stateOf('AMI events'),
      actions: this.#log.stateOf('AMI actions'),
      ari: this.ari === null ? null : this.#log.stateOf('ARI'),
    };
  }

  /** Only AMI can fail for good: without it nothing works, without ARI nearly everything does. */
  #noteAmi(link: 'AMI events' | 'AMI actions', state: LinkState): void {
    this.#log.note(link, state);
    if (link === 'AMI actions' && state.status === 'connected') this.writeBack.flush();
    if (state.status === 'failed') this.#failure.resolve(state.problem);
  }
}
