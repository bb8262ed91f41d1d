import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, createServer, isIP, type AddressInfo, type Server, type Socket } from 'node:net';
import type { RtpCounters } from '../model/event.ts';
import type { ChannelValues } from '../model/ports.ts';
import type { Subnet } from '../model/subnet.ts';
import { AgiConversation, type AgiEnvironment, AgiError, readAgiEnvironment } from './agi-conversation.ts';
import { parseRtcpAll } from '../wire/rtcp/rtcp-all.ts';
import { encodeGetFullVariable, encodeSetVariable } from '../wire/agi.ts';
import { listenProblem } from '../model/errors/listen-problem.ts';
import { WorkQueue } from './work-queue.ts';
import { arrayAssignment, selectAssignments } from './variable-assignment.ts';

/** From accept to close, in any case: a hang-up waits for us. */
export const AGI_DEADLINE_MS = 50;

/** Hang-ups at the same moment. More are refused at once and lose only their final scores. */
const MAX_CONNECTIONS = 1000;

/** Foreign addresses that are reported; more are only counted. */
const MAX_STRANGERS_TOLD = 20;

/** What `extensions_mes.conf` asks for: `agi://…/hangup`, or `agi://…/hangup/SECRET`. */
const HANGUP_SCRIPT = 'hangup';

/** An expression for Asterisk, not a template of ours. */
const RTCP_ALL = `\${CHANNEL(rtcp,all)}`;
/**
 * What a phone says in its BYE. PJSIP_HEADER knows only the first INVITE (22.10.1, 16.28). chan_sip's SIP_HEADER knows the latest
 * request, which is the BYE when the phone hangs up.
 */
const BYE_STATISTICS = `\${SIP_HEADER(X-RTP-Stat)}|\${SIP_HEADER(P-RTP-Stat)}`;
const CHAN_SIP = 'SIP/';

/** Another script than the hangup handler's. It also has 50 ms at first; `conversation.extend` gives it more. */
export type AgiScript = (conversation: AgiConversation, environment: AgiEnvironment) => Promise<void>;

export interface FastAgiOptions {
  readonly host: string;
  readonly port: number;
  /** `[agi] peers`: from where a connection may come. */
  readonly peers: readonly Subnet[];
  /** `[agi] secret`: what the script's name must end in; null or absent: nothing. */
  readonly secret?: string | null | undefined;
  /** Called once when somebody asks for the script without the right secret. */
  readonly onWrongSecret?: () => void;
  /** Called once for each foreign address whose connection was closed. */
  readonly onStranger?: (address: string) => void;
  /**
   * A channel is about to end. `counters` are its last ones, undefined without RTP; `byeStatistics` is what its phone said in its BYE.
   * Resolves with its final scores, or undefined for an unknown channel. Late scores are not written.
   */
  readonly onHangup: (
    uniqueid: string,
    counters: RtpCounters | undefined,
    byeStatistics: string | undefined,
  ) => Promise<ChannelValues | undefined>;
  /** Other scripts by their names, which end in the secret as well: `rate` is asked for as `rate/SECRET`. */
  readonly scripts?: Readonly<Record<string, AgiScript>>;
  /** `[writeback] variables` and `[writeback] cdr` */
  readonly variables: boolean;
  readonly cdr: boolean;
  readonly deadlineMs?: number;
}

export interface FastAgiCounters {
  /** Hang-ups that got their final scores. */
  readonly answered: number;
  /** Hang-ups of unknown channels, or of channels without scores. */
  readonly unknown: number;
  /** Conversations that ran out of time. */
  readonly late: number;
  /** Connections that broke off, did not speak AGI or made an impossible request. */
  readonly failed: number;
  /** Connections from outside of `peers`, for another script, without the secret, or above the limit. */
  readonly refused: number;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function scriptDigest(name: string, secret: string | null | undefined): Buffer {
  return digest(secret ? `${name}/${secret}` : name);
}

/** The FastAGI server that Asterisk's hangup handler asks for a channel's final scores. */
export class FastAgiServer {
  readonly #options: FastAgiOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #workQueue = new WorkQueue();
  readonly #counters = { answered: 0, unknown: 0, late: 0, failed: 0, refused: 0 };
  #peers = new BlockList();
  /** Scripts by the digests of their names and the secret, so that a comparison takes the same time whatever is asked for. */
  #scripts: readonly { readonly name: string; readonly digest: Buffer }[] = [];
  #hasToldOfSecret = false;
  readonly #strangers = new Set<string>();

