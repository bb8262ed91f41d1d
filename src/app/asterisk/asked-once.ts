import { flatCopy } from '../../units/flat-copy.ts';
import { CHANNEL_STATE_UP } from '../../model/channel.ts';
import type { ChannelSnapshot, PbxEvent } from '../../model/event.ts';

/** Channels that are asked about at the same time. */
const AT_ONCE = 10;
/** Bound on the channels that wait to be asked about. */
const MOST_WAITING = 10_000;
/** Bound on the remembered channels, which are the live ones. */
const MOST_REMEMBERED = 50_000;

export type SipDriver = 'PJSIP' | 'SIP';

export interface AskedOnceOptions {
  readonly isConnected: () => boolean;
  /** Asks about one channel. Must not reject. */
  readonly ask: (uniqueid: string, driver: SipDriver) => Promise<void>;
  readonly onForgotten?: (uniqueid: string) => void;
}

/** Asks about each SIP channel once, when it is up. Never waits, never throws. */
export class AskedOnce {
  readonly #options: AskedOnceOptions;
  readonly #known = new Set<string>();
  readonly #waiting = new Map<string, SipDriver>();
  #asking = 0;
  #leftOut = 0;

  constructor(options: AskedOnceOptions) {
    this.#options = options;
  }

  /** Live channels that were asked about. */
  get size(): number {
    return this.#known.size;
  }

  /** Channels that were not asked about, because too many waited. */
  get leftOut(): number {
    return this.#leftOut;
  }

  has(uniqueid: string): boolean {
    return this.#known.has(uniqueid);
  }

  take(event: PbxEvent): void {
    if (event.type === 'resync') this.#resync(event.channels);
    else if (event.type === 'hangup') this.#forget(event.channel.uniqueid);
    else if ('channel' in event) this.#note(event.channel);
  }

  /** Call it several times a second. */
  tick(): void {
    if (!this.#options.isConnected()) return;
    for (const [uniqueid, driver] of this.#waiting) {
      if (this.#asking >= AT_ONCE) return;
      this.#waiting.delete(uniqueid);
      this.#asking++;
      void this.#options.ask(uniqueid, driver).finally(() => this.#asking--);
    }
  }

  #resync(channels: readonly ChannelSnapshot[]): void {
    const present = new Set(channels.map(({ uniqueid }) => uniqueid));
    for (const uniqueid of this.#known) if (!present.has(uniqueid)) this.#forget(uniqueid);
    for (const channel of channels) this.#note(channel);
  }

  #note({ uniqueid, name, stateNumber }: ChannelSnapshot): void {
    if (stateNumber !== CHANNEL_STATE_UP || this.#known.has(uniqueid)) return;
    const driver = name.startsWith('PJSIP/') ? 'PJSIP' : name.startsWith('SIP/') ? 'SIP' : undefined;
    if (driver === undefined) return;
    if (this.#waiting.size >= MOST_WAITING || this.#known.size >= MOST_REMEMBERED) {
      this.#leftOut++;
      return;
    }
    const own = flatCopy(uniqueid);
    this.#known.add(own);
    this.#waiting.set(own, driver);
  }

  #forget(uniqueid: string): void {
    this.#known.delete(uniqueid);
    this.#waiting.delete(uniqueid);
    this.#options.onForgotten?.(uniqueid);
  }
}
