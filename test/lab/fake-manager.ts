import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { AmiConnection } from '../../src/asterisk/ami/ami-socket.ts';

export type Action = ReadonlyMap<string, string>;

/** What a fake Asterisk writes for an action; undefined writes nothing at all. */
export type Answer = (action: Action, socket: Socket) => string | undefined;

export interface FakeManagerOptions {
  /** Speaks TLS with this certificate and key; plain when not given. */
  readonly tls?: TlsOptions;
  /** False keeps nothing of what it is asked, for long or heavy runs; true when not given. */
  readonly remember?: boolean;
}

/** A fake AMI server: a real socket with scripted answers that remembers the requests. */
export class FakeManager {
  readonly actions: Action[] = [];
  readonly sockets = new Set<Socket>();
  answer: Answer;
  connections = 0;
  readonly #server: Server;
  readonly #tls: boolean;
  readonly #remembers: boolean;

  private constructor(answer: Answer, { tls, remember = true }: FakeManagerOptions) {
    this.answer = answer;
    this.#tls = tls !== undefined;
    this.#remembers = remember;
    const serve = (socket: Socket): void => this.#serve(socket);
    // As Asterisk's own sockets are (TCP_NODELAY): otherwise a small write waits up to 40 ms for the reader's delayed ACK.
    this.#server =
      tls === undefined ? createServer({ noDelay: true }, serve) : createTlsServer({ ...tls, noDelay: true }, serve);
  }

  static async start(answer: Answer = asterisk(), options: FakeManagerOptions = {}): Promise<FakeManager> {
    const manager = new FakeManager(answer, options);
    await new Promise<void>((resolve) => manager.#server.listen(0, '127.0.0.1', resolve));
    return manager;
  }

  get connection(): AmiConnection {
    const { port } = this.#server.address() as AddressInfo;
    return { host: '127.0.0.1', port, username: 'mes', secret: 'top-secret', tls: this.#tls };
  }

  /** Names of the actions asked so far, in order. */
  get asked(): string[] {
    return this.actions.map((action) => action.get('Action')?.toLowerCase() ?? '');
  }

  send(text: string): void {
    for (const socket of this.sockets) socket.write(text);
  }

  drop(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.drop();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    this.connections++;
    this.sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
    socket.write('Asterisk Call Manager/11.0.0\r\n');
    let pending = '';
    socket.on('data', (chunk: Buffer) => {
      pending += chunk.toString('utf8');
      const blocks = pending.split('\r\n\r\n');
      pending = blocks.pop() ?? '';
      for (const text of blocks) this.#take(text, socket);
    });
  }

  #take(received: string, socket: Socket): void {
    const action = new Map(
      received.split('\r\n').map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
      }),
    );
    if (this.#remembers) this.actions.push(action);
    const answer = this.answer(action, socket);
    if (answer !== undefined) socket.write(answer);
  }
}

/** A block as Asterisk writes it, with the action's own ActionID where there is one. */
export function block(action: Action, ...lines: string[]): string {
  const id = action.get('ActionID');
  const [first = '', ...rest] = lines;
  return `${[first, ...(id === undefined ? [] : [`ActionID: ${id}`]), ...rest].join('\r\n')}\r\n\r\n`;
}

/** A row of the `Status` list, or with another name any channel event. */
export function channelEvent(event: string, uniqueid: string, ...more: string[]): string {
  const lines = [
    `Event: ${event}`,
    'Privilege: call,all',
    `Channel: PJSIP/alice-${uniqueid}`,
    'ChannelState: 6',
    `Uniqueid: ${uniqueid}`,
    `Linkedid: ${uniqueid}`,
  ];
  return `${[...lines, ...more].join('\r\n')}\r\n\r\n`;
}

/** Answers as Asterisk 22.10 with a user who may do what is needed does; `rows` is what its Status lists. */
export function asterisk(rows: () => string = () => '', read = 'call,reporting'): Answer {
  return (action) => {
    switch (action.get('Action')?.toLowerCase()) {
      case 'login':
        return block(action, 'Response: Success', 'Message: Authentication accepted');
      case 'setvar':
        return action.has('Variable')
          ? block(action, 'Response: Success', 'Message: Variable Set')
          : block(action, 'Response: Error', 'Message: No variable specified');
      case 'getvar':
        return block(
          action,
          'Response: Success',
          `Variable: ${action.get('Variable')}`,
          `Value: ${value(action, read)}`,
        );
      case 'events':
        return block(action, 'Response: Success', 'Events: On');
      case 'ping':
        return block(action, 'Response: Success', 'Ping: Pong', 'Timestamp: 1795171549.095112');
      case 'status':
        return (
          block(action, 'Response: Success', 'EventList: start', 'Message: Channel status will follow') +
          rows() +
          block(action, 'Event: StatusComplete', 'EventList: Complete', 'ListItems: 0')
        );
      default:
        return block(action, 'Response: Error', 'Message: Invalid/unknown command');
    }
  };
}

function value(action: Action, read: string): string {
  const variable = action.get('Variable') ?? '';
  if (variable === 'VERSION()') return '22.10.1';
  if (variable.endsWith(',read,-1)')) return read;
  return variable.endsWith(',write,-1)') ? 'call' : '';
}
