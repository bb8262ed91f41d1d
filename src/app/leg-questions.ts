import { detached } from '../calls/channel-state.ts';
import { CHANNEL_STATE_UP } from '../model/channel.ts';
import type { ChannelSnapshot, PbxEvent } from '../model/event.ts';
import type { SipLeg } from '../model/phone-report.ts';
import { parseAddressAndPort } from '../wire/ip-address.ts';

/** Channels that are asked about at the same time: four questions each. */
const AT_ONCE = 10;
/** Channels that wait for their turn at most. */
const MOST_WAITING = 10_000;
/** Channels remembered, which are those that are up. */
const MOST_REMEMBERED = 50_000;

/** What Asterisk is asked about a leg, by channel driver. */
const QUESTIONS = {
  PJSIP: {
    sipCallId: 'CHANNEL(pjsip,call-id)',
    signallingAddress: 'CHANNEL(pjsip,remote_addr)',
    // Of a leg that Asterisk itself called, remote_addr is empty (22.10.1, 16.28).
    signallingTarget: 'CHANNEL(pjsip,target_uri)',
    localMedia: 'CHANNEL(rtp,src)',
    remoteMedia: 'CHANNEL(rtp,dest)',
  },
  // chan_sip tells the address that the peer's requests come from, without its port; of RTP the far end alone.
  SIP: {
    sipCallId: 'SIPCALLID',
    signallingAddress: 'CHANNEL(recvip)',
    signallingTarget: null,
    localMedia: null,
    remoteMedia: 'CHANNEL(rtpdest)',
  },
} as const;

export interface LegQuestionsOptions {
  /** Undefined: Asterisk has no value. Rejects when there is no answer. */
  readonly getVariable: (uniqueid: string, name: string) => Promise<string | undefined>;
  readonly isConnected: () => boolean;
  /** A leg as it is known now; of one perhaps several times. */
  readonly onLeg: (leg: SipLeg, atMs: number) => void;
  readonly nowMs: () => number;
}

type Driver = keyof typeof QUESTIONS;

/** Asks Asterisk once which SIP dialog and which addresses each channel has, and reads its SSRCs in RTCP. Never waits, never throws. */
export class LegQuestions {
  readonly #options: LegQuestionsOptions;
  /** Channels that are up, with what is known of them; null: not asked yet. */
  readonly #legs = new Map<string, SipLeg | null>();
  readonly #waiting = new Map<string, Driver>();
  #asking = 0;
  #leftOut = 0;

  constructor(options: LegQuestionsOptions) {
    this.#options = options;
  }

