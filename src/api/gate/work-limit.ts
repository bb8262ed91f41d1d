import type { Duplex } from 'node:stream';
import { Problem } from '../problem.ts';

/** Requests that are worked on at the same time: what they bring from the history is in memory until they are answered. */
const MOST_AT_ONCE = 3;

/** Lets some requests be worked on at a time; the others wait in the order in which they came. */
export class WorkLimit {
  #underWay = 0;
  readonly #waiting: (() => void)[] = [];

  /** Rejects with Problem, which nobody reads, when the client has gone before its turn. */
  async run<Answer>(client: Pick<Duplex, 'destroyed'>, work: () => Promise<Answer>): Promise<Answer> {
    if (this.#underWay >= MOST_AT_ONCE) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    } else this.#underWay++;
    try {
      if (client.destroyed)
        throw new Problem('MES_ERR_REQUEST_UNREADABLE', 'the connection was closed before its turn');
      return await work();
    } finally {
      // Whoever waits takes over the place.
      const next = this.#waiting.shift();
      if (next === undefined) this.#underWay--;
      else next();
    }
  }
}
