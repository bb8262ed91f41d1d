import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { z } from 'zod';
import type { Clock, LiveView } from '../model/ports.ts';
import type { LiveNews } from '../model/people/rating.ts';
import type { ChannelRecord } from '../model/record.ts';
import { CHANNEL } from './answers/answers.ts';
import { AnswerBytes } from './gate/answer-bytes.ts';
import { dropSlowest, FeedClient } from './gate/feed-client.ts';
import { assertNotForeign } from './gate/own-host.ts';
import { checkQuery } from './gate/check.ts';
import { NO_QUERY } from './parameters.ts';
import { presentChannel } from './answers/present.ts';
import { presentRating, RATING } from './ratings/ratings.ts';
import { endThenDestroy, Problem, rawAnswer } from './problem.ts';

import { nextTurn } from './gate/turns.ts';

export const LIVE_STREAM_PATH = '/v1/live/stream';
/** The web socket subprotocol; clients may leave it out. */
const SUBPROTOCOL = 'asterisk-mes';

const MOST_CLIENTS = 50;
/** Bound on a client's messages, which are ignored. */
const LARGEST_MESSAGE_BYTES = 1024;
/** Least time between two messages to a client. */
const GAP_MS = 500;
/** Channels in one message, which takes a few milliseconds to make. */
const PART_CHANNELS = 100;
/** Bound on ratings and marks between two messages. More come from a broken program. */
const MOST_NEWS = 50;
/** Making messages may take one part in so many of the time. With many channels up they come less often. */
const REST_PER_WORK = 10;
const HEARTBEAT_MS = 5000;
/** A client that does not answer pings for this long is gone, or does not read. */
const SILENCE_MS = 15_000;
const GOING_AWAY = 1001;
/** Time for a client to answer the closing handshake. */
const GOODBYE_MS = 200;

const AT = z.iso.datetime({ precision: 3 });

/** The messages of the feed. */
export const LIVE_MESSAGE = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('full').describe('first, and again after the client fell behind: nothing before it holds'),
    at: AT,
    channels: z
      .array(CHANNEL)
      .describe('those that are up; of many the first hundred, and changes with the others follow'),
  }),
  z.strictObject({
    type: z.literal('changes'),
    at: AT,
    channels: z.array(CHANNEL).describe('new and changed ones whole; with an ended_at it is no longer up'),
  }),
  z.strictObject({
    type: z.literal('rating').describe('somebody rated a call; again with the same id when they answer more'),
    at: AT,
    rating: RATING,
  }),
  z.strictObject({
    type: z.literal('mark').describe('somebody marked this moment of a call'),
    at: AT,
    linkedid: z.string(),
    uniqueid: z.string().describe('channel of whoever pressed the key'),
  }),
  z.strictObject({ type: z.literal('heartbeat').describe('every 5 s, so that silence means a fault'), at: AT }),
]);

export interface LiveStreamOptions {
  readonly live: LiveView;
  readonly clock: Clock;
  /** For tests: replace 0.5, 5 and 15 s. */
  readonly gapMs?: number;
  readonly heartbeatMs?: number;
  readonly silenceMs?: number;
}

/** Checks a web socket's request. Rejects with Problem to refuse it. */
export type AdmitSocket = (request: IncomingMessage) => Promise<void>;

export interface LiveStreamCounters {
  readonly clients: number;
  /** Clients disconnected because they did not read. */
  readonly dropped: number;
  /** Clients refused because there were too many. */
  readonly refused: number;
  /** Ratings and marks not sent because too many came at once. */
  readonly news_left_out: number;
}

/**
 * Pushes live channels over web sockets. Nobody waits for a client: nothing is queued behind a message that it has not taken,
 * and when it has, it gets the full list. So a slow client costs the memory of one list.
 */
