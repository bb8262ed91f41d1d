import { createHmac } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { CALLS_ANSWER } from '../../../src/api/answers/answers.ts';
import { type NumberSetting, numberSearcher } from '../../../src/app/numbers/caller-numbers.ts';
import { endpointSearcher, textHider } from '../../../src/app/numbers/hidden-text.ts';
import { endpointOf } from '../../../src/model/channel.ts';
import { callRecord, channelRecord } from '../history/records.ts';
import { startServer, type TestServer } from './server.ts';

const KEY = 'sixteen or more characters';
/** RFC 2104 over SHA-256, the first 64 bits. */
const HASH = `#${createHmac('sha256', KEY).update('4915550100').digest('hex').slice(0, 16)}`;

let server: TestServer | undefined;

afterEach(() => server?.close());

/** A history of two calls, from numbers as the setting has them stored. */
async function start(setting: NumberSetting, number: string, other: string): Promise<TestServer> {
  server = await startServer({ storedNumber: numberSearcher(setting) });
  for (const [linkedid, callerNumber] of Object.entries({ wanted: number, other })) {
    const channel = channelRecord(linkedid, { linkedid, callerNumber, connectedNumber: '' });
    server.history.record({ kind: 'channel', channel, resume: null });
    server.history.record({ kind: 'call', call: callRecord(linkedid) });
  }
  return server;
}

/** The calls that are found, by JSON and by CSV alike. */
async function found(api: TestServer, number: string): Promise<string[]> {
  const path = `/v1/calls?number=${encodeURIComponent(number)}`;
  const asJson = CALLS_ANSWER.parse((await api.get(path)).body).calls.map(({ linkedid }) => linkedid);
  const asCsv = String((await api.get(path, { accept: 'text/csv' })).body);
  const [, ...lines] = asCsv.trimEnd().split('\r\n');
  expect(lines.map((line) => line.split(',')[0])).toEqual(asJson);
  return asJson.toSorted();
}

const ALL = ['other', 'wanted'];

describe('calls are found by a number', () => {
  it('in clear', async () => {
    const api = await start({ numbers: 'clear', numbersKey: null }, '4915550100', '49');
    expect(await found(api, '4915550100')).toEqual(['wanted']);
    expect(await found(api, '49155501')).toEqual([]);
    expect(await found(api, '4*')).toEqual(ALL);
  });

  it('that is stored masked, as it was dialled or as it is shown', async () => {
    const api = await start({ numbers: 'masked', numbersKey: null }, '*******100', '*');
    expect(await found(api, '4915550100')).toEqual(['wanted']);
    expect(await found(api, '*******100')).toEqual(['wanted']);
    expect(await found(api, '4915550101')).toEqual([]);
    expect(await found(api, '*')).toEqual(ALL);
  });

  it('that is stored hashed, as it was dialled or as it is shown', async () => {
    const api = await start({ numbers: 'hashed', numbersKey: KEY }, HASH, '#0123456789abcdef');
    expect(await found(api, '4915550100')).toEqual(['wanted']);
    expect(await found(api, HASH)).toEqual(['wanted']);
    expect(await found(api, '#0123456789abcdef')).toEqual(['other']);
    expect(await found(api, '4915550101')).toEqual([]);
    expect(await found(api, '#*')).toEqual(ALL);
  });

  it('but not by one of which masking leaves only stars: that would be a beginning, and found in all', async () => {
    const api = await start({ numbers: 'masked', numbersKey: null }, '*******100', '*');
    for (const accept of ['application/json', 'text/csv']) {
      const { status, body } = await api.get('/v1/calls?number=7', { accept });
      expect(status).toBe(400);
      expect(body).toMatchObject({
        detail: 'parameter number: masked numbers this short are all alike; give a longer one',
        parameter: 'number',
      });
    }
  });
});

