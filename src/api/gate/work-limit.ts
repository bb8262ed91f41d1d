import type { Duplex } from 'node:stream';
import type { HeldAnswer } from './answer-bytes.ts';
import { Problem } from '../problem.ts';

/** Requests that are worked on at the same time: what they bring from the history is in memory until they are answered. */
const MOST_AT_ONCE = 3;

type Client = Pick<Duplex, 'destroyed'>;

/** Lets some requests be worked on at a time; the others wait in the order in which they came. */
export class WorkLimit {
  #underWay = 0;
  readonly #waiting: (() => void)[] = [];

  /**
   * Rejects with Problem when answers take too much memory, and with one that nobody reads when the client has gone before its
   * turn.
   */
  run<Answer>(client: Client, held: Pick<HeldAnswer, 'admit'>, work: () => Promise<Answer>): Promise<Answer> {
    return this.#inTurn(client, async () => {
      held.admit();
      return work();
    });
  }

  /** The same for an answer that is made while it is sent: a turn for each piece. */
  async *each<Piece>(client: Client, pieces: AsyncIterable<Piece>): AsyncGenerator<Piece> {
    const iterator = pieces[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.#inTurn(client, () => iterator.next());
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }

  async #inTurn<Answer>(client: Client, work: () => Promise<Answer>): Promise<Answer> {
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
