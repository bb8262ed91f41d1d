import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { Room } from '../../../src/fleet/room.ts';
import { FleetGateway } from '../../../src/fleet/gateway.ts';
import { newPbx, newReader, readFleetSettings } from '../../../src/fleet/settings.ts';

const NOW_MS = 1_796_000_000_000;
const ulm = newPbx('ulm', 'south');

/** A gateway whose store takes everything; `sites`: of whom each row came. */
async function openGateway(lines = ulm.lines) {
  const sites: string[] = [];
  const problems: string[] = [];
  const { pbxs, readers } = readFleetSettings(lines, 'fleet.conf');
  const gateway = new FleetGateway({
    store: {
      targetOf: () => 'target',
      // The third cell of a line is the site.
      insert: async (_, rows) =>
        void sites.push(
          ...rows.flatMap(({ bytes }) => String(bytes).trim().split('\n')).map((line) => line.split('\t')[2] ?? ''),
        ),
    },
    pbxs,
    readers,
    nowMs: () => NOW_MS,
    onProblem: (sentence) => problems.push(sentence),
    blockMs: 1,
  });
  onTestFinished(() => gateway.close());
  const { port } = new URL(await gateway.listen({ host: '127.0.0.1', port: 0 }));
  return { gateway, port: Number(port), sites, problems };
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

test('two bodies of 8 MB are all that one PBX may send at once, and eight all that the gateway takes of all', async () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const pbxs = names.map((name) => newPbx(name, ''));
  const { port } = await openGateway(pbxs.map(({ lines }) => lines).join(''));
  const answers: string[] = [];
  for (const { token } of pbxs)
    for (let n = 0; n < 3; n++)
      answers.push(await answerToHead(port, '/v1/fleet/batches', `Authorization: Bearer ${token}\r\n`, 150));
  const ofOne = ['waits', 'waits', 'HTTP/1.1 429'];
  // The heads' sockets are open until this test ends.
  expect(answers).toEqual([...ofOne, ...ofOne, ...ofOne, ...ofOne, ...Array.from({ length: 3 }, () => 'HTTP/1.1 503')]);
});

test('one PBX gets half of the room for rows, and what it gives back is free again', () => {
  const room = new Room(1000);
  const first = room.take('rows', 'ulm', 400);
  expect(first.whyNot).toBeNull();
  expect(room.take('rows', 'ulm', 101).whyNot).toBe('of-one');
  expect(room.take('rows', 'ulm', 100).whyNot).toBeNull();
  expect(room.take('rows', 'bonn', 500).whyNot).toBeNull();
  expect(room.take('rows', 'jena', 1).whyNot).toBe('of-all');
  first.give();
  expect(room.take('rows', 'ulm', 401).whyNot).toBe('of-one');
  expect(room.take('rows', 'jena', 400).whyNot).toBeNull();
  expect(room.take('rows', 'kiel', 1).whyNot).toBe('of-all');
});

test('a PBX gets into a site that readers are limited to by fleet.conf only, and into any other by its own word', async () => {
  const cheat = newPbx('cheat', '');
  const reader = newReader('north', { sites: ['north'] });
  const { port, sites, problems } = await openGateway(ulm.lines + cheat.lines + reader.lines);
  const say = async (token: string, site: string): Promise<number> => {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/fleet/live`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson', 'mes-site': site },
      body: JSON.stringify({ at_ms: NOW_MS, channels_up: 0, channels: [], ended: [] }),
    });
    return answer.status;
  };
  expect(await say(cheat.token, 'north')).toBe(200);
  expect(await say(cheat.token, 'north')).toBe(200);
  expect(await say(cheat.token, 'west')).toBe(200);
  expect(await say(ulm.token, 'north')).toBe(200);
  expect(sites).toEqual(['', '', 'west', 'south']);
  expect(problems).toEqual([
    'the PBX cheat says that it is in north, which readers are limited to, so fleet.conf has to say it; write site = north into [pbx:cheat]',
  ]);
});