  constructor(options: FastAgiOptions) {
    this.#options = options;
    this.change(options);
    this.#server = createServer({ noDelay: true }, (socket) => {
      // Until its turn comes, nobody else listens for a connection's error.
      const onError = (): void => {};
      socket.on('error', onError);
      this.#workQueue.take(() => {
        if (socket.destroyed) return;
        socket.off('error', onError);
        if (this.#isPeer(socket.remoteAddress)) void this.#serve(socket);
        else this.#turnAway(socket);
      });
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('drop', () => this.#counters.refused++);
  }

  /** Who may ask, from the next connection on. */
  change({ peers, secret }: Pick<FastAgiOptions, 'peers' | 'secret'>): void {
    this.#peers = new BlockList();
    for (const { address, family, prefixLength } of peers) this.#peers.addSubnet(address, prefixLength, family);
    this.#scripts = this.#scriptNames().map((name) => ({ name, digest: scriptDigest(name, secret) }));
    this.#hasToldOfSecret = false;
  }

  #scriptNames(): readonly string[] {
    return [HANGUP_SCRIPT, ...Object.keys(this.#options.scripts ?? {})];
  }

  get counters(): FastAgiCounters {
    return { ...this.#counters };
  }

  /** Starts to listen and resolves with the address. Rejects with an Error of one sentence when the address is not available. */
  async listen(): Promise<AddressInfo> {
    const { host, port } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const onError = (error: Error): void => {
      reject(new Error(`FastAGI cannot listen on ${host}:${port} (${listenProblem(error)}); change bind in [agi]`));
    };
    this.#server.once('error', onError);
    this.#server.listen({ host, port, backlog: MAX_CONNECTIONS }, () => resolve(undefined));
    await promise;
    this.#server.off('error', onError);
    // Without file descriptors, for example, the connection is lost and the server goes on.
    this.#server.on('error', () => this.#counters.refused++);
    return this.#server.address() as AddressInfo;
  }

  /** Closes the port and all connections. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#server.close(() => resolve(undefined));
    for (const socket of this.#sockets) socket.destroy();
    await promise;
  }

  #isPeer(address: string | undefined): boolean {
    // An ended connection has no address any more.
    if (address === undefined) return false;
    return this.#peers.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
  }

  #turnAway(socket: Socket): void {
    const { remoteAddress } = socket;
    socket.on('error', () => {});
    socket.destroy();
    this.#counters.refused++;
    if (remoteAddress === undefined || this.#strangers.has(remoteAddress)) return;
    if (this.#strangers.size >= MAX_STRANGERS_TOLD) return;
    this.#strangers.add(remoteAddress);
    this.#options.onStranger?.(remoteAddress);
  }

  async #serve(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    const conversation = new AgiConversation(socket, this.#workQueue, this.#options.deadlineMs ?? AGI_DEADLINE_MS);
    try {
      const outcome = await this.#converse(conversation);
      this.#counters[outcome]++;
    } catch (error) {
      this.#counters[error instanceof AgiError && error.late ? 'late' : 'failed']++;
    } finally {
      conversation.close();
      this.#sockets.delete(socket);
    }
  }

  async #converse(conversation: AgiConversation): Promise<'answered' | 'unknown' | 'failed' | 'refused'> {
    const environment = await readAgiEnvironment(conversation);
    const { script, uniqueid, channel } = environment;
    const asked = digest(script);
    const known = this.#scripts.filter((candidate) => timingSafeEqual(asked, candidate.digest))[0];
    if (known === undefined) {
      const isOurs = this.#scriptNames().some((name) => script === name || script.startsWith(`${name}/`));
      if (isOurs && !this.#hasToldOfSecret) {
        this.#hasToldOfSecret = true;
        this.#options.onWrongSecret?.();
      }
      return 'refused';
    }
    const other = this.#options.scripts?.[known.name];
    if (known.name !== HANGUP_SCRIPT && other !== undefined) {
      await other(conversation, environment);
      return 'answered';
    }
    if (uniqueid === undefined) return 'refused';
    const answer = await conversation.command(encodeGetFullVariable(RTCP_ALL));
    const counters = answer.code === 200 ? parseRtcpAll(answer.value ?? '') : undefined;
    const said = channel.startsWith(CHAN_SIP)
      ? (await conversation.command(encodeGetFullVariable(BYE_STATISTICS))).value
      : undefined;
    const final = await conversation.inTime(this.#options.onHangup(uniqueid, counters, said));
    const assignments = final === undefined ? undefined : selectAssignments(final, this.#options);
    if (assignments === undefined || assignments.size === 0) return 'unknown';
    const { name, value } = arrayAssignment(assignments);
    const done = await conversation.command(encodeSetVariable(name, value));
    return done.code === 200 ? 'answered' : 'failed';
  }
}
