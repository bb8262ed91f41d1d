import type { PbxEvent } from '../../model/event.ts';
import type { SipLeg } from '../../model/phones/phone-report.ts';
import { mediaEnd } from '../../wire/ip-address.ts';
import { hostOf, hostOfUri } from '../../wire/sip/addresses.ts';
import { AskedOnce, type SipDriver } from './asked-once.ts';

/** What Asterisk is asked about a leg, by channel driver. */
const QUESTIONS = {
  PJSIP: {
    sipCallId: 'CHANNEL(pjsip,call-id)',
    signallingAddress: 'CHANNEL(pjsip,remote_addr)',
    // On a leg that Asterisk called, remote_addr is empty (22.10.1, 16.28).
    signallingTarget: 'CHANNEL(pjsip,target_uri)',
    localMedia: 'CHANNEL(rtp,src)',
    remoteMedia: 'CHANNEL(rtp,dest)',
  },
  // chan_sip has the address of the peer's requests without a port, and only the far end of RTP.
  SIP: {
    sipCallId: 'SIPCALLID',
    signallingAddress: 'CHANNEL(recvip)',
    signallingTarget: null,
    localMedia: null,
    remoteMedia: 'CHANNEL(rtpdest)',
  },
} as const;

export interface LegQuestionsOptions {
  /** Undefined: Asterisk has no value. Rejects without an answer. */
  readonly getVariable: (uniqueid: string, name: string) => Promise<string | undefined>;
  readonly isConnected: () => boolean;
  /** Called with a leg whenever more is known of it. */
  readonly onLeg: (leg: SipLeg, atMs: number) => void;
  readonly nowMs: () => number;
}

/** Asks Asterisk once which SIP dialog and which addresses each channel has, and reads its SSRCs in RTCP. Never waits, never throws. */
export class LegQuestions {
  readonly #options: LegQuestionsOptions;
  readonly #once: AskedOnce;
  /** Live legs by Uniqueid. */
  readonly #legs = new Map<string, SipLeg>();

  constructor(options: LegQuestionsOptions) {
    this.#options = options;
    this.#once = new AskedOnce({
      isConnected: options.isConnected,
      ask: async (uniqueid, driver) => this.#ask(uniqueid, driver),
      onForgotten: (uniqueid) => this.#legs.delete(uniqueid),
    });
  }

  get counters(): { readonly legs: number; readonly legsLeftOut: number } {
    return { legs: this.#legs.size, legsLeftOut: this.#once.leftOut };
  }

  take(event: PbxEvent): void {
    this.#once.take(event);
    if (event.type === 'rtcp') this.#noteSsrc(event);
  }

  /** Call it several times a second. */
  tick(): void {
    this.#once.tick();
  }

  async #ask(uniqueid: string, driver: SipDriver): Promise<void> {
    const { sipCallId: callIdName, signallingAddress, signallingTarget, localMedia, remoteMedia } = QUESTIONS[driver];
    const [sipCallId, signalling, target, local, remote] = await Promise.all(
      [callIdName, signallingAddress, signallingTarget, localMedia, remoteMedia].map(async (name) =>
        this.#value(uniqueid, name),
      ),
    );
    const leg: SipLeg = {
      uniqueid,
      sipCallId: sipCallId ?? null,
      signallingAddress: hostOf(signalling) ?? hostOfUri(target),
      localMedia: mediaEnd(local),
      remoteMedia: mediaEnd(remote),
      rxSsrc: null,
      txSsrc: null,
    };
    const isUp = this.#once.has(uniqueid);
    if (isUp) this.#legs.set(uniqueid, leg);
    if (isUp || sipCallId !== undefined) this.#options.onLeg(leg, this.#options.nowMs());
  }

  /** Asks for one value. Undefined: there is none, or the channel is gone. */
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
    if (leg === undefined) return;
    // The sender of a report is one end; its block is about the stream of the other. Blocks about third parties do not count.
    const isOurs = report.reporter === 'local';
    const rxSsrc = (isOurs ? report.block?.sourceSsrc : report.senderSsrc) ?? leg.rxSsrc;
    const txSsrc = (isOurs ? report.senderSsrc : undefined) ?? leg.txSsrc;
    if (rxSsrc === leg.rxSsrc && txSsrc === leg.txSsrc) return;
    const known = { ...leg, rxSsrc, txSsrc };
    this.#legs.set(leg.uniqueid, known);
    this.#options.onLeg(known, this.#options.nowMs());
  }
}
