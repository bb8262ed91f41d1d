import { createHmac } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { CALLS_ANSWER } from '../../../src/api/answers/answers.ts';
import { type NumberSetting, numberSearcher } from '../../../src/app/numbers/caller-numbers.ts';
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
