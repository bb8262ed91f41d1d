/**
 * Sends RTP over loopback as a process of its own: `rtp-sender.ts SINK_PORT FIRST_PORT PACKETS_PER_S SECONDS`. 20 ms packets of
 * G.711, each stream 50 times a second. Prints how many it sent.
 */
import { type Socket, createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';

const SOCKETS = 20;
const PACKET_BYTES = 172;
const PACKETS_PER_STREAM_AND_S = 50;

const [sinkPort = 0, firstPort = 0, packetsPerS = 0, seconds = 0] = process.argv.slice(2).map(Number);
const streams = packetsPerS / PACKETS_PER_STREAM_AND_S;

async function open(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  socket.connect(sinkPort, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

const sockets = await Promise.all(Array.from({ length: SOCKETS }, (_, index) => open(firstPort + index)));
const startMs = performance.now();
const packets = packetsPerS * seconds;
let sent = 0;
while (sent < packets) {
  const due = Math.min(packets, Math.floor(((performance.now() - startMs) * packetsPerS) / 1000));
  for (; sent < due; sent += 1) {
    const stream = sent % streams;
    const index = Math.floor(sent / streams);
    // A new one each time: it is on its way until the kernel has it.
    const packet = Buffer.alloc(PACKET_BYTES);
    packet.writeUInt16BE(0x8000, 0);
    packet.writeUInt16BE(index & 0xffff, 2);
    packet.writeUInt32BE((index * 160) >>> 0, 4);
    packet.writeUInt32BE(0x1000_0000 + stream, 8);
    sockets[stream % SOCKETS]?.send(packet);
  }
  await setImmediate();
}
for (const socket of sockets) socket.close();
process.stdout.write(`${sent}\n`);
