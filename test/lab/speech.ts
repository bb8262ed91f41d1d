import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AsteriskInstance } from './asterisk-instance.ts';
import { SPEECH } from './asterisk-instance.ts';
import { SPEECH_DIRECTORY } from './shared-config.ts';

const WAV_HEADER_BYTES = 44;
/** Longer than any test's call. */
const SPEECH_REPEATS = 2;
const SAMPLES_PER_PACKET = 160;
const PACKET_MS = 20;
const ETHERNET_LINK_TYPE = 1;

/** One WAV of what the phones' Asterisk has to say: 8 kHz, one channel, 16 bits. */
export async function makeSpeech(farm: AsteriskInstance): Promise<string> {
  const parts: Buffer[] = [];
  for (const sound of SPEECH) {
    const command = `file convert ${SPEECH_DIRECTORY}/${sound}.gsm /mnt/spool/${sound}.wav`;
    await farm.ami.action({ Action: 'Command', Command: command }).catch(() => undefined);
    try {
      parts.push(readFileSync(join(farm.runDirectory, `spool/${sound}.wav`)).subarray(WAV_HEADER_BYTES));
    } catch {
      // A sound that this set does not have.
    }
  }
  const audio = Buffer.concat(Array.from({ length: SPEECH_REPEATS }, () => parts).flat());
  const header = Buffer.alloc(WAV_HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(WAV_HEADER_BYTES - 8 + audio.length, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(8000, 24);
  header.writeUInt32LE(16_000, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(audio.length, 40);
  const path = join(farm.runDirectory, 'spool/speech.wav');
  writeFileSync(path, Buffer.concat([header, audio]));
  return path;
}

/** The speech of that WAV as a capture of G.711 µ-law in RTP, a packet every 20 ms; at most `seconds` of it. */
export function captureOf(wavPath: string, seconds: number): Buffer {
  const samples = readFileSync(wavPath).subarray(WAV_HEADER_BYTES);
  const packets = Math.min((seconds * 1000) / PACKET_MS, Math.floor(samples.length / 2 / SAMPLES_PER_PACKET));
  const fileHeader = Buffer.alloc(24);
  fileHeader.writeUInt32LE(0xa1b2_c3d4, 0);
  fileHeader.writeUInt16LE(2, 4);
  fileHeader.writeUInt16LE(4, 6);
  fileHeader.writeUInt32LE(65_535, 16);
  fileHeader.writeUInt32LE(ETHERNET_LINK_TYPE, 20);
  const parts: Buffer[] = [fileHeader];
  for (let packet = 0; packet < packets; packet++) {
    const payload = Buffer.alloc(SAMPLES_PER_PACKET);
    for (let index = 0; index < SAMPLES_PER_PACKET; index++) {
      payload[index] = muLaw(samples.readInt16LE(2 * (packet * SAMPLES_PER_PACKET + index)));
    }
    parts.push(recordOf(packet, frameOf(packet, payload)));
  }
  return Buffer.concat(parts);
}

function recordOf(packet: number, frame: Buffer): Buffer {
  const atMs = packet * PACKET_MS;
  const header = Buffer.alloc(16);
  header.writeUInt32LE(Math.floor(atMs / 1000), 0);
  header.writeUInt32LE((atMs % 1000) * 1000, 4);
  header.writeUInt32LE(frame.length, 8);
  header.writeUInt32LE(frame.length, 12);
  return Buffer.concat([header, frame]);
}

/** Ethernet, IPv4, UDP and RTP (RFC 3550 §5.1), from nobody to nobody: who plays it sets addresses and checksums. */
function frameOf(packet: number, payload: Buffer): Buffer {
  const headers = Buffer.alloc(14 + 20 + 8 + 12);
  headers.writeUInt16BE(0x0800, 12);
  headers.writeUInt8(0x45, 14);
  headers.writeUInt16BE(20 + 8 + 12 + payload.length, 16);
  headers.writeUInt8(64, 22);
  headers.writeUInt8(17, 23);
  headers.writeUInt16BE(5000, 34);
  headers.writeUInt16BE(5000, 36);
  headers.writeUInt16BE(8 + 12 + payload.length, 38);
  headers.writeUInt8(0x80, 42);
  headers.writeUInt16BE(1000 + packet, 44);
  headers.writeUInt32BE(packet * SAMPLES_PER_PACKET, 46);
  headers.writeUInt32BE(0x51bb_0001, 50);
  return Buffer.concat([headers, payload]);
}

/** G.711 µ-law of a sample of 16 bits (ITU-T G.711, table 2a). */
function muLaw(sample: number): number {
  const magnitude = Math.min(Math.abs(sample), 32_635) + 132;
  const exponent = Math.floor(Math.log2(magnitude)) - 7;
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~((sample < 0 ? 0x80 : 0) | (exponent << 4) | mantissa) & 0xff;
}
