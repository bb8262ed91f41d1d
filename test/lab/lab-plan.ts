import { randomBytes } from 'node:crypto';
import { type AddressBlock, freePort, freeUdpRange } from './addresses.ts';
import { CLEAN, type NetworkProfile } from './network-profile.ts';
import type { PortRange, RelayPhone } from './relay-protocol.ts';
import type { Release } from './root-filesystem.ts';

export type LabCodec = 'ulaw' | 'alaw' | 'g722' | 'opus';

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
  /** A program of its own in place of a channel of the phones' Asterisk. */
  readonly client?: SoftClient;
  /** Of Linphone: it sends what it heard to the plan's collector (RFC 6035); false when not given. */
  readonly reportsItself?: boolean;
  /** Of a program of its own: how its audio is encrypted; not at all when not given. */
  readonly encryption?: 'sdes' | 'dtls';
  /** Lines of its endpoint in the PBX's pjsip.conf. */
  readonly endpoint?: string;
}

/** Programs that nobody here wrote: Debian's `baresip-core`, `linphone-cli`, and `sip-tester` as a trunk that echoes audio and sends no RTCP. */
export type SoftClient = 'baresip' | 'linphone' | 'sipp';

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
  readonly client: SoftClient | null;
  /** Of a program of its own: where it listens for SIP. */
  readonly sipAddress: string;
  readonly sipPort: number;
  readonly encryption: 'sdes' | 'dtls' | null;
  /** Where it sends its own reports, `host:port`; null when it sends none. */
  readonly collector: string | null;
  readonly endpoint: string;
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
  /** Of the PBX's address: where a sidecar is to take phones' own reports. */
  readonly collectorPort: number;
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

/** Where programs of their own listen for SIP, each on an address of its own, and where the PBX seems to. */
export const CLIENT_SIP_PORT = 15_060;

/** RTP ports of each side: 50 calls' worth of legs. */
const PORTS_PER_SIDE = 100;
/** baresip binds RTP at every address, so that its packets come from here, and its ports are nobody else's. */
const WILDCARD_SOURCE = '127.0.0.1';
const CLIENT_PORTS = { from: 26_000, to: 31_900 };
const CLIENT_FRONT_PORT = 25_000;
/** Of a program of its own: two calls, and as many again while the ports of the last ones are still closing. */
const PORTS_PER_CLIENT = 16;

const USUAL_PHONES: readonly PhoneOptions[] = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'].map((name) => ({
  name,
}));

const CLIENT_SLOTS = Math.floor((CLIENT_PORTS.to - CLIENT_PORTS.from) / PORTS_PER_CLIENT);
let nextClientSlot = Math.floor(Math.random() * CLIENT_SLOTS);

/** Ports that no other program has, nor a program of another lab that will bind them later. */
async function clientPorts(block: AddressBlock): Promise<PortRange> {
  for (let attempt = 0; attempt < CLIENT_SLOTS; attempt += 1) {
    const start = CLIENT_PORTS.from + PORTS_PER_CLIENT * nextClientSlot;
    nextClientSlot = (nextClientSlot + 1) % CLIENT_SLOTS;
    const isFree = (await freeUdpRange('0.0.0.0', start, PORTS_PER_CLIENT)) === start;
    if (isFree && (await block.hold(start))) return { start, count: PORTS_PER_CLIENT };
  }
  throw new Error('No free UDP ports for the programs that are phones.');
}

async function mediaOf(
  client: SoftClient | undefined,
  own: string,
  farm: Pick<PlannedPhone, 'address' | 'ports'>,
  block: AddressBlock,
): Promise<Pick<PlannedPhone, 'address' | 'ports' | 'frontPort'>> {
  if (client === undefined) return farm;
  if (client === 'sipp') return { address: own, ports: { start: CLIENT_FRONT_PORT, count: PORTS_PER_CLIENT } };
  return { address: WILDCARD_SOURCE, ports: await clientPorts(block), frontPort: CLIENT_FRONT_PORT };
}

/** Finds free addresses and ports for a lab. Throws when there are none. */
export async function planLab(options: LabOptions, block: AddressBlock): Promise<LabPlan> {
  const pbxAddress = block.address(1);
  const farmAddress = block.address(2);
  // Below the ephemeral ports, and in separate ranges, so that a captured packet shows its side.
  const pbxPorts = { start: await freeUdpRange(pbxAddress, 20_000, PORTS_PER_SIDE), count: PORTS_PER_SIDE };
  const farmPorts = { start: await freeUdpRange(farmAddress, 25_000, PORTS_PER_SIDE), count: PORTS_PER_SIDE };
  const collectorPort = await freePort(pbxAddress, 15_063);
  const planned = (options.phones ?? USUAL_PHONES).map(async (phone, index) => ({
    name: phone.name,
    number: phone.number ?? String(101 + index),
    codecs: phone.codecs ?? (['ulaw'] as const),
    asymmetric: phone.asymmetric ?? false,
    directMedia: phone.directMedia ?? false,
    srtp: phone.srtp ?? false,
    client: phone.client ?? null,
    encryption: phone.encryption ?? null,
    endpoint: phone.endpoint ?? '',
    collector: phone.reportsItself === true ? `${pbxAddress}:${collectorPort}` : null,
    // Linphone binds SIP at every address, too.
    sipAddress: phone.client === 'linphone' ? WILDCARD_SOURCE : block.address(200 + index),
    sipPort: phone.client === 'linphone' ? (await clientPorts(block)).start : CLIENT_SIP_PORT,
    ...(await mediaOf(phone.client, block.address(200 + index), { address: farmAddress, ports: farmPorts }, block)),
    phoneFront: block.address(100 + index),
    pbxFront: block.address(150 + index),
    rx: { ...CLEAN, ...phone.rx },
    tx: { ...CLEAN, ...phone.tx },
  }));
  const phones = await Promise.all(planned);
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
    collectorPort,
    pbxPorts,
    farmPorts,
    rtcpIntervalMs: options.rtcpIntervalMs ?? 1000,
    seed: options.seed ?? 1,
    mesSecret: randomBytes(12).toString('hex'),
    labSecret: randomBytes(12).toString('hex'),
    mesRead: options.mesRead ?? 'call,reporting,dtmf',
    mesWrite: options.mesWrite ?? 'call',
    extra: options.extra ?? {},
    inRealTime: options.inRealTime ?? true,
  };
}
