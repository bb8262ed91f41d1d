import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { BlockList, createServer, isIP, type Server, type Socket } from 'node:net';
import type { ReceivedPhoneReport } from '../model/phones/phone-report.ts';
import type { Subnet } from '../model/subnet.ts';
import { readSipDatagram, sipHeader, type SipMessage } from '../wire/sip/message.ts';
import { responsePort, sipResponse, type SipPeer } from '../wire/sip/response.ts';
import { SipStreamReader } from '../wire/sip/stream.ts';
import { judgeRequest } from './answer.ts';
import { AdmittedRate } from './admitted-rate.ts';

/** Bound on open connections. A phone opens one, sends a report, and closes or keeps it. */
const MAX_CONNECTIONS = 500;
/** A connection that is silent for so long is closed; the phone opens another. */
const IDLE_MS = 120_000;
/** A connection with so many unread bytes of responses is closed. */
const MAX_UNREAD_BYTES = 65_536;
/**
 * Messages and keep-alives a second, on all connections and UDP together; more are dropped unread. A thousand phones that hang up at once send
 * some hundred.
 */
const MESSAGES_PER_S = 2000;
/** Bound on remembered requests. A repeated one (for 32 s at most, RFC 3261 §17.1.2.2) gets the same response. */
const MAX_REMEMBERED = 20_000;
const REMEMBERED_MS = 32_000;
const LONGEST_USER_AGENT = 200;

export interface CollectorOptions {
  readonly host: string;
  readonly port: number;
  /** Networks that reports are taken from; empty: any. */
  readonly peers: readonly Subnet[];
  readonly nowMs: () => number;
  /** Returns a new random text. */
  readonly randomToken: () => string;
  /** Called for each new report. Must return at once. */
  readonly onReport: (received: ReceivedPhoneReport) => void;
}

export interface CollectorCounters {
  /** Reports taken; a repeated one counts once. */
  readonly reports: number;
  /** Repeated requests: the phone had not got the answer. */
  readonly repeated: number;
  /** Requests that were refused. */
  readonly refused: number;
  /** Messages that were not SIP, or incomplete. */
  readonly unreadable: number;
  /** Messages and connections from outside `peers`, and connections above the limit. */
  readonly strangers: number;
  /** Messages above the admitted rate. */
  readonly dropped: number;
}

/** Takes reports of phones over UDP and TCP on one port, and answers by RFC 3903. */
export class PhoneReportCollector {
  readonly #options: CollectorOptions;
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #sockets = new Set<Socket>();
  /** Reads of connections that wait for their turn, one of each at most. */
  readonly #waiting: (() => void)[] = [];
  readonly #peers = new BlockList();
  readonly #rate: AdmittedRate;
  /** Responses by transaction key, the oldest first. */
  readonly #answered = new Map<string, { readonly atMs: number; readonly text: string }>();
  readonly #counters = { reports: 0, repeated: 0, refused: 0, unreadable: 0, strangers: 0, dropped: 0 };