describe('calls are found by an endpoint with a number in its name', () => {
  const NAMES = ['PJSIP/4915550100-0000002a', 'PJSIP/carrier1-0000002b', 'Local/+4915550200@from-internal-0000002c;1'];

  async function startWith(setting: NumberSetting): Promise<{ api: TestServer; stored: readonly string[] }> {
    server = await startServer({ storedNumber: numberSearcher(setting), storedEndpoint: endpointSearcher(setting) });
    const hide = setting.numbers === 'clear' ? (name: string) => name : textHider(setting).channelName;
    const stored = NAMES.map((name) => endpointOf(hide(name)));
    for (const [index, endpoint] of stored.entries()) {
      const linkedid = `call${index}`;
      const channel = channelRecord(linkedid, { linkedid, endpoint });
      server.history.record({ kind: 'channel', channel, resume: null });
      server.history.record({ kind: 'call', call: callRecord(linkedid) });
    }
    return { api: server, stored };
  }

  async function foundBy(api: TestServer, parameter: string, name: string): Promise<string[]> {
    const { status, body } = await api.get(`/v1/calls?${parameter}=${encodeURIComponent(name)}`);
    expect(status).toBe(200);
    return CALLS_ANSWER.parse(body)
      .calls.map(({ linkedid }) => linkedid)
      .toSorted();
  }

  it.each([
    { numbers: 'clear', numbersKey: null },
    { numbers: 'masked', numbersKey: null },
    { numbers: 'hashed', numbersKey: KEY },
  ] as const)('$numbers: as it was dialled, and as it is shown', async (setting) => {
    const { api, stored } = await startWith(setting);
    const isHidden = setting.numbers !== 'clear';
    expect(stored.filter((name) => /\d{5}/.test(name)).length > 0).toBe(!isHidden || setting.numbers === 'hashed');
    expect(stored.join(' ').includes('4915550')).toBe(!isHidden);
    for (const parameter of ['endpoint', 'party']) {
      expect(await foundBy(api, parameter, 'PJSIP/4915550100')).toEqual(['call0']);
      expect(await foundBy(api, parameter, stored[0] ?? '')).toEqual(['call0']);
      expect(await foundBy(api, parameter, 'PJSIP/4915550101')).toEqual([]);
      expect(await foundBy(api, parameter, 'Local/+4915550200@from-internal')).toEqual(['call2']);
      expect(await foundBy(api, parameter, stored[2] ?? '')).toEqual(['call2']);
      expect(await foundBy(api, parameter, 'PJSIP/carrier1')).toEqual(['call1']);
      expect(await foundBy(api, parameter, 'PJSIP/carr*')).toEqual(['call1']);
      expect(await foundBy(api, parameter, 'PJSIP/*')).toEqual(['call0', 'call1']);
    }
    expect(await foundBy(api, 'party', '4915550100')).toContain('call0');
    expect(await foundBy(api, 'party', '4915550101')).not.toContain('call0');
    const rankings = await api.get(`/v1/summary?endpoint=${encodeURIComponent('PJSIP/4915550100')}`);
    expect(rankings.body).toMatchObject({ endpoint: stored[0] });
  });

  it.each([
    { numbers: 'masked', numbersKey: null },
    { numbers: 'hashed', numbersKey: KEY },
  ] as const)('$numbers: not by the beginning of a number, and that is said', async (setting) => {
    const { api } = await startWith(setting);
    for (const path of ['calls', 'live', 'endpoints', 'calls?party=PJSIP/49155*']) {
      const asked = path.includes('?') ? path : `${path}?endpoint=${encodeURIComponent('PJSIP/49155*')}`;
      const { status, body } = await api.get(`/v1/${asked}`);
      expect(status).toBe(400);
      const parameter = path.includes('party') ? 'party' : 'endpoint';
      expect(body).toMatchObject({
        detail: `parameter ${parameter}: numbers are hidden here, and the beginning of one finds nothing; give it whole`,
        parameter,
      });
    }
  });

  it('clear: by the beginning of a number', async () => {
    const { api } = await startWith({ numbers: 'clear', numbersKey: null });
    expect(await foundBy(api, 'endpoint', 'PJSIP/49155*')).toEqual(['call0']);
  });
});
