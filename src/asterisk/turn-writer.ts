import type { Writable } from 'node:stream';

/** Gathers what is written to a socket until this turn of the event loop is over: then all of it goes out as one text, in one system call. */
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
