/** The relay's own thread: UDP in, the network model, UDP out. It keeps port numbers, so it needs no call state. */
import { type Socket, createSocket } from 'node:dgram';
import { parentPort, workerData } from 'node:worker_threads';
import type { Direction } from '../../src/model/report.ts';
import { DepartureQueue, epochMs } from './departures.ts';
import {
  type NetworkProfile,
  type NetworkState,
  type PacketKind,
  decideFate,
  newNetworkState,
  seedFor,
} from './network-profile.ts';
import { ownThreadId, runInRealTime } from './real-time.ts';
import {
  PACKET_LOG_LIMIT,
  type PortRange,
  type RelayAnswer,
  type RelayPhone,
  type RelayPlan,
  type RelayRequest,
  type RelayTruth,
  type RelayedPacket,
} from './relay-protocol.ts';

interface Way {
  readonly direction: Direction;
  profile: NetworkProfile;
  readonly lanes: Readonly<Record<PacketKind, Lane>>;
}

interface Lane {
  readonly state: NetworkState;
  seen: number;
  passed: number;
  lost: number;
  blocked: number;
  duplicated: number;
  packets: RelayedPacket[];
}

interface PhoneSockets {
  readonly ways: Readonly<Record<Direction, Way>>;
  /** By the phone's port: stands in for the phone. */
  readonly phoneFront: Map<number, Socket>;
  /** By the PBX's port: stands in for the PBX. */
  readonly pbxFront: Map<number, Socket>;
}

interface Departure {
  readonly packet: RelayedPacket;
  readonly payload: Buffer;
  readonly from: Socket;
  readonly port: number;
  readonly address: string;
}

const plan = workerData as RelayPlan;
const phones = new Map<string, PhoneSockets>();

const departures = new DepartureQueue<Departure>(({ packet, payload, from, port, address }) => {
  from.send(payload, port, address);
  packet.sentMs ??= epochMs();
});

function newLane(name: string): Lane {
  const state = newNetworkState(seedFor(plan.seed, name));
  return { state, seen: 0, passed: 0, lost: 0, blocked: 0, duplicated: 0, packets: [] };
}

function newWay(phone: RelayPhone, direction: Direction): Way {
  const name = `${phone.name} ${direction}`;
  return {
    direction,
    profile: phone[direction],
    lanes: { rtp: newLane(`${name} rtp`), rtcp: newLane(`${name} rtcp`) },
  };
}

/** RTP has the even port of a session, RTCP the odd one after it. */
function relay(
  way: Way,
  payload: Buffer,
  { address: phoneAddress, ...ports }: { address: string; phone: number; pbx: number },
  from: Socket | undefined,
): void {
  const arrivalMs = epochMs();
  if (from === undefined || payload.length < 8) return;
  const kind: PacketKind = ports.pbx % 2 === 0 ? 'rtp' : 'rtcp';
  const lane = way.lanes[kind];
  const fate = decideFate(way.profile, lane.state, kind, arrivalMs);
  const isRtp = kind === 'rtp' && payload.length >= 12;
  const packet: RelayedPacket = {
    arrivalMs,
    sentMs: null,
    outcome: fate.outcome,
    copies: fate.departuresMs.length,
    dueMs: fate.departuresMs[0] ?? null,
    sequence: isRtp ? payload.readUInt16BE(2) : null,
    rtpTimestamp: isRtp ? payload.readUInt32BE(4) : null,
    ssrc: payload.readUInt32BE(isRtp ? 8 : 4),
    payloadType: isRtp ? payload.readUInt8(1) & 0x7f : payload.readUInt8(1),
    pbxPort: kind === 'rtp' ? ports.pbx : ports.pbx - 1,
  };
  lane.seen += 1;
  lane[fate.outcome] += 1;
  if (fate.departuresMs.length > 1) lane.duplicated += 1;
  lane.packets.push(packet);
  if (lane.packets.length > PACKET_LOG_LIMIT * 1.2) lane.packets = lane.packets.slice(-PACKET_LOG_LIMIT);
  const [port, address] = way.direction === 'tx' ? [ports.phone, phoneAddress] : [ports.pbx, plan.pbxAddress];
  for (const dueMs of fate.departuresMs) departures.add(dueMs, { packet, payload, from, port, address });
}

function bindPort(address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    // Every address here is a number already; Node would otherwise look each one up.
    const socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) });
    socket.once('error', reject);
    socket.bind(port, address, () => {
      socket.off('error', reject);
      // A phone that hung up answers with "port unreachable"; that is not an error of the relay.
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

async function bindRange(address: string, range: PortRange): Promise<Map<number, Socket>> {
  const ports = Array.from({ length: range.count }, (_, index) => range.start + index);
  return new Map(await Promise.all(ports.map(async (port) => [port, await bindPort(address, port)] as const)));
}

async function startPhone(phone: RelayPhone): Promise<void> {
  const { address, ports, frontPort = ports.start } = phone;
  // A program that binds its ports at every address leaves none of that number for the relay.
  const shift = frontPort - ports.start;
  const sockets: PhoneSockets = {
    ways: { rx: newWay(phone, 'rx'), tx: newWay(phone, 'tx') },
    phoneFront: await bindRange(phone.phoneFront, { ...ports, start: frontPort }),
    pbxFront: await bindRange(phone.pbxFront, plan.pbxPorts),
  };
  for (const [port, socket] of sockets.phoneFront) {
    const phonePort = port - shift;
    socket.on('message', (payload, source) => {
      if (source.address !== plan.pbxAddress) return;
      relay(
        sockets.ways.tx,
        payload,
        { address, phone: phonePort, pbx: source.port },
        sockets.pbxFront.get(source.port),
      );
    });
  }
  for (const [pbxPort, socket] of sockets.pbxFront) {
    socket.on('message', (payload, source) => {
      if (source.address !== address) return;
      relay(
        sockets.ways.rx,
        payload,
        { address, phone: source.port, pbx: pbxPort },
        sockets.phoneFront.get(source.port + shift),
      );
    });
  }
  phones.set(phone.name, sockets);
}

function truthOf(lane: Lane): RelayTruth {
  const { seen, passed, lost, blocked, duplicated } = lane;
  return { seen, passed, lost, blocked, duplicated, packets: lane.packets.slice(-PACKET_LOG_LIMIT) };
}

function answer(message: RelayAnswer): void {
  parentPort?.postMessage(message, []);
}

parentPort?.on('message', (request: RelayRequest) => {
  const way = phones.get(request.phone)?.ways[request.direction];
  if (way === undefined) return;
  if (request.type === 'profile') {
    way.profile = request.profile;
    answer({ type: 'done', id: request.id });
  } else answer({ type: 'done', id: request.id, truth: truthOf(way.lanes[request.kind]) });
});

try {
  if (plan.inRealTime) await runInRealTime({ threadId: ownThreadId() }, 'network');
  for (const phone of plan.phones) await startPhone(phone);
  answer({ type: 'ready' });
} catch (error) {
  answer({ type: 'failed', reason: error instanceof Error ? error.message : String(error) });
}
