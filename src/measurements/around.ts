import { availableParallelism, freemem, loadavg, totalmem } from 'node:os';
import type { PbxEvent } from '../model/event.ts';
import { flatCopy } from '../units/flat-copy.ts';
import { type KnownDevice, knownDevice } from './format/device.ts';
import type { Surroundings } from './format/document.ts';

const STATE_UP = 6;
/** Load and memory change slowly. */
const LOOK_EVERY_MS = 5000;
/** Questions to Asterisk under way at most; with more, a device stays unknown. */
const MOST_QUESTIONS = 20;
const MOST_KNOWN = 20_000;
const PJSIP = 'PJSIP/';
const TRANSPORTS: ReadonlySet<string> = new Set(['udp', 'tcp', 'tls', 'ws', 'wss']);

export interface AroundOptions {
  readonly release: string;
  readonly asteriskVersion: () => string | null;
  /** A channel's variable or function; rejects or is undefined when Asterisk does not tell. */
  readonly getVariable: (uniqueid: string, name: string) => Promise<string | undefined>;
  readonly takesPart: (endpoint: string) => boolean;
}

interface Phone {
  readonly device: KnownDevice | null;
  readonly transport: string | null;
}

const UNKNOWN: Phone = { device: null, transport: null };

/** What is known around a leg: which device, and how busy this machine is. */
export class Around {
  readonly #options: AroundOptions;
  readonly #phones = new Map<string, Phone>();
  #questions = 0;
  #lookedAtMs: number | null = null;
  #load: number | null = null;
  #memory: number | null = null;

  constructor(options: AroundOptions) {
    this.#options = options;
  }

  of(uniqueid: string): Surroundings {
    return {
      release: this.#options.release,
      asteriskVersion: this.#options.asteriskVersion(),
      ...(this.#phones.get(uniqueid) ?? UNKNOWN),
      load: this.#load,
      memory: this.#memory,
    };
  }

  tick(nowMs: number): void {
    if (this.#lookedAtMs !== null && Math.abs(nowMs - this.#lookedAtMs) < LOOK_EVERY_MS) return;
    this.#lookedAtMs = nowMs;
    this.#load = (loadavg()[0] ?? 0) / availableParallelism();
    this.#memory = 1 - freemem() / totalmem();
  }

  /** Asks once for the device of a channel that is answered. */
  take(event: PbxEvent): void {
    if (event.type !== 'channel' || event.channel.stateNumber !== STATE_UP) return;
    const { uniqueid, name } = event.channel;
    if (!name.startsWith(PJSIP) || this.#phones.has(uniqueid) || this.#questions >= MOST_QUESTIONS) return;
    if (!this.#options.takesPart(name.replace(/-[^-]*$/, ''))) return;
    this.#phones.set(flatCopy(uniqueid), UNKNOWN);
    for (const oldest of this.#phones.keys()) {
      if (this.#phones.size <= MOST_KNOWN) break;
      this.#phones.delete(oldest);
    }
    void this.#ask(uniqueid);
  }

  forget(uniqueid: string): void {
    this.#phones.delete(uniqueid);
  }

  /** Of a channel that called us; of one that Asterisk called, its INVITE's answer is not kept for us to read. */
  async #ask(uniqueid: string): Promise<void> {
    this.#questions += 1;
    try {
      const userAgent = await this.#options.getVariable(uniqueid, 'PJSIP_HEADER(read,User-Agent)');
      const via =
        userAgent === undefined ? undefined : await this.#options.getVariable(uniqueid, 'PJSIP_HEADER(read,Via)');
      const transport = /^SIP\/2\.0\/([A-Z]{2,3})\b/.exec(via ?? '')?.[1]?.toLowerCase() ?? null;
      if (userAgent === undefined || !this.#phones.has(uniqueid)) return;
      this.#phones.set(flatCopy(uniqueid), {
        device: knownDevice(userAgent),
        transport: transport !== null && TRANSPORTS.has(transport) ? transport : null,
      });
    } catch {
      // The channel is gone, or Asterisk does not tell: the device stays unknown.
    } finally {
      this.#questions -= 1;
    }
  }
}