  constructor(options: CollectorOptions) {
    this.#options = options;
    for (const { address, family, prefixLength } of options.peers) this.#peers.addSubnet(address, prefixLength, family);
    this.#rate = new AdmittedRate(MESSAGES_PER_S, options.nowMs());
    this.#udp = createSocket(isIP(options.host) === 6 ? 'udp6' : 'udp4', (bytes, from) =>
      this.#takeDatagram(bytes, from),
    );
    this.#tcp = createServer({ noDelay: true }, (socket) => this.#serve(socket));
    this.#tcp.maxConnections = MAX_CONNECTIONS;
    this.#tcp.on('drop', () => this.#counters.strangers++);
  }

  get counters(): CollectorCounters {
    return { ...this.#counters };
  }

  /** Opens the port, the same for UDP and TCP, and resolves with its number. Rejects with the system's error. */
  async listen(): Promise<number> {
    const { host } = this.#options;
    const port = await listenTcp(this.#tcp, host, this.#options.port);
    try {
      await bindUdp(this.#udp, host, port);
    } catch (error) {
      this.#tcp.close();
      throw error;
    }
    // For example an ICMP error. One message is lost, the collector goes on.
    this.#udp.on('error', () => this.#counters.unreadable++);
    this.#tcp.on('error', () => this.#counters.strangers++);
    return port;
  }

  /** Closes the ports and every connection. */
  async close(): Promise<void> {
    const closed = Promise.withResolvers<undefined>();
    this.#tcp.close(() => closed.resolve(undefined));
    for (const socket of this.#sockets) socket.destroy();
    try {
      this.#udp.close();
    } catch {
      // It did not listen.
    }
    await closed.promise;
  }

  #takeDatagram(bytes: Buffer, from: RemoteInfo): void {
    if (!this.#isPeer(from.address)) return;
    if (!this.#rate.admits(this.#options.nowMs())) {
      this.#counters.dropped++;
      return;
    }
    // A few blank bytes are a keep-alive for NAT (RFC 5626 §3.5.1).
    if (bytes.length <= 4) return;
    const message = readSipDatagram(bytes.toString('utf8'));
    if (message === undefined || message === 'cut') {
      this.#counters.unreadable++;
      return;
    }
    const peer = { address: from.address, port: from.port };
    const text = this.#respond(message, peer);
    if (text !== undefined) this.#udp.send(text, responsePort(message, peer), from.address, () => {});
  }

  #serve(socket: Socket): void {
    const { remoteAddress: address, remotePort: port } = socket;
    socket.on('error', () => socket.destroy());
    if (address === undefined || port === undefined || !this.#isPeer(address)) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    const reader = new SipStreamReader();
    socket.on('data', (bytes: Buffer) => {
      // What many connections bring at one moment is read in turns: hang-ups go in between.
      socket.pause();
      this.#waiting.push(() => {
        if (socket.destroyed) return;
        this.#takeBytes(bytes, reader, socket, { address, port });
        socket.resume();
      });
      if (this.#waiting.length === 1) setImmediate(() => this.#takeTurn());
    });
  }

  #takeTurn(): void {
    this.#waiting[0]?.();
    this.#waiting.shift();
    if (this.#waiting.length > 0) setImmediate(() => this.#takeTurn());
  }

  #takeBytes(bytes: Buffer, reader: SipStreamReader, socket: Socket, peer: SipPeer): void {
    for (const item of reader.push(bytes)) {
      if (item.kind === 'unreadable') {
        this.#counters.unreadable++;
        socket.destroy();
        return;
      }
      if (!this.#rate.admits(this.#options.nowMs())) {
        this.#counters.dropped++;
      } else if (item.kind === 'keep-alive') {
        socket.write('\r\n');
      } else {
        const text = this.#respond(item.message, peer);
        if (text !== undefined) socket.write(text);
      }
    }
    if (socket.writableLength > MAX_UNREAD_BYTES) socket.destroy();
  }

  #isPeer(address: string): boolean {
    const plain = address.replace(/^::ffff:/, '');
    if (this.#options.peers.length === 0 || this.#peers.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4')) return true;
    this.#counters.strangers++;
    return false;
  }

  /** The response to a request, the same one to a repeated request; undefined: none. */
  #respond(message: SipMessage, peer: SipPeer): string | undefined {
    const atMs = this.#options.nowMs();
    const key = transactionKey(message, peer);
    const earlier = key === undefined ? undefined : this.#answered.get(key);
    if (earlier !== undefined && atMs - earlier.atMs < REMEMBERED_MS) {
      this.#counters.repeated++;
      return earlier.text;
    }
    const token = this.#options.randomToken();
    const { response, report } = judgeRequest(message, token);
    if (response === null) return undefined;
    const text = sipResponse(message, peer, response, token);
    if (text === undefined) {
      this.#counters.unreadable++;
      return undefined;
    }
    if (response.status >= 300) this.#counters.refused++;
    if (report !== null) {
      this.#counters.reports++;
      const userAgent = sipHeader(message, 'user-agent')?.slice(0, LONGEST_USER_AGENT) ?? null;
      this.#options.onReport({ report, atMs, fromAddress: peer.address, userAgent });
    }
    if (key !== undefined) this.#remember(key, { atMs, text });
    return text;
  }

  #remember(key: string, answered: { readonly atMs: number; readonly text: string }): void {
    this.#answered.delete(key);
    this.#answered.set(key, answered);
    for (const [oldest, { atMs }] of this.#answered) {
      if (this.#answered.size <= MAX_REMEMBERED && answered.atMs - atMs < REMEMBERED_MS) break;
      this.#answered.delete(oldest);
    }
  }
}

/**
 * The key by which a repeated request is recognised (RFC 3261 §17.2.3): branch, sender and method. Undefined: a response, or no
 * branch.
 */
function transactionKey(message: SipMessage, { address, port }: SipPeer): string | undefined {
  const branch = /;\s*branch=([^;,\s]{1,200})/i.exec(sipHeader(message, 'via') ?? '')?.[1];
  if (branch === undefined || message.start.kind === 'response') return undefined;
  return `${message.start.method} ${branch} ${address} ${port}`;
}

function listenTcp(server: Server, host: string, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once('error', reject);
  server.listen({ host, port }, () => {
    server.off('error', reject);
    const address = server.address();
    resolve(typeof address === 'object' && address !== null ? address.port : port);
  });
  return promise;
}

function bindUdp(socket: UdpSocket, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  socket.once('error', reject);
  socket.bind({ address: host, port, exclusive: true }, () => {
    socket.off('error', reject);
    resolve(undefined);
  });
  return promise;
}
