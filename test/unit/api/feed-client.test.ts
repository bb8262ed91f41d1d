import { describe, expect, it } from 'vitest';
import { AnswerBytes } from '../../../src/api/gate/answer-bytes.ts';
import { dropSlowest, FeedClient } from '../../../src/api/gate/feed-client.ts';

const MB = 1024 * 1024;

/** A web socket whose client takes nothing until `take`. */
class Deaf {
  bufferedAmount = 0;
  isOpen = true;
  readonly #taken: (() => void)[] = [];

  send(message: unknown, _options: unknown, done?: (error?: Error) => void): void {
    const { length } = message as Buffer;
    this.bufferedAmount += length;
    this.#taken.push(() => {
      this.bufferedAmount -= length;
      done?.();
    });
  }

  take(): void {
    for (const done of this.#taken.splice(0)) done();
  }

  ping(): void {}

  terminate(): void {
    this.isOpen = false;
  }

  close(): void {
    this.isOpen = false;
  }
}

describe('clients of the live feed that do not read', () => {
  it('have one bound together: those for whom most waits go, and no more than must', () => {
    const bytes = new AnswerBytes();
    const sockets = Array.from({ length: 50 }, () => new Deaf());
    const clients = new Set(sockets.map((socket) => new FeedClient(socket, bytes, 0)));
    bytes.onTooMuch((isEnough) => {
      dropSlowest(clients, isEnough, (client) => {
        client.socket.terminate();
        clients.delete(client);
        client.leave();
      });
    });
    const most = (): number => Math.max(...sockets.filter(({ isOpen }) => isOpen).map((one) => one.bufferedAmount));
    // A list of its own for each, in parts; every second one is longer.
    for (const [index, client] of [...clients].entries())
      for (let part = 0; part < (index % 2 === 0 ? 4 : 8); part++) {
        client.send(Buffer.allocUnsafeSlow(MB));
        expect(bytes.counters.answer_bytes).toBeLessThanOrEqual(48 * MB);
      }
    expect(clients.size).toBeGreaterThan(6);
    expect(clients.size).toBeLessThanOrEqual(12);
    expect(bytes.counters.answer_bytes).toBeGreaterThan(40 * MB);
    expect(most()).toBeLessThanOrEqual(8 * MB);
    for (const socket of sockets) socket.take();
    expect(bytes.counters.answer_bytes).toBe(0);
  });

  it('count a message once that all get, until the last has taken it or left', () => {
    const bytes = new AnswerBytes();
    const [one, other] = [new Deaf(), new Deaf()];
    const clients = [one, other].map((socket) => new FeedClient(socket, bytes, 0));
    const message = Buffer.allocUnsafeSlow(MB);
    for (const client of clients) client.send(message);
    expect(bytes.counters.answer_bytes).toBe(MB);
    one.take();
    expect(bytes.counters.answer_bytes).toBe(MB);
    clients[1]?.leave();
    expect(bytes.counters.answer_bytes).toBe(0);
    // Nothing is sent to who has left, and what it takes late counts for nobody.
    clients[1]?.send(message);
    other.take();
    expect(bytes.counters.answer_bytes).toBe(0);
    expect(other.bufferedAmount).toBe(0);
  });
});
