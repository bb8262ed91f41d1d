import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AddressBlock, freePort, takeAddressBlock } from './addresses.ts';
import type { AmiMessage } from './ami-client.ts';
import { AsteriskInstance } from './asterisk-instance.ts';
import {
  type LabCall,
  type Leg,
  type Side,
  callIdOf,
  findAnswer,
  findByCallId,
  isEvent,
  orRefusal,
  waitUntilUp,
} from './call.ts';
import { type PhoneMode, farmConfig } from './farm-config.ts';
import { HoldControl } from './hold.ts';
import { type LabCodec, type LabOptions, type LabPlan, type PlannedPhone, planLab } from './lab-plan.ts';
import { RUN_HOME, sweepOrphans } from './paths.ts';
import { pbxConfig, transferableNumber } from './pbx-config.ts';
import { type AmiRecorder, type Recorder, capture, recordAmi } from './recorders.ts';
import { Relay } from './relay.ts';
import { SoftPhones } from './soft-phones.ts';
import { type Release, ensureRootFilesystem } from './root-filesystem.ts';

/** How to reach the PBX under test. */
export interface LabPbx {
  readonly release: Release;
  /** `22.10.1+dfsg+…` */
  readonly version: string;
  readonly host: string;
  readonly amiPort: number;
  /** The sidecar's AMI user. */
  readonly amiUser: string;
  readonly amiSecret: string;
  /** `http://host:port/ari` */
  readonly ariUrl: string;
  readonly ariUser: string;
  readonly ariPassword: string;
  /** Where the dialplan's hangup handler looks for the sidecar: on `host`. */
  readonly agiPort: number;
  /** On the host: `etc`, `lib`, `log`, … of this PBX. */
  readonly runDirectory: string;
}

interface LabParts {
  readonly pbx: AsteriskInstance;
  readonly farm: AsteriskInstance;
  readonly relay: Relay;
  readonly soft: SoftPhones;
}

/** Starts a PBX, phones and the network between them, on addresses of their own. Throws one plain sentence. */
export async function startLab(options: LabOptions): Promise<Lab> {
  const progress = options.progress === undefined ? {} : { progress: options.progress };
  const pbxRoot = await ensureRootFilesystem(options.release, progress);
  const farmRoot = await ensureRootFilesystem('22', progress);
  sweepOrphans(RUN_HOME);
  const block = await takeAddressBlock();
  const running: Promise<{ stop(): Promise<void> }>[] = [];
  try {
    const plan = await planLab(options, block);
    const user = { user: 'lab', secret: plan.labSecret };
    const pbx = AsteriskInstance.start({
      name: `pbx-${options.release}`,
      rootFilesystem: pbxRoot,
      files: pbxConfig(plan, pbxRoot.modulesDirectory),
      ami: { ...user, host: plan.pbxAddress, port: plan.pbxAmiPort },
      inRealTime: plan.inRealTime,
    });
    const farm = AsteriskInstance.start({
      name: 'farm',
      rootFilesystem: farmRoot,
      files: farmConfig(plan, farmRoot.modulesDirectory),
      ami: { ...user, host: plan.farmAddress, port: plan.farmAmiPort },
      inRealTime: plan.inRealTime,
    });
    const relay = Relay.start(plan);
    running.push(pbx, farm, relay);
    await relay;
    const soft = SoftPhones.start(plan, await pbx, await farm);
    running.push(soft);
    const parts = { pbx: await pbx, farm: await farm, relay: await relay, soft: await soft };
    return new Lab(plan, block, parts, pbxRoot.asteriskVersion);
  } catch (error) {
    for (const part of await Promise.allSettled(running)) if (part.status === 'fulfilled') await part.value.stop();
    await block.release();
    throw error;
  }
}

/** A running lab. */
export class Lab {
  readonly pbx: LabPbx;
  readonly plan: LabPlan;
  readonly relay: Relay;
  /** For tests that kill or restart it. */
  readonly pbxInstance: AsteriskInstance;
  readonly farmInstance: AsteriskInstance;
  /** Phones that are programs of their own. */
  readonly soft: SoftPhones;
  readonly #block: AddressBlock;
  readonly #recorders: Recorder[] = [];
  #hold: Promise<HoldControl> | undefined;
  #stopped: Promise<void> | undefined;
  #serial = 0;

  constructor(plan: LabPlan, block: AddressBlock, parts: LabParts, version: string) {
    this.plan = plan;
    this.relay = parts.relay;
    this.pbxInstance = parts.pbx;
    this.farmInstance = parts.farm;
    this.soft = parts.soft;
    this.#block = block;
    this.pbx = {
      release: plan.release,
      version,
      host: plan.pbxAddress,
      amiPort: plan.pbxAmiPort,
      amiUser: 'mes',
      amiSecret: plan.mesSecret,
      ariUrl: `http://${plan.pbxAddress}:${plan.pbxHttpPort}/ari`,
      ariUser: 'mes',
      ariPassword: plan.mesSecret,
      agiPort: plan.agiPort,
      runDirectory: parts.pbx.runDirectory,
    };
  }