export class LiveStream {
  readonly #options: LiveStreamOptions;
  readonly #clients = new Set<FeedClient>();
  /** Messages that wait for clients; one that goes to several counts once. */
  readonly #unread = new AnswerBytes();
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: LARGEST_MESSAGE_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  #changed = new Map<string, ChannelRecord>();
  #news: LiveNews[] = [];
  #newsLeftOut = 0;
  #sending: NodeJS.Timeout | undefined;
  /** Earliest time of the next message, by `performance.now()`. */
  #nextAtMs = 0;
  #heartbeat: NodeJS.Timeout | undefined;
  #dropped = 0;
  #refused = 0;

  constructor(options: LiveStreamOptions) {
    this.#options = options;
    this.#unread.onTooMuch((isEnough) => {
      dropSlowest(this.#clients, isEnough, (client) => this.#drop(client));
    });
  }

  get counters(): LiveStreamCounters {
    return {
      clients: this.#clients.size,
      dropped: this.#dropped,
      refused: this.#refused,
      news_left_out: this.#newsLeftOut,
    };
  }

  /** Whether any client is connected. */
  get isWatched(): boolean {
    return this.#clients.size > 0;
  }

  /** Notes a channel's new state, which is sent together with others. Never waits. */
  note(channel: ChannelRecord): void {
    if (this.#clients.size === 0) return;
    this.#changed.set(channel.uniqueid, channel);
    this.#schedule();
  }

  /** Notes a rating or a mark, which is sent with the next changes. A client that does not read misses it. */
  tell(news: LiveNews): void {
    if (this.#clients.size === 0) return;
    if (this.#news.length >= MOST_NEWS) {
      this.#newsLeftOut++;
      return;
    }
    this.#news.push(news);
    this.#schedule();
  }

  /** Answers the server's web socket requests. `admit` rejects with Problem when the client may not read. */
  attach(server: Server, admit: AdmitSocket): void {
    server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head, admit));
  }

  /** Closes all connections. */
  close(): void {
    clearTimeout(this.#sending);
    clearInterval(this.#heartbeat);
    for (const { socket } of this.#clients) {
      socket.close(GOING_AWAY, 'the sidecar stops');
      setTimeout(() => socket.terminate(), GOODBYE_MS);
    }
    this.#clients.clear();
    this.#changed.clear();
    this.#news = [];
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, admit: AdmitSocket): Promise<void> {
    // Handles errors until the web socket server takes over.
    const onError = (): void => void socket.destroy();
    socket.on('error', onError);
    try {
      await admit(request);
      this.#check(request);
    } catch (error) {
      const problem =
        error instanceof Problem ? error : new Problem('MES_ERR_SERVER', 'the server failed on this request');
      endThenDestroy(socket, rawAnswer(problem));
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (client) => this.#join(client));
    socket.off('error', onError);
  }

  #check(request: IncomingMessage): void {
    const address = URL.parse(request.url ?? '', 'http://localhost');
    if (address?.pathname !== LIVE_STREAM_PATH) {
      throw new Problem('MES_ERR_NO_SUCH_ADDRESS', `the only web socket is at ${LIVE_STREAM_PATH}`);
    }
    checkQuery(NO_QUERY, Object.fromEntries(address.searchParams));
    // Browsers let any page open a web socket to anywhere. Only the Origin tells another site's page from ours.
    assertNotForeign(request.headers);
    if (this.#clients.size >= MOST_CLIENTS) {
      this.#refused++;
      throw new Problem('MES_ERR_TOO_MANY_WATCHERS', `${MOST_CLIENTS} clients watch already; close one of them`);
    }
  }

  #join(socket: WebSocket): void {
    const client = new FeedClient(socket, this.#unread, performance.now());
    this.#clients.add(client);
    socket.on('pong', () => {
      client.answeredAtMs = performance.now();
    });
    socket.on('error', () => socket.terminate());
    socket.on('close', () => this.#leave(client));
    this.#heartbeat ??= setInterval(() => this.#sendHeartbeats(), this.#options.heartbeatMs ?? HEARTBEAT_MS);
    this.#schedule();
  }

  #leave(client: FeedClient): void {
    this.#clients.delete(client);
    client.leave();
    if (this.#clients.size > 0) return;
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
    this.#changed.clear();
    this.#news = [];
  }

  #schedule(): void {
    this.#sending ??= setTimeout(() => void this.#send(), Math.max(0, this.#nextAtMs - performance.now()));
  }

  async #send(): Promise<void> {
    const changed = [...this.#changed.values()];
    this.#changed.clear();
    const ready = [...this.#clients].filter(({ socket }) => socket.bufferedAmount === 0);
    for (const client of ready) client.takenAtMs = performance.now();
    for (const client of this.#clients) if (client.socket.bufferedAmount > 0) client.isBehind = true;
    const behind = ready.filter(({ isBehind }) => isBehind);
    const current = ready.filter(({ isBehind }) => !isBehind);
    const { live } = this.#options;
    let workMs = 0;
    if (current.length > 0 && changed.length > 0)
      workMs += await this.#push(current, 'changes', changed, (channel) => channel);
    if (behind.length > 0) {
      for (const client of behind) client.isBehind = false;
      workMs += await this.#push(behind, 'full', live.liveUniqueids(), (uniqueid) => live.liveChannel(uniqueid));
    }
    // The list comes first: new clients expect it.
    for (const message of this.#news.splice(0).map((news) => this.#newsMessage(news)))
      for (const client of ready) client.send(message);
    this.#nextAtMs = performance.now() + Math.max(this.#options.gapMs ?? GAP_MS, REST_PER_WORK * workMs);
    this.#sending = undefined;
    if (this.#changed.size + this.#news.length > 0 || [...this.#clients].some(({ isBehind }) => isBehind))
      this.#schedule();
  }

  /** Makes each part once for all clients, with turns for other work in between. Resolves with its own working time, ms. */
  async #push<Item>(
    clients: readonly FeedClient[],
    type: 'full' | 'changes',
    items: readonly Item[],
    channelOf: (item: Item) => ChannelRecord | null,
  ): Promise<number> {
    let workMs = 0;
    for (let start = 0; start === 0 || start < items.length; start += PART_CHANNELS) {
      if (start > 0) await nextTurn();
      const startedAtMs = performance.now();
      const part = items.slice(start, start + PART_CHANNELS).flatMap((item) => channelOf(item) ?? []);
      const message = this.#message(start === 0 ? type : 'changes', part);
      for (const client of clients) client.send(message);
      workMs += performance.now() - startedAtMs;
    }
    return workMs;
  }

  #sendHeartbeats(): void {
    const nowMs = performance.now();
    const message = this.#message('heartbeat');
    for (const client of this.#clients) {
      const { socket } = client;
      const hasTakenAll = socket.bufferedAmount === 0;
      if (hasTakenAll) client.takenAtMs = nowMs;
      // Who sends pongs and reads nearly nothing is no better than who is silent.
      if (nowMs - Math.min(client.answeredAtMs, client.takenAtMs) > (this.#options.silenceMs ?? SILENCE_MS)) {
        this.#drop(client);
        continue;
      }
      socket.ping();
      if (hasTakenAll) client.send(message);
    }
  }

  #drop(client: FeedClient): void {
    this.#dropped++;
    client.socket.terminate();
    this.#leave(client);
  }

  #newsMessage(news: LiveNews): Buffer {
    const message: z.output<typeof LIVE_MESSAGE> =
      'rating' in news
        ? { type: 'rating', at: new Date(news.rating.atMs).toISOString(), rating: presentRating(news.rating) }
        : {
            type: 'mark',
            at: new Date(news.moment.atMs).toISOString(),
            linkedid: news.moment.linkedid,
            uniqueid: news.moment.uniqueid,
          };
    return Buffer.from(JSON.stringify(message));
  }

  #message(type: 'full' | 'changes' | 'heartbeat', channels?: readonly ChannelRecord[]): Buffer {
    const nowMs = this.#options.clock.nowMs();
    const message = {
      type,
      at: new Date(nowMs).toISOString(),
      channels: channels?.map((channel) => presentChannel(channel, nowMs)),
    };
    return Buffer.from(JSON.stringify(message));
  }
}
