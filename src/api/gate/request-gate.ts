import type { IncomingMessage, RequestListener, Server } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { AnswerBytes, HeldAnswer } from './answer-bytes.ts';
import { takeTurn } from './turns.ts';

/** Handed to the HTTP parser in one turn of the event loop: some fifty requests of the shortest kind. */
const PIECE_BYTES = 4096;
/** Sent at a time, so that it shows whether a client goes on reading. */
const SENT_BYTES = 65_536;
/** A client that takes nothing of an answer for this long is gone. */
const UNREAD_MS = 10_000;
const LOOK_EVERY_MS = 1000;
/** Where answers take too much memory, who has taken nothing for this long, or takes this long for one answer, is cut off. */
const STALLED_MS = 1000;
const SLOW_MS = 5000;

/**
 * A client's connection as Node's HTTP server gets it: bytes come in small pieces, one in a turn of the event loop over
 * all connections, and a client that does not read what is sent to it is cut off.
 */
class GatedSocket extends Duplex {
  readonly #socket: Socket;
  readonly #unread: AnswerBytes;
  #isWanted = false;
  #isInTurn = false;
  #sending: Buffer[] = [];
  /** By `performance.now()`: since when the client takes nothing; null while nothing waits for it. */
  unreadSinceMs: number | null = null;
  /** Since when it gets what it was last sent. */
  sendingSinceMs = 0;
  /** The answer that it is getting, and since when it has asked. */
  answer: { readonly held: HeldAnswer; readonly sinceMs: number } | null = null;

  constructor(socket: Socket, unread: AnswerBytes) {
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
    this.answer?.held.end();
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
    this.#sending = [...chunks];
    this.sendingSinceMs = performance.now();
    for (const chunk of this.#sending) this.#unread.add(chunk);
    this.#sendOn(0, done);
  }

  /** Sends a part of a long piece, or some short ones together: header and body of a short answer travel in one packet. */
  #sendOn(offset: number, done: (error?: Error | null) => void): void {
    const [first] = this.#sending;
    if (first === undefined) {
      this.unreadSinceMs = null;
      done();
      return;
    }
    this.unreadSinceMs = performance.now();
    const end = Math.min(first.length, offset + SENT_BYTES);
    const pieces = [first.subarray(offset, end)];
    let bytes = end - offset;
    for (const next of end < first.length ? [] : this.#sending.slice(1)) {
      if ((bytes += next.length) > SENT_BYTES) break;
      pieces.push(next);
    }
    const onSent = (error?: Error | null): void => {
      if (error) return done(error);
      if (this.destroyed) return done();
      // A client that reads fast would be sent all of it at once.
      if (end < first.length) return takeTurn(() => this.#sendOn(end, done));
      for (const piece of this.#sending.splice(0, pieces.length)) this.#unread.remove(piece);
      if (this.#sending.length > 0) takeTurn(() => this.#sendOn(0, done));
      else this.#sendOn(0, done);
    };
    this.#socket.cork();
    for (const [index, piece] of pieces.entries())
      this.#socket.write(piece, index === pieces.length - 1 ? onSent : undefined);
    this.#socket.uncork();
  }
}

/**
 * Stands between the port and Node's HTTP server, so that no crowd holds up what the sidecar is there for: connections and
 * what they send are taken in turns, a connection that asks for more before it has its answer is closed (RFC 9112 §9.3.2
 * leaves a client to ask again), and answers that nobody reads are dropped, together with the connection.
 */
export class RequestGate {
  readonly #answers: AnswerBytes;
  readonly #connections = new Set<GatedSocket>();
  readonly #asking = new WeakSet<object>();
  readonly #unreadMs: number;
  #looking: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** `unreadMs`: for tests, another span than 10 s. */
  constructor(answers: AnswerBytes, unreadMs = UNREAD_MS) {
    this.#answers = answers;
    this.#unreadMs = unreadMs;
    answers.onTooMuch((isEnough) => this.#cutOff(isEnough));
  }

  /** What counts the bytes of a request's answer. */
  heldFor({ socket }: IncomingMessage): HeldAnswer {
    const gated: unknown = socket;
    // Requests that come from no connection are those of tests.
    return (gated instanceof GatedSocket ? gated.answer?.held : undefined) ?? this.#answers.hold();
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
      const held = this.#answers.hold();
      const gated: unknown = socket;
      if (gated instanceof GatedSocket) gated.answer = { held, sinceMs: performance.now() };
      response.on('close', () => {
        held.end();
        this.#asking.delete(socket);
      });
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
        const gated = new GatedSocket(socket, this.#answers);
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

  /** Cuts off who does not read. */
  #look(): void {
    const beforeMs = performance.now() - this.#unreadMs;
    for (const connection of this.#connections)
      if ((connection.unreadSinceMs ?? Infinity) <= beforeMs) this.#drop(connection);
  }

  /** Cuts off those who read too slowly, the slowest first, until it is enough. */
  #cutOff(isEnough: () => boolean): void {
    const nowMs = performance.now();
    const late = [...this.#connections].flatMap((connection) => {
      const { unreadSinceMs, sendingSinceMs, answer } = connection;
      if (unreadSinceMs === null) return [];
      const stalledMs = nowMs - unreadSinceMs - STALLED_MS;
      const lateMs = Math.max(stalledMs, nowMs - (answer?.sinceMs ?? sendingSinceMs) - SLOW_MS);
      return lateMs >= 0 ? [{ connection, lateMs }] : [];
    });
    late.sort((one, other) => other.lateMs - one.lateMs);
    for (const { connection } of late) {
      if (isEnough()) return;
      this.#drop(connection);
    }
  }

  #drop(connection: GatedSocket): void {
    this.#answers.noteDropped();
    connection.destroy();
  }
}
