import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startServer, type TestServer } from '../api/server.ts';
import { channelRecord } from '../history/records.ts';
import { asteriskMes } from './command.ts';

const TOKEN = 'of-the-test';
const PROBLEM = 'Nothing listens on 127.0.0.1:5038; start Asterisk';
const alice = channelRecord('1.1', {
  linkedid: '1.1',
  name: 'PJSIP/alice-00000001',
  endpoint: 'PJSIP/alice',
  endedAtMs: null,
});
let server: TestServer;
let well: TestServer['health'];

beforeAll(async () => {
  server = await startServer({ token: TOKEN });
  well = server.health;
  vi.stubEnv('MES_HTTP_BIND', `127.0.0.1:${server.port}`);
  vi.stubEnv('MES_HTTP_TOKEN', TOKEN);
});
beforeEach(() => {
  server.live = [];
  server.health = well;
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await server.close();
});

test('no call is up, and no heading stands over nothing', async () => {
  expect(await asteriskMes(['live'])).toMatchObject({ status: 0, stdout: 'No call is up.\n', stderr: '' });
});

test('without Asterisk it does not say that no call is up', async () => {
  server.health = { ...well, amiConnected: false, amiProblem: PROBLEM };
  expect((await asteriskMes(['live'])).stdout).toBe(
    `This may be old, and calls may be missing: ${PROBLEM}.\nWhether calls are up is not known now.\n`,
  );
  server.live = [alice];
  expect((await asteriskMes(['live'])).stdout).toMatch(/^This may be old, .*\n1 call is up: .*\n.*rx 1.*\n.*alice/);
});

test('a search that nothing fits does not say that no call is up', async () => {
  server.live = [alice];
  expect((await asteriskMes(['live', '--search', 'carol'])).stdout).toBe('No such call is up.\n');
  expect((await asteriskMes(['live', '--search', 'alice'])).stdout).toMatch(/^1 call is up: .*\n.*rx 1.*\n.*alice/);
});
