import { createSocket } from 'node:dgram';
import { type Server, createServer } from 'node:net';

/** A /24 of loopback addresses that one lab has for itself. */
export interface AddressBlock {
  /** The address with this last number, 1-253. */
  address(last: number): string;
  /** `127.77.3.0/24`, as tcpdump takes it. */
  readonly network: string;
  /**
   * Marks a number as this lab's own until `release`, for programs that bind that UDP port at every address, and only when they
   * need it: false when another lab has it.
   */
  hold(port: number): Promise<boolean>;
  release(): Promise<void>;
}

/** A lab listens on this port to mark its block as taken. All labs must use the same port to see each other. */
const LOCK_PORT = 29_999;
const LOCK_LAST = 254;
/** Where a number is marked as taken, by a TCP port of that number. */
const HOLD_ADDRESS = '127.0.0.1';

/** Takes a block that no other lab holds. Throws when none can be had. */
export async function takeAddressBlock(): Promise<AddressBlock> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const prefix = `127.${64 + Math.floor(Math.random() * 128)}.${1 + Math.floor(Math.random() * 250)}`;
    const lock = await listen(`${prefix}.${LOCK_LAST}`, LOCK_PORT);
    if (lock === undefined) continue;
    const locks = [lock];
    return {
      address: (last) => `${prefix}.${last}`,
      network: `${prefix}.0/24`,
      hold: async (port) => {
        const held = await listen(HOLD_ADDRESS, port);
        if (held !== undefined) locks.push(held);
        return held !== undefined;
      },
      release: async () => {
        await Promise.all(locks.map((each) => new Promise((resolve) => each.close(resolve))));
      },
    };
  }
  throw new Error(`No loopback addresses for the lab: something listens on TCP port ${LOCK_PORT} of every address.`);
}

/** Ports that this process has been given, or looks at just now: who asks beside gets another one. */
const given = new Set<string>();

/** The first port at or after `from` that is free for TCP and UDP on an address, and that nobody else here was given. */
export async function freePort(address: string, from: number): Promise<number> {
  for (let port = from; port < from + 1000; port += 1) {
    const place = `${address}:${port}`;
    if (given.has(place)) continue;
    given.add(place);
    if ((await tcpIsFree(address, port)) && (await udpIsFree(address, port))) return port;
    given.delete(place);
  }
  throw new Error(`No free port from ${from} to ${from + 999} on ${address}.`);
}

/** The first even port at or after `from` with `count` free UDP ports in a row on an address. */
export async function freeUdpRange(address: string, from: number, count: number): Promise<number> {
  let start = from;
  for (let port = from; port < start + count; port += 1) {
    if (port > 32_000) throw new Error(`No ${count} free UDP ports in a row on ${address}.`);
    if (!(await udpIsFree(address, port))) start = port + 2 - (port % 2);
  }
  return start;
}

async function tcpIsFree(address: string, port: number): Promise<boolean> {
  const server = await listen(address, port);
  if (server === undefined) return false;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return true;
}

function listen(address: string, port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once('error', () => resolve(undefined));
    server.listen(port, address, () => resolve(server));
  });
}

function udpIsFree(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => {
      socket.close();
      resolve(false);
    });
    socket.bind(port, address, () => socket.close(() => resolve(true)));
  });
}
