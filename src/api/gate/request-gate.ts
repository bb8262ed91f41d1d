import type { IncomingMessage, RequestListener, Server } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { takeTurn } from './turns.ts';

/** Handed to the HTTP parser in one turn of the event loop: some fifty requests of the shortest kind. */
const PIECE_BYTES = 4096;
/** Sent at a time, so that it shows whether a client goes on reading. */
const SENT_BYTES = 65_536;
/** A client that takes nothing of an answer for this long is gone. */
const UNREAD_MS = 10_000;
const LOOK_EVERY_MS = 1000;
/** Of answers that clients have not read yet, all together; what several clients get counts once. */
const MOST_UNREAD_BYTES = 32 * 1024 * 1024;

/** Memory that waits for clients. One list of the channels that are up is the same memory for all who asked for it. */
class UnreadBytes {
  readonly #users = new Map<ArrayBufferLike, number>();
  readonly #onTooMuch: () => void;
  #total = 0;

  constructor(onTooMuch: () => void) {
    this.#onTooMuch = onTooMuch;
  }

  get isTooMuch(): boolean {
    return this.#total > MOST_UNREAD_BYTES;
  }

  add({ buffer }: Buffer): void {
    const users = this.#users.get(buffer) ?? 0;
    if (users === 0) this.#total += buffer.byteLength;
    this.#users.set(buffer, users + 1);
    if (this.isTooMuch) this.#onTooMuch();
  }

  remove({ buffer }: Buffer): void {
    const users = this.#users.get(buffer) ?? 0;
    if (users > 1) this.#users.set(buffer, users - 1);
    else if (this.#users.delete(buffer)) this.#total -= buffer.byteLength;
  }
}

/**
 * A client's connection as Node's HTTP server gets it: bytes come in small pieces, one in a turn of the event loop over
 * all connections, and a client that does not read what is sent to it is cut off.
 */
class GatedSocket extends Duplex {
  readonly #socket: Socket;
  readonly #unread: UnreadBytes;
  #isWanted = false;
  #isInTurn = false;
  #sending: Buffer[] = [];
  /** By `performance.now()`: since when the client takes nothing; null while nothing waits for it. */
  unreadSinceMs: number | null = null;

  constructor(socket: Socket, unread: UnreadBytes) {
    super({ decodeStrings: true });
    this.#socket = socket;
    this.#unread = unread;
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
    socket.on('timeout', () => this.emit('timeout'));
    socket.on('end', () => this.push(null));
    socket.on('readable', () => this.#pump());
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.#socket.remotePort;
  }

  get localAddress(): string | undefined {
    return this.#socket.localAddress;
  }

  get localPort(): number | undefined {
    return this.#socket.localPort;
  }

  /** As of `net.Socket`: Node's HTTP server and `ws` call these where a stream has them. */
  setTimeout(ms: number, onTimeout?: () => void): this {
    this.#socket.setTimeout(ms);
    if (onTimeout !== undefined && ms > 0) this.once('timeout', onTimeout);
    if (onTimeout !== undefined && ms === 0) this.off('timeout', onTimeout);
    return this;
  }

  setNoDelay(isOn?: boolean): this {
    this.#socket.setNoDelay(isOn);
    return this;
  }

  setKeepAlive(isOn?: boolean, delayMs?: number): this {
    this.#socket.setKeepAlive(isOn, delayMs);
    return this;
  }

  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  override _read(): void {
    this.#isWanted = true;
    this.#pump();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send([chunk], done);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    for (const chunk of this.#sending) this.#unread.remove(chunk);
    this.#sending = [];
    this.unreadSinceMs = null;
    this.#socket.destroy();
    done(error);
  }

  #pump(): void {
    if (!this.#isWanted || this.#isInTurn || this.#socket.readableLength === 0) {
      // Makes the socket read on, and say so when there is something.
      if (this.#isWanted && !this.#isInTurn) this.#socket.read(0);
      return;
    }
    this.#isInTurn = true;
    takeTurn(() => {
      this.#isInTurn = false;
      if (this.destroyed) return;
      const piece = this.#socket.read(Math.min(PIECE_BYTES, this.#socket.readableLength)) as Buffer | null;
      if (piece === null) return;
      this.#isWanted = false;
      this.push(piece);
    });
  }

  #send(chunks: readonly Buffer[], done: (error?: Error | null) => void): void {
    const total = chunks.reduce((sum, { length }) => sum + length, 0);
    // Header and body of a short answer travel in one packet.
    this.#sending = total <= SENT_BYTES ? [Buffer.concat(chunks)] : [...chunks];
    for (const chunk of this.#sending) this.#unread.add(chunk);
    this.#sendOn(0, done);
  }

  #sendOn(offset: number, done: (error?: Error | null) => void): void {
    const [chunk] = this.#sending;
    if (chunk === undefined) {
      this.unreadSinceMs = null;
      done();
      return;
    }
    this.unreadSinceMs = performance.now();
    const end = Math.min(chunk.length, offset + SENT_BYTES);
    this.#socket.write(chunk.subarray(offset, end), (error) => {
      if (error) return done(error);
      if (this.destroyed) return done();
      // A client that reads fast would be sent all of it at once.
      if (end < chunk.length) return takeTurn(() => this.#sendOn(end, done));
      this.#sending.shift();
      this.#unread.remove(chunk);
      this.#sendOn(0, done);
    });
  }
}

