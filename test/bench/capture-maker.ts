import { closeSync, openSync, writeSync } from 'node:fs';
import { seededRandom } from '../lab/network-profile.ts';

/** What a capture made for measuring holds. */
export interface CapturePlan {
  readonly streams: number;
  /** RTP packets, all streams together, lost ones not counted. */
  readonly packets: number;
  readonly seed: number;
  /** With this packet of each stream, marked, its RTP clock leaps ahead by `CLOCK_LEAP_SAMPLES`. */
  readonly leapsAt?: number;
}

const START_S = 1_790_000_000;
const PACKET_MS = 20;
const SAMPLES = 160;
const CLOCK_LEAP_SAMPLES = 4000;
const MARKER = 0x80;
const CHUNK_BYTES = 4_194_304;
const RECORD_BYTES = 16;
const HEADERS_BYTES = 14 + 20 + 8 + 12;
const FRAME_BYTES = HEADERS_BYTES + SAMPLES;

/**
 * Writes a pcap file of G.711 calls, two streams each, their SIP first: jitter of up to 8 ms, 0 to 3 % loss, some packets
 * overtaken. No duplicates, because tshark counts them as received. The same seed writes the same bytes.
 */
export function makeCapture(path: string, plan: CapturePlan): void {
  const random = seededRandom(plan.seed);
  const { leapsAt = Number.POSITIVE_INFINITY } = plan;
  const file = new PcapFile(path);
  const calls = plan.streams / 2;
  for (let call = 0; call < calls; call += 1) {
    file.sip(START_S * 1000 + call, call, 0, `INVITE sip:b${call}@10.1.0.1 SIP/2.0`);
    file.sip(START_S * 1000 + call + 0.5, call, 1, 'SIP/2.0 200 OK');
  }
  const lossRatios = Array.from({ length: plan.streams }, () => random() * 0.03);
  const firstSequences = Array.from({ length: plan.streams }, () => Math.floor(random() * 65_536));
  let waiting: { atMs: number; stream: number; index: number }[] = [];
  let left = plan.packets;
  for (let index = 0; left > 0; index += 1) {
    const slotMs = (START_S + 1) * 1000 + index * PACKET_MS;
    for (let stream = 0; stream < plan.streams && left > 0; stream += 1) {
      // Each stream's first packet arrives, so that both programs begin with the same one.
      if (index > 0 && random() < (lossRatios[stream] ?? 0)) continue;
      const overtakenMs = random() < 0.001 && index > 0 ? 25 : 0;
      waiting.push({ atMs: slotMs + stream * 0.05 + random() * 8 + overtakenMs, stream, index });
      left -= 1;
    }
    waiting.sort((one, other) => one.atMs - other.atMs);
    const isLast = left === 0;
    const due = waiting.filter(({ atMs }) => isLast || atMs < slotMs + PACKET_MS);
    waiting = waiting.filter(({ atMs }) => !isLast && atMs >= slotMs + PACKET_MS);
    for (const { atMs, stream, index: sent } of due) {
      file.rtp(atMs, stream >> 1, stream & 1, {
        ssrc: 0x1000_0000 + stream,
        sequence: (firstSequences[stream] ?? 0) + sent,
        timestamp: sent * SAMPLES + (sent >= leapsAt ? CLOCK_LEAP_SAMPLES : 0),
        isMarked: sent === leapsAt,
      });
    }
  }
  file.close();
}

interface RtpHeader {
  readonly ssrc: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly isMarked: boolean;
}

class PcapFile {
  readonly #file: number;
  readonly #buffer = Buffer.alloc(CHUNK_BYTES);
  #at = 0;

  constructor(path: string) {
    this.#file = openSync(path, 'w');
    const header = Buffer.alloc(24);
    header.writeUInt32LE(0xa1b2c3d4, 0);
    header.writeUInt16LE(2, 4);
    header.writeUInt16LE(4, 6);
    header.writeUInt32LE(65_535, 16);
    header.writeUInt32LE(1, 20);
    writeSync(this.#file, header);
  }

  rtp(atMs: number, call: number, side: number, { ssrc, sequence, timestamp, isMarked }: RtpHeader): void {
    const at = this.#frame(atMs, call, side, 10_000 + call * 2, FRAME_BYTES - 42);
    const buffer = this.#buffer;
    buffer.writeUInt16BE(0x8000 | (isMarked ? MARKER : 0), at);
    buffer.writeUInt16BE(sequence & 0xffff, at + 2);
    buffer.writeUInt32BE(timestamp % 0x1_0000_0000, at + 4);
    buffer.writeUInt32BE(ssrc, at + 8);
    buffer.fill(0xd5, at + 12, at + 12 + SAMPLES);
  }

  /** The offer from the one side, or the answer from the other. */
  sip(atMs: number, call: number, side: number, startLine: string): void {
    const own = `10.${side}.${call >> 8}.${call & 0xff}`;
    const body = `v=0\r\no=- 1 1 IN IP4 ${own}\r\ns=-\r\nc=IN IP4 ${own}\r\nt=0 0\r\nm=audio ${10_000 + call * 2} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n`;
    const head = `Via: SIP/2.0/UDP ${own}:5060;branch=z9hG4bK${call}\r\nFrom: <sip:a@x>;tag=a${call}\r\nTo: <sip:b@x>\r\nCall-ID: ${call}@x\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: ${body.length}\r\n`;
    const text = `${startLine}\r\n${head}\r\n${body}`;
    const at = this.#frame(atMs, call, side, 5060, text.length);
    this.#buffer.write(text, at, 'latin1');
  }

  close(): void {
    this.#flush();
    closeSync(this.#file);
  }

  /** Writes everything up to the UDP payload; gives back where that begins. */
  #frame(atMs: number, call: number, side: number, port: number, payloadBytes: number): number {
    const frameBytes = 42 + payloadBytes;
    if (this.#at + RECORD_BYTES + frameBytes > CHUNK_BYTES) this.#flush();
    const buffer = this.#buffer;
    const record = this.#at;
    const micros = Math.round(atMs * 1000);
    buffer.writeUInt32LE(Math.floor(micros / 1_000_000), record);
    buffer.writeUInt32LE(micros % 1_000_000, record + 4);
    buffer.writeUInt32LE(frameBytes, record + 8);
    buffer.writeUInt32LE(frameBytes, record + 12);
    const ethernet = record + RECORD_BYTES;
    buffer.fill(0, ethernet, ethernet + 42);
    buffer.writeUInt16BE(0x0800, ethernet + 12);
    const ip = ethernet + 14;
    buffer.writeUInt16BE(0x4500, ip);
    buffer.writeUInt16BE(28 + payloadBytes, ip + 2);
    buffer.writeUInt16BE(0x4011, ip + 8);
    buffer.writeUInt32BE(0x0a00_0000 + (side << 16) + call, ip + 12);
    buffer.writeUInt32BE(0x0a00_0000 + ((1 - side) << 16) + call, ip + 16);
    buffer.writeUInt16BE(port, ip + 20);
    buffer.writeUInt16BE(port, ip + 22);
    buffer.writeUInt16BE(8 + payloadBytes, ip + 24);
    this.#at = ethernet + frameBytes;
    return ip + 28;
  }

  #flush(): void {
    writeSync(this.#file, this.#buffer, 0, this.#at);
    this.#at = 0;
  }
}
