import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { StringDecoder } from 'node:string_decoder';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SettingsError } from '../../src/config/settings-error.ts';
import { loadSettings } from '../../src/config/settings.ts';
import { AgiLineReader, readAgiAnswer, readAgiVariable } from '../../src/wire/agi.ts';
import { readPbxEvent } from '../../src/wire/ami/ami-event.ts';
import { RTCP_EVENT } from '../../src/wire/ami/ami-rtcp.ts';
import { AmiParser, MAX_MESSAGE_CHARACTERS } from '../../src/wire/ami/ami.ts';
import { parseRtcpAll } from '../../src/wire/rtcp/rtcp-all.ts';
import { messagesIn } from '../lab/ami-messages.ts';
import { collectGarbage } from '../lab/collect-garbage.ts';
import { startServer, type TestServer } from './api/server.ts';
import { Script } from './calls/script.ts';
import { fuzz, FUZZ_TIMEOUT_MS, type FuzzInput, jsonOf, readCorpus } from './fuzz-corpus.ts';

const RUNS = 150;
/** Fewer pieces than this of one input; a network gives no fewer bytes at a time for long. */
const MOST_PIECES = 500;
const START_MS = 1_700_000_000_000;

/** What is in use behind a full garbage collection. */
function usedBytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Bytes in pieces of so many. */
function* pieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

/** What the sidecar does with bytes of AMI: messages, events, calls, and what is stored and shown of them. */
function takeAmi(bytes: Buffer, pieceBytes: number): { events: number; shown: string } {
  const parser = new AmiParser(RTCP_EVENT);
  const decoder = new StringDecoder('utf8');
  const script = new Script();
  const { board } = script;
  let events = 0;
  for (const piece of pieces(bytes, pieceBytes)) {
    for (const message of messagesIn(decoder.write(piece), parser)) {
      const event = readPbxEvent(message, START_MS + events * 1000);
      if (event === undefined || event === 'malformed') continue;
      board.handle(event);
      events++;
    }
  }
  board.tick(START_MS + 3_600_000);
  return { events, shown: jsonOf([board.liveChannels(), script.drain()]) };
}

/** What the sidecar does with bytes of AGI. */
function takeAgi(bytes: Buffer, pieceBytes: number): string {
  const reader = new AgiLineReader();
  const read: unknown[] = [];
  for (const piece of pieces(bytes, pieceBytes)) {
    const lines = reader.push(piece);
    if (lines === 'overlong') break;
    for (const line of lines) {
      const answer = readAgiAnswer(line);
      read.push(readAgiVariable(line), answer, parseRtcpAll(answer?.value ?? ''));
    }
  }
  return jsonOf(read);
}

/** Settings, or what people are told: one line a problem, and nothing else is thrown. */
function takeConf(text: string): readonly string[] {
  try {
    loadSettings(text, 'mes.conf', {});
    return [];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const long = error.problems.find((problem) => /[\n\r\0]/.test(problem));
    if (long !== undefined) throw new Error(`not one line: ${long}`, { cause: error });
    return error.problems;
  }
}

/** The copy that it failed on, null when there was none. */
async function fuzzInPieces(
  input: FuzzInput,
  folder: string,
  work: (copy: Buffer, pieceBytes: number) => unknown,
): Promise<Buffer | null> {
  const pieceBytes = fc.integer({ min: Math.ceil(input.bytes.length / MOST_PIECES), max: 4096 });
  const found = await fuzz({ input, folder, runs: RUNS, pieceBytes, work });
  // Such as by a key of the name `__proto__`.
  if (Object.keys(Object.prototype).length > 0) throw new Error('it left a trace on what all objects have');
  return found;
}

describe.each(readCorpus('ami'))('AMI bytes: $name', (input) => {
  test('mean the same in pieces of any size', () => {
    const whole = takeAmi(input.bytes, input.bytes.length);
    expect(whole.events).toBeGreaterThan(0);
    for (const size of [7, 100, 4096]) expect(takeAmi(input.bytes, size)).toEqual(whole);
  });

  test('do no harm however they are changed', { timeout: FUZZ_TIMEOUT_MS }, async () => {
    expect(await fuzzInPieces(input, 'ami', takeAmi)).toBeNull();
  });
});

/** What a parser reads out of pieces of bytes, one after another. */
function readAmi(...parts: readonly Buffer[]): unknown[] {
  const parser = new AmiParser(RTCP_EVENT);
  const decoder = new StringDecoder('utf8');
  return parts
    .flatMap((part) => messagesIn(decoder.write(part), parser))
    .map((message) => readPbxEvent(message, START_MS) ?? 'none');
}

