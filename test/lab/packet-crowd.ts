/**
 * `node packet-crowd.ts FIRST_PORT SECONDS`: a stranger who sends to the RTP ports of this machine what costs a capture most: half
 * of it RTP of streams that nobody has, a new one with each packet, half RTCP about streams that nobody has. It ends by itself,
 * and prints how many packets it sent.
 */
import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';

const [firstPort = 0, seconds = 1] = process.argv.slice(2).map(Number);
const PORTS = 50;
const PACKETS_PER_S = 20_000;
const ROUND_MS = 5;

function rtp(n: number): Buffer {
  const packet = Buffer.alloc(172);
  packet.writeUInt16BE(0x8000, 0);
  packet.writeUInt32BE((n * 2_654_435_761) % 2 ** 32, 8);
  return packet;
}

/** An SR with one block, of RFC 3550. */
function rtcp(n: number): Buffer {
  const packet = Buffer.alloc(52);
  packet.writeUInt32BE(0x81c8_000c, 0);
  packet.writeUInt32BE((n * 2_654_435_761) % 2 ** 32, 4);
  packet.writeUInt32BE((n * 40_503) % 2 ** 32, 28);
  return packet;
}

const socket = createSocket('udp4');
socket.on('error', () => {});
let sent = 0;
const startedAtMs = performance.now();
while (performance.now() - startedAtMs < seconds * 1000) {
  const due = ((performance.now() - startedAtMs) * PACKETS_PER_S) / 1000;
  for (; sent < due; sent++) {
    const port = firstPort + (sent % PORTS) * 2;
    if (sent % 2 === 0) socket.send(rtp(sent), port, '127.0.0.1');
    else socket.send(rtcp(sent), port + 1, '127.0.0.1');
  }
  await sleep(ROUND_MS);
}
socket.close();
process.stdout.write(`${sent}\n`);
