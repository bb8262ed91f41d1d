import type { ExistingChannel, PbxEvent } from '../../model/event.ts';
import { readExistingChannel, readPbxEvent } from '../../wire/ami/ami-event.ts';
import { type AmiMessage, AmiValueError } from '../../wire/ami/ami.ts';
import { AmiLink, type AmiLinkReader, DEFAULT_AMI_TIMING, type AmiLinkTiming } from './ami-link.ts';
import { AmiRefusedError, checkPrivileges, logIn } from './ami-login.ts';
import { AmiLinkError, where, type AmiConnection } from './ami-socket.ts';
import type { ReadPace } from './paced-reads.ts';
import { KeptLink, sleepUnlessAborted, type BackOff, type LinkEnd, type LinkState } from '../link-state.ts';
import { errorText } from '../../units/error-text.ts';

/** The event classes that we read: `call` has channels, bridges and hold, `reporting` RTCP, `dtmf` digits. */
const EVENT_MASK = 'call,reporting,dtmf';
/** The same and the events that the dialplan makes. */
const EVENT_MASK_WITH_USER = `${EVENT_MASK},user`;

/** More channels than any Asterisk has. A longer list means a broken connection. */
const MAX_LISTED_CHANNELS = 100_000;

/** Asterisk lists about 50,000 channels a second; a busy one takes longer. */
const LIST_TIMEOUT_MS = 30_000;

/** An event filter may hide the changes. A thousand endpoints are some 90 KB. */
const ENDPOINTS_EVERY_MS = 120_000;

export interface AmiEventSessionOptions {
  readonly connection: AmiConnection;
  /** Called in the order of Asterisk's events. It must return soon and not throw. */
  readonly onEvent: (event: PbxEvent) => void;
  /** Whether UserEvent() of the dialplan is read as well, if the user has the class. */
  readonly readsUserEvents?: boolean;
  /** Called before the first event of each read. */
  readonly onRead?: () => void;
  readonly onState: (state: LinkState) => void;
  /** Sentences for the log at debug level. */
  readonly onDebug?: (sentence: string) => void;
  /** Epoch milliseconds. */
  readonly nowMs: () => number;
  /** 0 up to 1. */
  readonly random: () => number;
  readonly timing?: AmiLinkTiming;
  readonly backOff?: BackOff;
  /** Shared by sockets that are read in the same turns. */
  readonly pace?: ReadPace;
}

export interface AmiEventCounters {
  /** Events handed on. */
  readonly events: number;
  /** Needed events that could not be read, blocks that are not messages, and blocks without an end. */
  readonly malformed: number;
  /** Events that nobody here needs. */
  readonly ignored: number;
  readonly reconnects: number;
}

interface OpenList {
  readonly channels: ExistingChannel[];
  readonly done: () => void;
}

/**
 * The event connection to Asterisk. It reconnects for ever and passes on what happens to channels. Each connection begins with a
 * `resync`, the list of channels that exist; each loss gives a `link-lost`.
 *
 * Asterisk writes the list in one piece between events, so the `resync` has its place in their order: earlier events happened
 * before the list was made, and later ones may at most repeat it.
 */
