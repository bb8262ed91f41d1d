import type { WebSocket } from 'ws';
import type { AnswerBytes } from './answer-bytes.ts';

type FeedSocket = Pick<WebSocket, 'bufferedAmount' | 'send' | 'ping' | 'terminate' | 'close'>;

/** A client of the live feed, and the messages that it has not taken. */
export class FeedClient {
  readonly socket: FeedSocket;
  /** True: send it the full list next. */
  isBehind = true;
  /** By `performance.now()`: when it last answered a ping, and when it had last taken all that was sent to it. */
  answeredAtMs: number;
  takenAtMs: number;
  readonly #bytes: AnswerBytes;
  readonly #unread = new Set<Buffer>();
  #hasLeft = false;

  /** `bytes` counts a message that goes to several clients once. */
  constructor(socket: FeedSocket, bytes: AnswerBytes, nowMs: number) {
    this.socket = socket;
    this.#bytes = bytes;
    this.answeredAtMs = nowMs;
    this.takenAtMs = nowMs;
  }

  send(message: Buffer): void {
    if (this.#hasLeft) return;
    this.#unread.add(message);
    this.#bytes.add(message);
    this.socket.send(message, { binary: false }, () => this.#forget(message));
  }

  /** Nothing waits for it any more. */
  leave(): void {
    this.#hasLeft = true;
    for (const message of this.#unread) this.#forget(message);
  }

  #forget(message: Buffer): void {
    if (this.#unread.delete(message)) this.#bytes.remove(message);
  }
}

/** Drops those for whom most waits, until it is enough: each may have got a list of its own. */
export function dropSlowest(
  clients: Iterable<FeedClient>,
  isEnough: () => boolean,
  drop: (client: FeedClient) => void,
): void {
  const slowest = [...clients].toSorted((one, other) => other.socket.bufferedAmount - one.socket.bufferedAmount);
  for (const client of slowest) {
    if (isEnough()) return;
    drop(client);
  }
}
