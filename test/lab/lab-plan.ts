import { randomBytes } from 'node:crypto';
import { type AddressBlock, freePort, freeUdpRange } from './addresses.ts';
import { CLEAN, type NetworkProfile } from './network-profile.ts';
import type { PortRange, RelayPhone } from './relay-protocol.ts';
import type { Release } from './root-filesystem.ts';

export type LabCodec = 'ulaw' | 'alaw' | 'g722';

export interface PhoneOptions {
  readonly name: string;
  /** Extension; 101, 102, … in order when not given. */
  readonly number?: string;
  /** In order of preference; ulaw when not given. */
  readonly codecs?: readonly LabCodec[];
  /** It sends in the first of its codecs and takes any; the PBX sends to it in the last. False when not given. */
  readonly asymmetric?: boolean;
  /** The network from the phone to the PBX; clean when not given. */
  readonly rx?: Partial<NetworkProfile>;
  /** The network from the PBX to the phone. */
  readonly tx?: Partial<NetworkProfile>;
  /** Two such phones send their audio to each other, past the relay and the PBX; false when not given. */
  readonly directMedia?: boolean;
  /** Its audio is encrypted on the way to the PBX (SRTP, keys in SDP); false when not given. */
  readonly srtp?: boolean;
}

/** Text added to the PBX's own configuration files. */
export interface ExtraText {
  /** Whole sections, after the lab's users. */
  readonly manager?: string;
  /** Lines of `[general]`. */
  readonly rtp?: string;
  /** Lines of `[general]`. */
  readonly cdr?: string;
  /** Lines of context `[from-phones]`, or sections of its own after them. */
  readonly extensions?: string;
  /** Lines of every phone's endpoint in pjsip.conf. */
  readonly endpoints?: string;
  /** More files, by name. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface LabOptions {
  /** Of the PBX; the phones are always a 22. */
  readonly release: Release;
  /** Six phones, alice to frank, when not given. */
  readonly phones?: readonly PhoneOptions[];
  /** RTCP interval of both sides; Asterisk's own default is 5000. */
  readonly rtcpIntervalMs?: number;
  /** The same seed gives each phone the same random impairments. */
  readonly seed?: number;
  /** Privileges of the sidecar's AMI user `mes`. */
  readonly mesRead?: string;
  readonly mesWrite?: string;
  readonly extra?: ExtraText;
  /** Whether its audio runs before all other work of the machine, so that delays are true; the default is yes. */
  readonly inRealTime?: boolean;
  readonly progress?: (line: string) => void;
}

export interface PlannedPhone extends RelayPhone {
  readonly number: string;
  readonly codecs: readonly LabCodec[];
  readonly asymmetric: boolean;
  readonly directMedia: boolean;
  readonly srtp: boolean;
}

/** The addresses, ports and secrets of one lab. */
export interface LabPlan {
  readonly release: Release;
  readonly pbxAddress: string;
  readonly farmAddress: string;
  readonly pbxSipPort: number;
  readonly farmSipPort: number;
  readonly pbxAmiPort: number;
  readonly farmAmiPort: number;
  readonly pbxHttpPort: number;
  readonly farmHttpPort: number;
  readonly agiPort: number;
  readonly pbxPorts: PortRange;
  readonly farmPorts: PortRange;
  readonly phones: readonly PlannedPhone[];
  readonly rtcpIntervalMs: number;
  readonly seed: number;
  readonly mesSecret: string;
  readonly labSecret: string;
  readonly mesRead: string;
  readonly mesWrite: string;
  readonly extra: ExtraText;
  readonly inRealTime: boolean;
}

/** RTP ports of each side: 50 calls' worth of legs. */
const PORTS_PER_SIDE = 100;

const USUAL_PHONES: readonly PhoneOptions[] = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'].map((name) => ({
  name,
}));

/** Finds free addresses and ports for a lab. Throws when there are none. */
export async function planLab(options: LabOptions, block: AddressBlock): Promise<LabPlan> {
  const pbxAddress = block.address(1);
  const farmAddress = block.address(2);
  const phones = (options.phones ?? USUAL_PHONES).map((phone, index) => ({
    name: phone.name,
    number: phone.number ?? String(101 + index),
    codecs: phone.codecs ?? (['ulaw'] as const),
    asymmetric: phone.asymmetric ?? false,
    directMedia: phone.directMedia ?? false,
    srtp: phone.srtp ?? false,
    phoneFront: block.address(100 + index),
    pbxFront: block.address(150 + index),
    rx: { ...CLEAN, ...phone.rx },
    tx: { ...CLEAN, ...phone.tx },
  }));
  if (phones.length > 50) throw new Error('A lab has at most 50 phones.');
  return {
    release: options.release,
    pbxAddress,
    farmAddress,
    phones,
    pbxSipPort: await freePort(pbxAddress, 15_060),
    farmSipPort: await freePort(farmAddress, 15_060),
    pbxAmiPort: await freePort(pbxAddress, 15_038),
    farmAmiPort: await freePort(farmAddress, 15_038),
    pbxHttpPort: await freePort(pbxAddress, 18_088),
    farmHttpPort: await freePort(farmAddress, 18_088),
    agiPort: await freePort(pbxAddress, 14_573),
    // Below the ephemeral ports, and in separate ranges, so that a captured packet shows its side.
    pbxPorts: { start: await freeUdpRange(pbxAddress, 20_000, PORTS_PER_SIDE), count: PORTS_PER_SIDE },
    farmPorts: { start: await freeUdpRange(farmAddress, 25_000, PORTS_PER_SIDE), count: PORTS_PER_SIDE },
    rtcpIntervalMs: options.rtcpIntervalMs ?? 1000,
    seed: options.seed ?? 1,
    mesSecret: randomBytes(12).toString('hex'),
    labSecret: randomBytes(12).toString('hex'),
    mesRead: options.mesRead ?? 'call,reporting',
    mesWrite: options.mesWrite ?? 'call',
    extra: options.extra ?? {},
    inRealTime: options.inRealTime ?? true,
  };
}