export class AmiEventSession {
  readonly #counters = { events: 0, malformed: 0, ignored: 0, reconnects: 0 };
  readonly #options: AmiEventSessionOptions;
  readonly #timing: AmiLinkTiming;
  readonly #kept: KeptLink;
  readonly #reader: AmiLinkReader = {
    onRead: () => this.#noteRead(),
    onEvent: (message) => this.#take(message),
  };
  /** One time for all events of a read. A read has 64 KB at most and takes a few ms; a clock call per event cost as much as scoring. */
  #readAtMs = 0;
  #askedEndpointsAtMs = 0;
  #link: AmiLink | undefined;
  #list: OpenList | undefined;
  #synced = false;
  #everSynced = false;
  #asteriskVersion: string | null = null;

  constructor(options: AmiEventSessionOptions) {
    this.#options = options;
    this.#kept = new KeptLink((onConnected, signal) => this.#openOnce(onConnected, signal), options);
    this.#timing = options.timing ?? DEFAULT_AMI_TIMING;
  }

  get counters(): AmiEventCounters {
    const { malformed, ...rest } = this.#counters;
    return { ...rest, malformed: malformed + unreadableBlocks(this.#link) };
  }

  /** As Asterisk last gave it, such as `22.10.1`; null until the first connection. */
  get asteriskVersion(): string | null {
    return this.#asteriskVersion;
  }

  /** Starts connecting; returns at once. */
  start(): void {
    this.#kept.start();
  }

  /** Closes the connection for good, without a `link-lost`. */
  async stop(): Promise<void> {
    await this.#kept.stop(() => this.#link?.close('the sidecar stopped'));
  }

  /**
   * Resolves once every event that Asterisk had written before this call has been passed on.
   * Rejects with AmiLinkError when that takes longer than `timeoutMs` or there is no connection.
   */
  async barrier(timeoutMs: number): Promise<void> {
    if (this.#link === undefined || !this.#synced) {
      throw new AmiLinkError(`${where(this.#options.connection)} is not connected`);
    }
    await this.#link.request('Ping', [], timeoutMs);
  }

  /** Asks for a channel's codecs. The answer comes as a `codecs` event; none comes when the channel is gone. */
  askCodecs(uniqueid: string): void {
    if (!this.#synced) return;
    try {
      this.#link?.tell('Status', [['Channel', uniqueid]]);
    } catch (error) {
      // An id that AMI cannot carry cannot be asked about.
      if (!(error instanceof AmiValueError)) throw error;
    }
  }

  async #openOnce(onConnected: () => void, signal: AbortSignal): Promise<LinkEnd> {
    let link: AmiLink | undefined;
    try {
      const { connection, pace } = this.#options;
      link = await AmiLink.open(connection, this.#timing, signal, this.#reader, pace);
      if (signal.aborted) throw new AmiLinkError('the sidecar stopped');
      this.#link = link;
      await this.#setUp(link);
      if (this.#everSynced) this.#counters.reconnects++;
      this.#everSynced = true;
      onConnected();
      return { fatal: false, problem: await link.ended, wasConnected: true };
    } catch (error) {
      const problem = errorText(error);
      return { fatal: error instanceof AmiRefusedError, problem, wasConnected: this.#synced };
    } finally {
      link?.close('the connection was given up');
      this.#cleanUp(link, signal);
    }
  }

  async #setUp(link: AmiLink): Promise<void> {
    const { connection, onDebug } = this.#options;
    await logIn(link, connection);
    if ((await checkPrivileges(link, connection)) === 'unknown') {
      onDebug?.(`The classes of the AMI user "${connection.username}" cannot be read from manager.conf; going on`);
    }
    const version = await link.request('Getvar', [['Variable', 'VERSION()']]);
    this.#asteriskVersion = version.get('Value') || null;
    // Events first, list second, so that nothing between them is lost.
    await this.#mustSucceed(link, 'Events', [
      ['EventMask', this.#options.readsUserEvents === true ? EVENT_MASK_WITH_USER : EVENT_MASK],
    ]);
    await this.#resync(link);
  }

  async #resync(link: AmiLink): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#list = { channels: [], done: () => resolve(undefined) };
    await this.#mustSucceed(link, 'Status', []);
    const tooLate = new AbortController();
    try {
      await Promise.race([
        promise,
        link.ended.then((problem) => Promise.reject(new AmiLinkError(problem))),
        sleepUnlessAborted(LIST_TIMEOUT_MS, tooLate.signal).then(() => this.#failUnlessSynced()),
      ]);
    } finally {
      tooLate.abort();
    }
  }

  #failUnlessSynced(): void {
    if (this.#synced) return;
    throw new AmiLinkError(`${where(this.#options.connection)} did not finish its list of channels`);
  }

  async #mustSucceed(link: AmiLink, action: string, fields: readonly (readonly [string, string])[]): Promise<void> {
    const answer = await link.request(action, fields);
    if (answer.get('Response') === 'Success') return;
    const reason = answer.get('Message') ?? 'no reason given';
    throw new AmiLinkError(`${where(this.#options.connection)} refused the action ${action} (${reason})`);
  }

  #cleanUp(link: AmiLink | undefined, signal: AbortSignal): void {
    const wasSynced = this.#synced;
    this.#counters.malformed += unreadableBlocks(link);
    this.#link = undefined;
    this.#list = undefined;
    this.#synced = false;
    if (wasSynced && !signal.aborted) this.#emit({ type: 'link-lost', atMs: this.#options.nowMs() });
  }

  #noteRead(): void {
    this.#readAtMs = this.#options.nowMs();
    this.#options.onRead?.();
    // A clock that was set back must not stop it.
    if (this.#synced && Math.abs(this.#readAtMs - this.#askedEndpointsAtMs) >= ENDPOINTS_EVERY_MS) this.#askEndpoints();
  }

  /** Asks for the state of all endpoints. The rows come as events of changes do; without the right to ask, only changes come. */
  #askEndpoints(): void {
    this.#askedEndpointsAtMs = this.#readAtMs;
    this.#link?.tell('DeviceStateList');
  }

  #take(message: AmiMessage): void {
    const name = message.event;
    if (name === 'Status') this.#takeRow(message);
    else if (name === 'StatusComplete') this.#completeList();
    else this.#takeLive(message);
  }

  #takeRow(message: AmiMessage): void {
    const channel = readExistingChannel(message);
    if (channel === undefined) this.#counters.malformed++;
    else if (this.#list === undefined) this.#takeAnswer(channel);
    else if (this.#list.channels.length < MAX_LISTED_CHANNELS) this.#list.channels.push(channel);
    else this.#link?.close(`${where(this.#options.connection)} lists more than ${MAX_LISTED_CHANNELS} channels`);
  }

  /** The list is asked for first, so a row outside of it answers `askCodecs`. */
  #takeAnswer({ uniqueid, codecs }: ExistingChannel): void {
    this.#emit({ type: 'codecs', atMs: this.#readAtMs, uniqueid, codecs });
  }

  #completeList(): void {
    const list = this.#list;
    if (list === undefined) return;
    this.#list = undefined;
    this.#synced = true;
    this.#emit({ type: 'resync', atMs: this.#readAtMs, channels: list.channels });
    this.#askEndpoints();
    list.done();
  }

  #takeLive(message: AmiMessage): void {
    const event = readPbxEvent(message, this.#readAtMs);
    if (event === undefined) this.#counters.ignored++;
    else if (event === 'malformed') this.#counters.malformed++;
    else this.#emit(event);
  }

  #emit(event: PbxEvent): void {
    this.#counters.events++;
    this.#options.onEvent(event);
  }
}

function unreadableBlocks(link: AmiLink | undefined): number {
  return link === undefined ? 0 : link.parserCounters.malformed + link.parserCounters.oversized;
}
