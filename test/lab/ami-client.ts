import { type Socket, connect } from 'node:net';

/** One AMI message; a header that comes more than once has its values joined by line ends. */
export type AmiMessage = Readonly<Record<string, string | undefined>>;

export interface AmiAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly secret: string;
}

interface Pending {
  readonly rows: AmiMessage[];
  readonly isList: boolean;
  readonly resolve: (rows: AmiMessage[]) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

const HISTORY_LIMIT = 50_000;
const ACTION_TIMEOUT_MS = 60_000;

/** The lab's own AMI client: a measuring instrument, so it shares no code with the product. */
export class AmiClient {
  readonly #socket: Socket;
  readonly #pending = new Map<string, Pending>();
  readonly #watchers = new Set<(event: AmiMessage) => void>();
  #history: AmiMessage[] = [];
  /** Events that were dropped from the history. */
  #forgotten = 0;
  #lastId = 0;
  #tail = '';
  #closed = false;

  /** Connects and logs in. Throws on refusal. */
  static async connect(address: AmiAddress): Promise<AmiClient> {
    const socket = connect({ host: address.host, port: address.port });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const client = new AmiClient(socket);
    try {
      await client.action({ Action: 'Login', Username: address.user, Secret: address.secret });
    } catch (error) {
      client.close();
      throw error;
    }
    return client;
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.setNoDelay(true);
    socket.on('data', (text: string) => this.#take(text));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#end());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Sends an action and gives its answer. Throws when Asterisk answers with an error, or not at all in 10 s. */
  async action(fields: Readonly<Record<string, string>>): Promise<AmiMessage> {
    const [first] = await this.#send(fields, false);
    if (first === undefined || first['Response'] === 'Error') {
      throw new Error(`AMI ${fields['Action']} failed: ${first?.['Message'] ?? 'no answer'}`);
    }
    return first;
  }

  /** Sends an action whose answer is a list of events, and returns the list. */
  async list(fields: Readonly<Record<string, string>>): Promise<AmiMessage[]> {
    const [, ...rows] = await this.#send(fields, true);
    return rows;
  }

  /** A place in the stream of events, for `waitFor`. */
  mark(): number {
    return this.#forgotten + this.#history.length;
  }

  /** The events since a mark (all that are still known, without one). */
  events(since = 0): AmiMessage[] {
    return this.#history.slice(Math.max(0, since - this.#forgotten));
  }

  /** The first event after the mark (or from now on) that fits. Throws, naming `what`, when none comes in time. */
  waitFor(
    predicate: (event: AmiMessage) => boolean,
    options: { readonly timeoutMs?: number; readonly since?: number; readonly what?: string } = {},
  ): Promise<AmiMessage> {
    const found = this.events(options.since ?? this.mark()).find(predicate);
    if (found !== undefined) return Promise.resolve(found);
    const timeoutMs = options.timeoutMs ?? 10_000;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`No ${options.what ?? 'such event'} came within ${timeoutMs} ms.`));
      }, timeoutMs);
      const stop = this.watch((event) => {
        if (!predicate(event)) return;
        clearTimeout(timer);
        stop();
        resolve(event);
      });
    });
  }

  /** Calls `watcher` with every event; the result stops it. */
  watch(watcher: (event: AmiMessage) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  close(): void {
    this.#socket.destroy();
    this.#end();
  }

  #send(fields: Readonly<Record<string, string>>, isList: boolean): Promise<AmiMessage[]> {
    if (this.#closed) return Promise.reject(new Error('The AMI connection is closed.'));
    this.#lastId += 1;
    const id = `lab-${this.#lastId}`;
    const lines = Object.entries({ ...fields, ActionID: id }).map(([name, value]) => `${name}: ${value}\r\n`);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new Error(`AMI ${fields['Action']} had no answer within ${ACTION_TIMEOUT_MS} ms.`));
      }, ACTION_TIMEOUT_MS);
      this.#pending.set(id, { rows: [], isList, resolve, reject, timer });
      this.#socket.write(`${lines.join('')}\r\n`);
    });
  }

  #take(text: string): void {
    const blocks = (this.#tail + text).split('\r\n\r\n');
    this.#tail = blocks.pop() ?? '';
    for (const block of blocks) this.#dispatch(parseMessage(block));
  }

  #dispatch(message: AmiMessage): void {
    const pending = this.#pending.get(message['ActionID'] ?? '');
    if (pending !== undefined) {
      pending.rows.push(message);
      const isOver = pending.isList ? message['EventList'] === 'Complete' || message['Response'] === 'Error' : true;
      if (!isOver) return;
      this.#pending.delete(message['ActionID'] ?? '');
      clearTimeout(pending.timer);
      pending.resolve(pending.isList ? pending.rows.filter((row) => row['EventList'] !== 'Complete') : pending.rows);
      return;
    }
    if (message['Event'] === undefined) return;
    this.#history.push(message);
    if (this.#history.length > HISTORY_LIMIT * 1.2) {
      this.#forgotten += this.#history.length - HISTORY_LIMIT;
      this.#history = this.#history.slice(-HISTORY_LIMIT);
    }
    for (const watcher of this.#watchers) watcher(message);
  }

  #end(): void {
    this.#closed = true;
    for (const pending of this.#pending.values()) {
      clearTimeout(pending.timer);
      pending.reject(new Error('The AMI connection was closed.'));
    }
    this.#pending.clear();
  }
}

/** Reads the headers of one AMI message; the greeting line and other lines without a colon are skipped. */
export function parseMessage(block: string): AmiMessage {
  const message: Record<string, string | undefined> = {};
  for (const line of block.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trimStart();
    const before = message[name];
    message[name] = before === undefined ? value : `${before}\n${value}`;
  }
  return message;
}
