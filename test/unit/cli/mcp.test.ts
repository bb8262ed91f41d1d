import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callRecord, channelRecord, START_MS, streamRecord } from '../history/records.ts';
import { startServer, type TestServer } from '../api/server.ts';
import { asteriskMes } from './command.ts';

const TOKEN = 'of-the-settings';
const ENTRY = join(import.meta.dirname, '../../../src/asterisk-mes.js');

interface Answer {
  readonly jsonrpc: string;
  readonly id: unknown;
  readonly result?: Record<string, unknown> & { readonly structuredContent?: Record<string, unknown> };
  readonly error?: { readonly code: number; readonly message: string };
}

/** An assistant's program, as far as the protocol goes. */
class Client {
  readonly #child;
  readonly #lines;
  #id = 0;

  constructor(config: string) {
    this.#child = spawn(process.execPath, [ENTRY, 'mcp', '--config', config], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  send(text: string): void {
    this.#child.stdin.write(text);
  }

  async next(): Promise<Answer> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('it ended');
    return JSON.parse(value) as Answer;
  }

  async ask(method: string, params?: object): Promise<Answer> {
    const id = ++this.#id;
    this.send(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    const answer = await this.next();
    if (answer.jsonrpc !== '2.0' || answer.id !== id)
      throw new Error(`not the answer to ${id}: ${JSON.stringify(answer)}`);
    return answer;
  }

  async tool(name: string, given: object = {}): Promise<Answer['result']> {
    const { result, error } = await this.ask('tools/call', { name, arguments: given });
    if (error !== undefined) throw new Error(error.message);
    return result;
  }

  /** Its exit status. */
  async end(): Promise<number | null> {
    this.#child.stdin.end();
    return new Promise((resolve) => this.#child.once('close', resolve));
  }
}

let server: TestServer;
let folder: string;
let config: string;
let client: Client;

beforeAll(async () => {
  server = await startServer({ token: TOKEN });
  folder = mkdtempSync(join(tmpdir(), 'mes-mcp-'));
  config = join(folder, 'mes.conf');
  writeFileSync(
    config,
    `[ami]\nusername = mes\nsecret = x\n[http]\nbind = 127.0.0.1:${server.port}\ntoken = ${TOKEN}\n`,
    { mode: 0o600 },
  );
  const streams = [streamRecord({ verdict: 'bad', mes: 1.9, lossPercent: 8, why: '8 % of the packets were lost.' })];
  const channel = channelRecord('214.1', {
    linkedid: '214.1',
    endpoint: 'PJSIP/214',
    callerNumber: '214',
    verdict: 'bad',
    endedAtMs: START_MS + 60_000,
    streams,
  });
  server.history.record({ kind: 'channel', channel, resume: null });
  server.history.record({
    kind: 'call',
    call: callRecord('214.1', { verdict: 'bad', mes: 1.9, endedAtMs: START_MS + 60_000 }),
  });
  server.history.record({ kind: 'call', call: callRecord('other') });
  server.live = [channelRecord('up.1')];
  client = new Client(config);
});
afterAll(async () => {
  await client.end();
  await server.close();
  rmSync(folder, { recursive: true });
});

describe('an assistant over the Model Context Protocol', () => {
  it('agrees on a revision that both know, or hears of ours', async () => {
    for (const revision of ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']) {
      const params = { protocolVersion: revision, capabilities: {}, clientInfo: { name: 'test', version: '1' } };
      const { result } = await client.ask('initialize', params);
      expect(result).toMatchObject({
        protocolVersion: revision,
        capabilities: { tools: {} },
        serverInfo: { name: 'asterisk-mes' },
      });
    }
    const { result } = await client.ask('initialize', { protocolVersion: '1999-01-01' });
    expect(result).toMatchObject({ protocolVersion: '2025-11-25' });
    client.send('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
    expect((await client.ask('ping')).result).toEqual({});
  });

  it('is told of tools that only read, with the arguments of each', async () => {
    const { result } = await client.ask('tools/list');
    const tools = result?.['tools'] as {
      name: string;
      inputSchema: { type: string; properties: Record<string, object> };
      annotations: object;
    }[];
    expect(tools.map(({ name }) => name).toSorted()).toEqual(['call', 'calls', 'endpoints', 'live', 'trends', 'why']);
    for (const { inputSchema, annotations } of tools) {
      expect(inputSchema.type).toBe('object');
      expect(annotations).toMatchObject({ readOnlyHint: true });
    }
    const calls = tools.find(({ name }) => name === 'calls')?.inputSchema.properties;
    expect(Object.keys(calls ?? {})).toEqual(expect.arrayContaining(['party', 'verdict', 'from', 'sort', 'limit']));
    expect(calls).not.toHaveProperty('fields');
    expect(calls?.['limit']).toMatchObject({ type: 'integer', minimum: 1, maximum: 500 });
    expect(calls?.['verdict']).toMatchObject({ type: 'array' });
  });

  it('finds out why 214 was bad', async () => {
    const found = await client.tool('calls', { party: '214', verdict: ['bad-or-worse'], limit: 5 });
    expect(found).toMatchObject({
      isError: false,
      structuredContent: { matching: 1, calls: [{ linkedid: '214.1', verdict: 'bad', mes: 1.9 }] },
    });
    const content = found?.['content'] as { type: string; text: string }[];
    expect(JSON.parse(content[0]?.text ?? '')).toEqual(found?.structuredContent);
    const why = await client.tool('why', { linkedid: '214.1' });
    expect(why?.structuredContent).toMatchObject({
      fault_place: 'caller-network',
      fault_why: 'The fault lies between PJSIP/alice (the caller) and this server.',
      parties: [
        {
          role: 'caller',
          endpoint: 'PJSIP/214',
          directions: [{ direction: 'from PJSIP/214', loss_percent: 8, jitter_mean_ms: null, rtt_mean_ms: 100.25 }],
        },
      ],
    });
    expect((await client.tool('call', { linkedid: '214.1' }))?.structuredContent).toMatchObject({
      linkedid: '214.1',
      channels: [{ streams: [{}] }],
    });
    const range = { from: '2026-11-20', to: '2026-11-21' };
    expect((await client.tool('endpoints', range))?.structuredContent).toMatchObject({
      endpoints: [{ endpoint: 'PJSIP/214', bad_calls: 1 }],
    });
    expect((await client.tool('trends', { ...range, bucket: '1d' }))?.structuredContent).toMatchObject({
      buckets: [{ calls: 2 }],
    });
    expect((await client.tool('live'))?.structuredContent).toMatchObject({
      matching: 1,
      channels: [{ uniqueid: 'up.1' }],
    });
  });

  it.each([
    ['calls', { verdict: 'great' }, /^parameter verdict: "great" is not allowed; give one of good, /],
    ['calls', { surprise: 1 }, /^unknown parameter "surprise"; known are from, /],
    ['calls', { fields: 'all' }, /^fields is not an argument of this tool$/],
    ['why', {}, /^give linkedid, /],
    ['why', { linkedid: '../../metrics' }, /^no call of this id is known/],
    ['call', { linkedid: 'nobody' }, /^no call of this id is known/],
  ])('hears from %s of %j what is wrong', async (name, given, sentence) => {
    const result = await client.tool(name, given);
    expect(result).toMatchObject({ isError: true, content: [{ type: 'text', text: expect.stringMatching(sentence) }] });
  });

  it('is refused what is no request, and goes on', async () => {
    const refused = async (text: string): Promise<[unknown, number | undefined]> => {
      client.send(text);
      const { id, error } = await client.next();
      return [id, error?.code];
    };
    expect(await refused('{no json\n')).toEqual([null, -32_700]);
    expect(await refused('{"id":1,"method":"ping"}\n')).toEqual([null, -32_600]);
    expect(await refused('{"jsonrpc":"2.0","id":null,"method":"ping"}\n')).toEqual([null, -32_600]);
    expect(await refused('[]\n')).toEqual([null, -32_600]);
    expect((await client.ask('resources/list')).error?.code).toBe(-32_601);
    expect((await client.ask('tools/call', { name: 'delete' })).error).toMatchObject({
      code: -32_602,
      message: expect.stringContaining('known are calls, call, why'),
    });
    client.send('[{"jsonrpc":"2.0","id":"a","method":"ping"},{"jsonrpc":"2.0","method":"notifications/x"}]\r\n\n');
    expect(await client.next()).toEqual([{ jsonrpc: '2.0', id: 'a', result: {} }]);
    expect((await client.ask('ping')).result).toEqual({});
  });

  it('is told when nobody answers, and ends in one sentence where the settings cannot be read', async () => {
    const lonely = join(folder, 'lonely.conf');
    writeFileSync(lonely, '[ami]\nusername = mes\nsecret = x\n[http]\nbind = 127.0.0.1:9\n', { mode: 0o600 });
    const other = new Client(lonely);
    expect(await other.tool('live')).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^no answer from http:\/\/127\.0\.0\.1:9; is asterisk-mes running\?/) }],
    });
    expect(await other.end()).toBe(0);
    const { status, stdout, stderr } = await asteriskMes(['mcp', '--config', join(folder, 'none.conf')]);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^asterisk-mes: [^\n]+\n$/);
  });
});
