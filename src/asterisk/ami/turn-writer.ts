import type { Writable } from 'node:stream';

/** Collects what is written in one turn of the event loop, and sends it in one system call. */
export class TurnWriter {
  readonly #socket: Pick<Writable, 'write'>;
  #gathered = '';

  constructor(socket: Pick<Writable, 'write'>) {
    this.#socket = socket;
  }

  write(text: string): void {
    if (this.#gathered === '') setImmediate(() => this.#flush());
    this.#gathered += text;
  }

  #flush(): void {
    const text = this.#gathered;
    this.#gathered = '';
    this.#socket.write(text);
  }
}