/**
 * Stands between the port and Node's HTTP server, so that no crowd holds up what the sidecar is there for: connections and
 * what they send are taken in turns, a connection that asks for more before it has its answer is closed (RFC 9112 §9.3.2
 * leaves a client to ask again), and answers that nobody reads are dropped, together with the connection.
 */
export class RequestGate {
  readonly #unread = new UnreadBytes(() => this.#look());
  readonly #connections = new Set<GatedSocket>();
  readonly #asking = new WeakSet<object>();
  readonly #unreadMs: number;
  #looking: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** For tests: another span than 10 s. */
  constructor(unreadMs = UNREAD_MS) {
    this.#unreadMs = unreadMs;
  }

  /** Hands on one request at a time for each connection. */
  guard(handler: RequestListener): RequestListener {
    return (request: IncomingMessage, response) => {
      const { socket } = request;
      if (this.#asking.has(socket) || socket.destroyed) {
        socket.destroy();
        return;
      }
      this.#asking.add(socket);
      response.on('close', () => this.#asking.delete(socket));
      handler(request, response);
    };
  }

  /** Puts itself in front of a server that does not listen yet. */
  stand(server: Server): void {
    const [admit] = server.listeners('connection');
    if (admit === undefined) throw new Error('the HTTP server takes no connections');
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => {
      const onError = (): void => {};
      socket.on('error', onError);
      takeTurn(() => {
        if (this.#isClosed) socket.destroy();
        if (socket.destroyed) return;
        const gated = new GatedSocket(socket, this.#unread);
        socket.off('error', onError);
        this.#connections.add(gated);
        gated.on('close', () => this.#connections.delete(gated));
        this.#looking ??= setInterval(() => this.#look(), Math.min(LOOK_EVERY_MS, this.#unreadMs)).unref();
        admit.call(server, gated);
      });
    });
    server.on('close', () => clearInterval(this.#looking));
  }

  /** Takes no more connections, those included that wait for their turn. */
  close(): void {
    this.#isClosed = true;
  }

  /** Cuts off who does not read; if too much waits all the same, then who has not read for longest. */
  #look(): void {
    const nowMs = performance.now();
    const unread = [...this.#connections].filter(({ unreadSinceMs }) => unreadSinceMs !== null);
    unread.sort((one, other) => (one.unreadSinceMs ?? 0) - (other.unreadSinceMs ?? 0));
    for (const connection of unread) {
      const waitedMs = nowMs - (connection.unreadSinceMs ?? nowMs);
      if (waitedMs >= this.#unreadMs || this.#unread.isTooMuch) connection.destroy();
    }
  }
}
