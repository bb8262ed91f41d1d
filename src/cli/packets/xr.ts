import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { Command } from 'commander';
import { errorCode } from '../../model/errors/error-code.ts';
import { xrDocumentFromBytes, xrDocumentToBytes } from '../../wire/rtcp/rtcp-xr-document.ts';
import { bytesFromHex, type JsonObject } from '../../wire/rtcp/rtcp-xr-json.ts';
import { DONE, fail } from '../exit-status.ts';

const HEX_ONLY = /^[0-9a-fA-F\s]+$/;

export function addXr(program: Command, finish: (status: number) => void): void {
  const xr = program.command('xr').description('RTCP extended reports (RFC 3611), bytes to values and back');
  xr.command('decode')
    .description('prints the blocks of an extended report as JSON')
    .argument(
      '<hex-or-file>',
      'report blocks, or RTCP as it is on the wire, in hexadecimal digits, or a file with them',
    )
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
    return fail(error);
  }
}

async function decode(argument: string): Promise<string> {
  const bytes = HEX_ONLY.test(argument) ? bytesFromHex(argument) : await bytesOfFile(argument);
  if (bytes.length === 0)
    throw new RangeError('There are no bytes to decode; give them in hexadecimal digits, or a file with them.');
  return JSON.stringify(xrDocumentFromBytes(bytes));
}

async function encode(path: string): Promise<string> {
  const content = await contentOf(
    path,
    'name a file with what "asterisk-mes xr decode" printed, or - for standard input',
  );
  const json = readJson(content.toString('utf8'), path);
  return Buffer.from(xrDocumentToBytes(json)).toString('hex');
}

/** A file of bytes, or of their digits. */
async function bytesOfFile(path: string): Promise<Uint8Array> {
  const content = await contentOf(path, 'give hexadecimal digits, or a file with the bytes');
  const text = content.toString('latin1');
  return HEX_ONLY.test(text) ? bytesFromHex(text) : content;
}

async function contentOf(path: string, advice: string): Promise<Buffer> {
  try {
    if (path === '-') return await buffer(process.stdin);
    return await readFile(path);
  } catch (error) {
    throw new RangeError(`${path} is no file that can be read (${errorCode(error)}); ${advice}.`);
  }
}

function readJson(text: string, path: string): JsonObject {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new RangeError(`${path} is not JSON; give what "asterisk-mes xr decode" printed.`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new RangeError(`${path} is not a JSON object; give what "asterisk-mes xr decode" printed.`);
  return json as JsonObject;
}