// The one with 10,000 headers is cut at random places above.
describe.each(readCorpus('ami').filter(({ bytes }) => bytes.length < 10_000))(
  'AMI bytes cut at every place: $name',
  ({ bytes }) => {
    test('in two they mean the same', () => {
      const whole = readAmi(bytes);
      expect(whole.length).toBeGreaterThan(0);
      for (let cut = 0; cut <= bytes.length; cut++)
        expect(readAmi(bytes.subarray(0, cut), bytes.subarray(cut))).toEqual(whole);
    });

    test('without their rest they cost one message at most', () => {
      const end = Buffer.from('\r\n\r\n');
      const next = Buffer.from('Event: FullyBooted\r\nStatus: Fully Booted\r\n\r\n');
      for (let cut = 0; cut <= bytes.length; cut++) {
        const kept = bytes.subarray(0, cut);
        expect(readAmi(kept, end, next)).toHaveLength(readAmi(kept, end).length + 1);
      }
    });
  },
);

test.each(['x', '\0', ': ', '\r\n', '\r', '\u00e9'])(
  '10 MB of %j take no more memory than a message, and no time',
  (unit) => {
    const parser = new AmiParser(RTCP_EVENT);
    const chunk = unit.repeat(65_536 / unit.length);
    const before = usedBytes();
    const start = process.cpuUsage();
    for (let sent = 0; sent < 10_000_000; sent += chunk.length) messagesIn(chunk, parser);
    const { user, system } = process.cpuUsage(start);
    // A tenth of a second here; quadratic work would take minutes.
    expect((user + system) / 1000).toBeLessThan(15_000);
    // Two bytes a character; what else the test's process does meanwhile comes on top, but not ten megabytes of it.
    expect(usedBytes() - before).toBeLessThan(2 * MAX_MESSAGE_CHARACTERS + 2_000_000);
    const [after] = messagesIn('\r\n\r\nEvent: Hangup\r\n\r\n', parser);
    expect(after?.get('Event')).toBe('Hangup');
    expect(parser.counters).toMatchObject({ messages: 1, oversized: unit === '\r\n' ? 0 : 1 });
  },
);

describe.each(readCorpus('agi'))('AGI bytes: $name', (input) => {
  test('mean the same in pieces of any size', () => {
    const whole = takeAgi(input.bytes, input.bytes.length);
    expect(whole.length).toBeGreaterThan(100);
    for (const size of [1, 7, 100]) expect(takeAgi(input.bytes, size)).toBe(whole);
  });

  test('do no harm however they are changed', { timeout: FUZZ_TIMEOUT_MS }, async () => {
    expect(await fuzzInPieces(input, 'agi', takeAgi)).toBeNull();
  });
});

describe.each(readCorpus('conf'))('a mes.conf: $name', (input) => {
  test('does no harm however it is changed', { timeout: FUZZ_TIMEOUT_MS }, async () => {
    expect(takeConf(input.bytes.toString()).length).toBeLessThan(30);
    expect(await fuzzInPieces(input, 'conf', (copy) => takeConf(copy.toString()))).toBeNull();
  });
});

describe('a REST address', () => {
  let server: TestServer;
  /** Sends addresses as they are, which a URL would not let through. */
  const agent = new Agent({ keepAlive: true });
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(async () => {
    agent.destroy();
    await server.close();
  });

  /** Rejects when the answer is a failure of ours, or none that is documented. */
  async function ask(url: string): Promise<number> {
    const asked = request({ host: '127.0.0.1', port: server.port, path: url, agent });
    asked.end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    const { statusCode = 0, headers } = answer;
    const body = await textOf(answer);
    if (![200, 400, 404, 414, 426].includes(statusCode)) throw new Error(`${url} answered ${statusCode}`);
    if (statusCode !== 200 && !String(headers['content-type']).startsWith('application/problem+json'))
      throw new Error(`${url} answered no problem document`);
    if (statusCode !== 200) JSON.parse(body);
    return statusCode;
  }

  const addresses = readCorpus('rest').flatMap(({ bytes }) => bytes.toString().split('\n'));

  test.each(addresses)('%s is answered or refused', async (url) => {
    expect(await ask(encodeURI(decodeSafely(url)))).toBeLessThan(500);
  });

  test('does no harm however it is changed', { timeout: FUZZ_TIMEOUT_MS }, async () => {
    const answers = new Map<number, number>();
    for (const [index, url] of addresses.entries()) {
      const input = { name: String(index), bytes: Buffer.from(url) };
      const work = async (copy: Buffer): Promise<void> => {
        // What no client can send in a request line never gets this far.
        const sendable = copy.toString('latin1').replaceAll(/[^\x21-\x7e]/g, '');
        const status = await ask(sendable.startsWith('/') ? sendable : `/${sendable}`);
        answers.set(status, (answers.get(status) ?? 0) + 1);
      };
      expect(await fuzz({ input, folder: 'rest', runs: 40, work })).toBeNull();
    }
    // Not all of them were turned away at the door.
    expect(answers.get(200)).toBeGreaterThan(0);
    expect(answers.get(400)).toBeGreaterThan(0);
  });
});

/** As it is, when it holds escapes that are none. */
function decodeSafely(url: string): string {
  try {
    return decodeURI(url);
  } catch {
    return url;
  }
}