  get counters(): { readonly legs: number; readonly legsLeftOut: number } {
    return { legs: this.#legs.size, legsLeftOut: this.#leftOut };
  }

  take(event: PbxEvent): void {
    if (event.type === 'resync') return this.#resync(event.channels);
    if (!('channel' in event)) return;
    const { uniqueid } = event.channel;
    if (event.type === 'hangup') {
      this.#legs.delete(uniqueid);
      this.#waiting.delete(uniqueid);
      return;
    }
    this.#noteChannel(event.channel);
    if (event.type === 'rtcp') this.#noteSsrc(event);
  }

  /** Call it several times a second. */
  tick(): void {
    if (!this.#options.isConnected()) return;
    for (const [uniqueid, driver] of this.#waiting) {
      if (this.#asking >= AT_ONCE) return;
      this.#waiting.delete(uniqueid);
      void this.#ask(uniqueid, driver);
    }
  }

  #resync(channels: readonly ChannelSnapshot[]): void {
    const present = new Set(channels.map(({ uniqueid }) => uniqueid));
    for (const uniqueid of this.#legs.keys()) {
      if (present.has(uniqueid)) continue;
      this.#legs.delete(uniqueid);
      this.#waiting.delete(uniqueid);
    }
    for (const channel of channels) this.#noteChannel(channel);
  }

  #noteChannel({ uniqueid, name, stateNumber }: ChannelSnapshot): void {
    if (stateNumber !== CHANNEL_STATE_UP || this.#legs.has(uniqueid)) return;
    const driver = name.startsWith('PJSIP/') ? 'PJSIP' : name.startsWith('SIP/') ? 'SIP' : undefined;
    if (driver === undefined) return;
    if (this.#waiting.size >= MOST_WAITING || this.#legs.size >= MOST_REMEMBERED) {
      this.#leftOut++;
      return;
    }
    const own = detached(uniqueid);
    this.#legs.set(own, null);
    this.#waiting.set(own, driver);
  }

  async #ask(uniqueid: string, driver: Driver): Promise<void> {
    this.#asking++;
    try {
      const questions = QUESTIONS[driver];
      const { sipCallId: callIdName, signallingAddress, signallingTarget, localMedia, remoteMedia } = questions;
      const [sipCallId, signalling, target, local, remote] = await Promise.all(
        [callIdName, signallingAddress, signallingTarget, localMedia, remoteMedia].map(async (name) =>
          this.#value(uniqueid, name),
        ),
      );
      const before = this.#legs.get(uniqueid);
      const isOver = before === undefined;
      const leg: SipLeg = {
        uniqueid,
        sipCallId: sipCallId ?? null,
        signallingAddress: hostOf(signalling) ?? hostOf(targetOf(target)),
        localMedia: mediaOf(local),
        remoteMedia: mediaOf(remote),
        rxSsrc: before?.rxSsrc ?? null,
        txSsrc: before?.txSsrc ?? null,
      };
      if (!isOver) this.#legs.set(uniqueid, leg);
      if (sipCallId !== undefined || !isOver) this.#options.onLeg(leg, this.#options.nowMs());
    } finally {
      this.#asking--;
    }
  }

  /** Undefined also when the channel is gone. */
  async #value(uniqueid: string, name: string | null): Promise<string | undefined> {
    if (name === null) return undefined;
    try {
      return await this.#options.getVariable(uniqueid, name);
    } catch {
      return undefined;
    }
  }

  #noteSsrc({ channel, report }: Extract<PbxEvent, { type: 'rtcp' }>): void {
    const leg = this.#legs.get(channel.uniqueid);
    if (leg === undefined || leg === null) return;
    // A report's sender is one end, its block is about the other end's stream. What the far end says of others is not ours.
    const isOurs = report.reporter === 'local';
    const rxSsrc = (isOurs ? report.block?.sourceSsrc : report.senderSsrc) ?? leg.rxSsrc;
    const txSsrc = (isOurs ? report.senderSsrc : undefined) ?? leg.txSsrc;
    if (rxSsrc === leg.rxSsrc && txSsrc === leg.txSsrc) return;
    const known = { ...leg, rxSsrc, txSsrc };
    this.#legs.set(leg.uniqueid, known);
    this.#options.onLeg(known, this.#options.nowMs());
  }
}

/** Host and port of `sip:alice@192.0.2.1:5060;transport=tcp`; a name is not looked up. */
function targetOf(uri: string | undefined): string | undefined {
  const host = /^<?sips?:(?:[^@>]*@)?(\[[0-9a-f:.]+\]|[\d.]+)(?::(\d+))?/i.exec(uri ?? '');
  return host === null ? undefined : host[1];
}

/** The address alone, of `192.0.2.1:5060` or `192.0.2.1`. */
function hostOf(text: string | undefined): string | null {
  if (text === undefined) return null;
  const host = parseAddressAndPort(text)?.host ?? text;
  return host.replace(/^\[(.*)\]$/, '$1');
}

/** As `wire` writes an address, so that equal ones are equal texts; null for a wildcard, which is nobody's. */
function mediaOf(text: string | undefined): string | null {
  const parsed = text === undefined ? undefined : parseAddressAndPort(text);
  if (parsed === undefined || parsed.host === '0.0.0.0' || parsed.host === '[::]') return null;
  return `${parsed.host}:${parsed.port}`;
}
