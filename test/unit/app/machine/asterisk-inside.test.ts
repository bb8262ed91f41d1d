import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { AsteriskInsideMeter } from '../../../../src/app/machine/asterisk-inside.ts';

const HEAD = 'vm/5/22.10.1\n\nProcessor Processed In Queue Max Depth Low water High water\n';
const folder = mkdtempSync(join(tmpdir(), 'mes-ctl-'));
const socketPath = join(folder, 'asterisk.ctl');
let server: Server | undefined;

afterEach(async () => {
  server?.close();
  if (server !== undefined) await once(server, 'close');
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const loaded =
  (...names: readonly string[]) =>
  async (name: string): Promise<string> =>
    names.includes(name) ? '1' : '0';

test('tells what waited at most since the last look, and what reached its high water mark', async () => {
  const asked: string[] = [];
  let rows = 'a 9 3 700 450 500\nb 9 0 20 450 500\n';
  server = createServer((socket) =>
    socket.once('data', (bytes) => {
      asked.push(bytes.toString());
      socket.end(HEAD + rows);
    }),
  );
  server.listen(socketPath);
  await once(server, 'listening');
  const getGlobal = loaded('IFMODULE(res_timing_pthread.so)', 'IFMODULE(res_timing_timerfd.so)');
  const meter = new AsteriskInsideMeter({ isHere: true, getGlobal, socketPath });
  // What was before the first look, nobody knows when.
  expect(await meter.look(0)).toEqual({ timingSource: 'timerfd', taskQueueMost: 3, taskQueuesOver: 0 });
  expect(asked).toEqual(['cli quit after core show taskprocessors\0']);
  rows = 'a 9 0 700 450 500\nb 9 0 501 450 500\nc 0 2 2 450 500\n';
  expect(await meter.look(30_000)).toEqual({ timingSource: 'timerfd', taskQueueMost: null, taskQueuesOver: null });
  expect(await meter.look(60_000)).toEqual({ timingSource: 'timerfd', taskQueueMost: 501, taskQueuesOver: 1 });
  expect(await meter.look(120_000)).toEqual({ timingSource: 'timerfd', taskQueueMost: 2, taskQueuesOver: 0 });
});

test('what cannot be asked is not known', async () => {
  const nothing = { timingSource: null, taskQueueMost: null, taskQueuesOver: null };
  const rejects = (): Promise<string> => Promise.reject(new Error('not connected'));
  expect(await new AsteriskInsideMeter({ isHere: true, getGlobal: rejects, socketPath }).look(0)).toEqual(nothing);
  const empty = async (): Promise<undefined> => undefined;
  expect(await new AsteriskInsideMeter({ isHere: false, getGlobal: empty, socketPath }).look(0)).toEqual(nothing);
  const bare = new AsteriskInsideMeter({ isHere: false, getGlobal: loaded(), socketPath });
  expect(await bare.look(0)).toEqual({ ...nothing, timingSource: 'none' });
});
