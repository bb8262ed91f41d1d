import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { Command } from 'commander';
import { errorCode } from '../model/error-code.ts';
import {
  bytesFromHex,
  formatSsrc,
  xrBlockFromJson,
  xrBlockToJson,
  type Json,
  type JsonObject,
} from '../wire/rtcp-xr-json.ts';
import { decodeXrBlocks, encodeXrBlocks } from '../wire/rtcp-xr.ts';
import { PACKET_TYPE_EXTENDED_REPORT } from '../wire/rtcp.ts';
import { DONE, WORK_FAILED } from './exit-status.ts';

const PACKET_HEADER_BYTES = 8;
const VERSION_2 = 0x80;
const VERSION_MASK = 0xc0;
const HEX_ONLY = /^[0-9a-fA-F\s]+$/;

export function addXr(program: Command, finish: (status: number) => void): void {
  const xr = program.command('xr').description('RTCP extended reports (RFC 3611), bytes to values and back');
  xr.command('decode')
    .description('prints the blocks of an extended report as JSON')
    .argument('<hex-or-file>', 'report blocks, or a whole RTCP XR packet, in hexadecimal digits, or a file with them')
    .option('--json', 'JSON, as always')
    .action(async (argument: string) => finish(await run(() => decode(argument))));
  xr.command('encode')
    .description('prints the hexadecimal digits of what decode printed')
    .argument('<file>', 'JSON as decode prints it; - reads standard input')
    .action(async (path: string) => finish(await run(() => encode(path))));
}

async function run(work: () => Promise<string>): Promise<number> {
  try {
    process.stdout.write(`${await work()}\n`);
    return DONE;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    process.stderr.write(`asterisk-mes: ${error.message}\n`);
    return WORK_FAILED;
  }
}

async function decode(argument: string): Promise<string> {
  const bytes = HEX_ONLY.test(argument) ? bytesFromHex(argument) : await bytesOfFile(argument);
  if (bytes.length === 0) throw new RangeError('There are no bytes to decode.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isPacket = isWholePacket(view);
  const blocks = decodeXrBlocks(view, isPacket ? PACKET_HEADER_BYTES : 0, bytes.length);
  if (blocks === undefined) {
    throw new RangeError(
      `These ${bytes.length} bytes are no row of RFC 3611 report blocks: the lengths do not add up.`,
    );
  }
  const sender = isPacket ? { sender_ssrc: formatSsrc(view.getUint32(4)) } : {};
  return JSON.stringify({ ...sender, blocks: blocks.map(xrBlockToJson) });
}

/** `V=2 P reserved 5 | 207 | length 2 | SSRC 4 | blocks`, which no row of blocks of types 1 to 7 can look like. */
function isWholePacket(view: DataView): boolean {
  return (
    view.byteLength >= PACKET_HEADER_BYTES &&
    (view.getUint8(0) & VERSION_MASK) === VERSION_2 &&
    view.getUint8(1) === PACKET_TYPE_EXTENDED_REPORT &&
    view.getUint16(2) * 4 + 4 === view.byteLength
  );
}

async function encode(path: string): Promise<string> {
  const json = readJson((await contentOf(path)).toString('utf8'), path);
  const blocks = json['blocks'];
  if (!Array.isArray(blocks)) throw new RangeError(`${path} has no list "blocks".`);
  const bytes = encodeXrBlocks((blocks as readonly Json[]).map(xrBlockFromJson));
  const sender = json['sender_ssrc'];
  const header = typeof sender === 'string' ? packetHeader(sender, bytes.length) : '';
  return header + Buffer.from(bytes).toString('hex');
}

function packetHeader(senderSsrc: string, blockBytes: number): string {
  if (!/^0x[0-9a-f]{1,8}$/i.test(senderSsrc)) throw new RangeError('sender_ssrc must be an SSRC such as 0x3c2c6734.');
  const header = Buffer.alloc(PACKET_HEADER_BYTES);
  header.writeUInt8(VERSION_2, 0);
  header.writeUInt8(PACKET_TYPE_EXTENDED_REPORT, 1);
  header.writeUInt16BE(blockBytes / 4 + 1, 2);
  header.writeUInt32BE(Number(senderSsrc), 4);
  return header.toString('hex');
}

/** A file of bytes, or of their digits. */
async function bytesOfFile(path: string): Promise<Uint8Array> {
  const content = await contentOf(path);
  const text = content.toString('latin1');
  return HEX_ONLY.test(text) ? bytesFromHex(text) : content;
}

async function contentOf(path: string): Promise<Buffer> {
  try {
    if (path === '-') return await buffer(process.stdin);
    return await readFile(path);
  } catch (error) {
    throw new RangeError(`${path} is neither hexadecimal digits nor a file that can be read (${errorCode(error)}).`);
  }
}

function readJson(text: string, path: string): JsonObject {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new RangeError(`${path} is not JSON.`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new RangeError(`${path} is not a JSON object.`);
  return json as JsonObject;
}
