import type { LinkState } from '../../asterisk/link-state.ts';
import { coded, type Logger } from './log.ts';

export type LinkName = 'AMI events' | 'AMI actions' | 'ARI';

/** Logs each change of a connection to Asterisk and remembers its state. */
export class LinkLog {
  readonly #log: Logger;
  readonly #states = new Map<LinkName, LinkState>();

  constructor(log: Logger) {
    this.#log = log;
  }

  note(link: LinkName, state: LinkState): void {
    this.#states.set(link, state);
    if (state.status === 'connected') this.#log.info(`${link}: connected`);
    if (state.status === 'waiting')
      this.#log.warn(coded('MES_ERR_LINK_LOST'), `${link}: ${state.problem}; trying again`);
    if (state.status === 'failed') this.#log.error(coded('MES_ERR_LINK_REFUSED'), `${link}: ${state.problem}`);
  }

  stateOf(link: LinkName): LinkState {
    return this.#states.get(link) ?? { status: 'connecting' };
  }
}
