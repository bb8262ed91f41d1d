import { setTimeout as sleep } from 'node:timers/promises';
import type { AsteriskInstance } from './asterisk-instance.ts';
import { Baresip } from './baresip.ts';
import { Linphone } from './linphone.ts';
import { type AmiMessage, type AmiClient } from './ami-client.ts';
import { findAnswer, isEvent, waitUntilUp } from './call.ts';
import { CLIENT_SIP_PORT, type LabPlan } from './lab-plan.ts';
import { SipFront } from './sip-front.ts';
import { SippTrunk } from './sipp-trunk.ts';
import { makeSpeech } from './speech.ts';

/** One leg of such a call: the PBX's channel. */
export interface SoftLeg {
  readonly phone: string;
  readonly uniqueid: string;
  /** `PJSIP/betty-00000003` */
  readonly channel: string;
}

export interface SoftCall {
  readonly caller: SoftLeg;
  /** Undefined when an application of the PBX answered. */
  readonly callee: SoftLeg | undefined;
  readonly linkedid: string;
}

const KEY_MS = 350;

/** The phones of a lab that are programs of their own. */
export class SoftPhones {
  readonly #fronts: SipFront[] = [];
  readonly #phones = new Map<string, Baresip>();
  readonly #linphones = new Map<string, Linphone>();
  readonly #trunks = new Map<string, SippTrunk>();
  readonly #ami: AmiClient;

  /** Starts those of the plan; resolves when they are registered. */
  static async start(plan: LabPlan, pbx: AsteriskInstance, farm: AsteriskInstance): Promise<SoftPhones> {
    const phones = new SoftPhones(pbx.ami);
    const planned = plan.phones.filter(({ client }) => client === 'baresip' || client === 'linphone');
    const trunks = plan.phones.filter(({ client }) => client === 'sipp');
    if (planned.length + trunks.length === 0) return phones;
    try {
      const speechPath = await makeSpeech(farm);
      const server = { address: plan.pbxAddress, sipPort: plan.pbxSipPort, inRealTime: plan.inRealTime };
      for (const phone of trunks) phones.#trunks.set(phone.name, new SippTrunk(phone, server, speechPath));
      await Promise.all(
        planned.map(async (phone) => {
          const ports = { phone: phone.sipPort, pbx: CLIENT_SIP_PORT };
          phones.#fronts.push(await SipFront.start(phone, ports, plan.pbxAddress, plan.pbxSipPort));
          const options = { phone, secret: plan.labSecret, speechPath, inRealTime: plan.inRealTime };
          if (phone.client === 'linphone') phones.#linphones.set(phone.name, await Linphone.start(options));
          else phones.#phones.set(phone.name, await Baresip.start(options));
        }),
      );
      return phones;
    } catch (error) {
      await phones.stop();
      throw error;
    }
  }

  private constructor(ami: AmiClient) {
    this.#ami = ami;
  }

  /** Throws when the lab has no such program. */
  phone(name: string): Baresip {
    const phone = this.#phones.get(name);
    if (phone === undefined) throw new Error(`The lab has no program ${name}.`);
    return phone;
  }

  /** Throws when the lab has no Linphone of that name. */
  linphone(name: string): Linphone {
    const phone = this.#linphones.get(name);
    if (phone === undefined) throw new Error(`The lab has no Linphone ${name}.`);
    return phone;
  }

  /** A program dials an extension; resolves when the call is up. Throws when nobody answers. */
  async call(from: string, extension: string): Promise<SoftCall> {
    const since = this.#ami.mark();
    const linphone = this.#linphones.get(from);
    const trunk = this.#trunks.get(from);
    if (linphone !== undefined) linphone.dial(extension);
    else if (trunk !== undefined) trunk.dial(extension);
    else this.phone(from).command('dial', extension);
    const born = await this.#ami.waitFor(
      (event) => event['Event'] === 'Newchannel' && (event['Channel'] ?? '').startsWith(`PJSIP/${from}-`),
      { since, what: `channel of ${from}` },
    );
    const caller = legOf(from, born['Channel'], born['Uniqueid']);
    await waitUntilUp(this.#ami, caller.uniqueid, since);
    const answer: AmiMessage | undefined = await findAnswer(this.#ami, caller.uniqueid, since);
    const channel = answer?.['DestChannel'];
    const callee = channel === undefined ? undefined : legOf(phoneOf(channel), channel, answer?.['DestUniqueid']);
    return { caller, callee, linkedid: born['Linkedid'] ?? '' };
  }

  /** Keys as a person presses them, one after the other. */
  async press({ phone }: SoftLeg, keys: string): Promise<void> {
    for (const key of keys) {
      (this.#linphones.get(phone) ?? this.phone(phone)).press(key);
      await sleep(KEY_MS);
    }
  }

  /** A program hangs up its newest call; resolves when the PBX's channel has ended. */
  async hangUp(leg: SoftLeg): Promise<void> {
    const ended = this.#ami.waitFor((event) => isEvent(event, 'Hangup', leg.uniqueid), {
      since: 0,
      what: `end of ${leg.channel}`,
    });
    const linphone = this.#linphones.get(leg.phone);
    if (linphone === undefined) this.phone(leg.phone).command('hangup');
    else linphone.hangUp();
    await ended;
  }

  async stop(): Promise<void> {
    for (const phone of [...this.#phones.values(), ...this.#linphones.values()]) await phone.stop();
    for (const trunk of this.#trunks.values()) trunk.stop();
    for (const front of this.#fronts) front.close();
  }
}

function legOf(phone: string, channel: string | undefined, uniqueid: string | undefined): SoftLeg {
  return { phone, channel: channel ?? '', uniqueid: uniqueid ?? '' };
}

function phoneOf(channel: string): string {
  return /^PJSIP\/(.+)-[0-9a-f]+$/.exec(channel)?.[1] ?? '';
}
