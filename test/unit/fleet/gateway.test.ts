import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { FleetGateway } from '../../../src/fleet/gateway.ts';
import { newPbx, readFleetSettings } from '../../../src/fleet/settings.ts';

const NOW_MS = 1_796_000_000_000;
const ulm = newPbx('ulm', 'south');

/** A gateway whose store takes everything. */
async function openGateway() {
  const gateway = new FleetGateway({
    store: { insert: async () => {}, targetOf: () => 'target', toStored: () => ({}) as never },
    pbxs: readFleetSettings(ulm.lines, 'fleet.conf').pbxs,
    nowMs: () => NOW_MS,
    onProblem: () => {},
    blockMs: 1,
  });
  onTestFinished(() => gateway.close());
  const { port } = new URL(await gateway.listen({ host: '127.0.0.1', port: 0 }));
  return { gateway, port: Number(port) };
}

/** What comes back for the head of a request whose body of 8 MB never comes. */
async function answerToHead(port: number, path: string, authorization: string, withinMs = 10_000): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: gateway\r\n${authorization}Content-Type: application/x-ndjson\r\nContent-Length: 7999999\r\n\r\n{`,
  );
  const answer = once(socket, 'data').then(([bytes]) => String(bytes as Buffer).slice(0, 12));
  return Promise.race([answer, sleep(withinMs, 'waits', { ref: false })]);
}

test.each(['/v1/fleet/batches', '/v1/fleet/live'])(
  'a stranger is refused at %s before the gateway waits for what he sends, and a PBX is waited for',
  async (path) => {
    const { gateway, port } = await openGateway();
    const strangers = ['', 'Authorization: Bearer \r\n', `Authorization: Bearer ${ulm.token}x\r\n`];
    for (const authorization of strangers)
      expect([authorization, await answerToHead(port, path, authorization)]).toEqual([authorization, 'HTTP/1.1 401']);
    expect(await answerToHead(port, path, `Authorization: Bearer ${ulm.token}\r\n`, 100)).toBe('waits');
    expect(gateway.counters).toMatchObject({ refused: strangers.length, batches: 0 });
  },
);