  /** A TCP port of the PBX's own address that is free now, for a sidecar's REST. */
  freePort(): Promise<number> {
    return freePort(this.pbx.host, 18_200 + Math.floor(Math.random() * 1000));
  }

  /** An action at the PBX by a user who may do everything. Throws when Asterisk refuses it. */
  pbxAction(fields: Readonly<Record<string, string>>): Promise<AmiMessage> {
    return this.pbxInstance.ami.action(fields);
  }

  /** An action at the phones' Asterisk. */
  farmAction(fields: Readonly<Record<string, string>>): Promise<AmiMessage> {
    return this.farmInstance.ami.action(fields);
  }

  /** The next event of the PBX that fits, whatever its class. Throws when none comes in time. */
  pbxEvent(predicate: (event: AmiMessage) => boolean, timeoutMs = 10_000): Promise<AmiMessage> {
    return this.pbxInstance.ami.waitFor(predicate, { timeoutMs });
  }

  /** Sets how a phone behaves when it is called from now on; the default is `speech`. */
  async setPhone(phone: string, mode: PhoneMode): Promise<void> {
    this.#phone(phone);
    await this.farmAction({ Action: 'Setvar', Variable: `MODE_${phone}`, Value: mode });
  }

  /**
   * A phone dials another one by name, or any extension of the PBX; resolves when the call is up.
   *
   * `transferable` dials with transfers by DTMF allowed, which also keeps Asterisk from bridging natively.
   * `silent` is a caller who sends no RTP. `seconds`: the caller hangs up after that long. Throws when nobody answers.
   */
  async call(
    from: string,
    to: string,
    options: { readonly seconds?: number; readonly transferable?: boolean; readonly silent?: boolean } = {},
  ): Promise<LabCall> {
    const { ami } = this.pbxInstance;
    const farm = this.farmInstance.ami;
    const since = ami.mark();
    const farmSince = farm.mark();
    this.#serial += 1;
    // Ids of equal length: Asterisk refuses an id that is the beginning of another channel's id.
    const farmUniqueid = `lab-call-${String(this.#serial).padStart(6, '0')}`;
    await this.farmAction({
      Action: 'Originate',
      Channel: `PJSIP/${this.#phone(from).name}/sip:${this.#extension(to, options.transferable)}@${this.pbx.host}:${this.plan.pbxSipPort}`,
      Context: 'talk',
      Exten: options.silent === true ? 'silent' : 'speech',
      Priority: '1',
      ChannelId: farmUniqueid,
      Async: 'true',
    });
    const { caller, callee, linkedid } = await orRefusal(farm, farmUniqueid, async () => {
      const born = await farm.waitFor((event) => isEvent(event, 'Newchannel', farmUniqueid), {
        since: farmSince,
        what: `channel of ${from}'s own Asterisk`,
      });
      const farmChannel = born['Channel'] ?? '';
      const found = await findByCallId(ami, from, await callIdOf(farm, farmChannel), since);
      const uniqueid = found['Uniqueid'] ?? '';
      await waitUntilUp(ami, uniqueid, since);
      const answer = await findAnswer(ami, uniqueid, since);
      return {
        caller: { phone: from, uniqueid, channel: found['Channel'] ?? '', farmChannel, farmUniqueid },
        callee: answer && (await this.leg(answer['DestChannel'] ?? '', answer['DestUniqueid'] ?? '')),
        linkedid: found['Linkedid'] ?? '',
      };
    });
    const sideOf = (side: Side): Leg => {
      const leg = side === 'caller' ? caller : callee;
      if (leg === undefined) throw new Error(`No phone is the ${side} of this call.`);
      return leg;
    };
    const hangup = (side: Side): Promise<void> => this.hangUp(sideOf(side));
    if (options.seconds !== undefined) {
      void sleep(options.seconds * 1000, undefined, { ref: false })
        .then(() => hangup('caller'))
        .catch(() => undefined);
    }
    return {
      caller,
      callee,
      linkedid,
      hangup,
      hold: (side) => this.#holdLeg(sideOf(side)),
      unhold: async (side) => (await this.#holdControl()).unhold(sideOf(side).farmUniqueid),
      changeCodec: (side, codec) => this.#changeCodec(sideOf(side), codec),
    };
  }

  /** Completes a PBX channel with the phone's own channel at the other end of it. */
  async leg(channel: string, uniqueid: string): Promise<Leg> {
    const phone = /^PJSIP\/(.+)-[0-9a-f]+$/.exec(channel)?.[1] ?? '';
    const callId = await callIdOf(this.pbxInstance.ami, channel);
    const own = await findByCallId(this.farmInstance.ami, phone, callId, 0);
    const farmUniqueid = own['Uniqueid'] ?? '';
    return { phone, uniqueid, channel, farmChannel: own['Channel'] ?? '', farmUniqueid };
  }

  /** A phone hangs up; resolves when the PBX's channel of it has ended. */
  async hangUp(leg: Leg): Promise<void> {
    const { ami } = this.pbxInstance;
    const ended = ami.waitFor((event) => isEvent(event, 'Hangup', leg.uniqueid), {
      since: 0,
      what: `end of ${leg.channel}`,
    });
    await Promise.all([ended, this.farmAction({ Action: 'Hangup', Channel: leg.farmChannel, Cause: '16' })]);
  }

  /** A phone sends the other party of its call to an extension, with REFER (a blind transfer). */
  async transfer(by: Leg, to: string): Promise<void> {
    await this.#refer(by, `<sip:${this.#extension(to)}@${this.pbx.host}:${this.plan.pbxSipPort}>`);
  }

  /** A phone with two calls joins the other parties of both, with REFER and Replaces (an attended transfer). */
  async attendedTransfer(by: Leg, consultation: Leg): Promise<void> {
    const read = async (variable: string): Promise<string> => {
      const answer = await this.farmAction({
        Action: 'Getvar',
        Channel: consultation.farmChannel,
        Variable: `CHANNEL(pjsip,${variable})`,
      });
      return answer['Value'] ?? '';
    };
    const [callId, localTag, remoteTag] = await Promise.all(['call-id', 'local_tag', 'remote_tag'].map(read));
    const replaces = encodeURIComponent(`${callId};to-tag=${remoteTag};from-tag=${localTag}`);
    await this.#refer(by, `<sip:s@${this.pbx.host}:${this.plan.pbxSipPort}?Replaces=${replaces}>`);
  }

  /** Records the raw events of the sidecar's AMI user (or of the all-powerful one) into the run directory. */
  async amiTap(name = 'ami.txt', user: 'mes' | 'lab' = 'mes'): Promise<AmiRecorder> {
    const secret = user === 'mes' ? this.plan.mesSecret : this.plan.labSecret;
    const address = { host: this.pbx.host, port: this.pbx.amiPort, user, secret };
    return this.#keep(await recordAmi(address, join(this.pbx.runDirectory, name)));
  }

  /** Captures this lab's UDP packets (`filter` as tcpdump takes it) into a pcap file in the run directory. */
  async capture(name = 'lab.pcap', filter = 'udp'): Promise<Recorder> {
    return this.#keep(await capture(this.#block.network, join(this.pbx.runDirectory, name), filter));
  }

  /** Ends everything: no process, mount, socket or directory is left. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    (await this.#hold?.catch(() => undefined))?.close();
    await Promise.all(this.#recorders.map((recorder) => recorder.stop()));
    await this.soft.stop();
    await Promise.all([this.pbxInstance.stop(), this.farmInstance.stop(), this.relay.stop()]);
    await this.#block.release();
  }

  #keep<R extends Recorder>(recorder: R): R {
    this.#recorders.push(recorder);
    return recorder;
  }

  #phone(name: string): PlannedPhone {
    const phone = this.plan.phones.find((candidate) => candidate.name === name);
    if (phone === undefined) throw new Error(`The lab has no phone ${name}.`);
    return phone;
  }

  #extension(to: string, isTransferable = false): string {
    const phone = this.plan.phones.find((candidate) => candidate.name === to);
    if (phone === undefined) return to;
    return isTransferable ? transferableNumber(phone) : phone.number;
  }

  async #changeCodec({ farmChannel }: Leg, codec: LabCodec): Promise<void> {
    const set = { Action: 'Setvar', Channel: farmChannel };
    await this.farmAction({ ...set, Variable: 'PJSIP_MEDIA_OFFER(audio)', Value: `!all,${codec}` });
    await this.farmAction({ ...set, Variable: 'PJSIP_SEND_SESSION_REFRESH()', Value: 'invite' });
  }

  async #refer({ farmChannel }: Leg, target: string): Promise<void> {
    await this.farmAction({ Action: 'Setvar', Channel: farmChannel, Variable: 'TRANSFER_TO', Value: target });
    const place = { Context: 'talk', Exten: 'transfer', Priority: '1' };
    await this.farmAction({ Action: 'Redirect', Channel: farmChannel, ...place });
  }

  #holdControl(): Promise<HoldControl> {
    this.#hold ??= HoldControl.open(this.plan.farmAddress, this.plan.farmHttpPort, this.plan.labSecret);
    return this.#hold;
  }

  async #holdLeg(leg: Leg): Promise<void> {
    const control = await this.#holdControl();
    const place = { Context: 'talk', Exten: 'hold', Priority: '1' };
    await this.farmAction({ Action: 'Redirect', Channel: leg.farmChannel, ...place });
    await control.hold(leg.farmUniqueid);
  }
}
