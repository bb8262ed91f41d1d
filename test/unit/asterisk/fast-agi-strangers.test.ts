import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { asteriskAnswers, environment, hangUp, IN_EARNEST, rig, SLACK_MS, values } from './agi-rig.ts';

describe('FastAgiServer, whoever calls', () => {
  it('speaks with the configured peers only, and says once who else came', async () => {
    const strangers: string[] = [];
    const { server, port, asked } = await rig({
      peers: [
        { address: '127.0.0.2', family: 'ipv4', prefixLength: 32 },
        { address: '127.0.1.0', family: 'ipv4', prefixLength: 24 },
        { address: '2001:db8::', family: 'ipv6', prefixLength: 32 },
      ],
      onStranger: (address) => strangers.push(address),
    });
    for (const from of ['127.0.0.1', '127.0.0.3', '127.0.0.1']) {
      expect((await hangUp(port, environment(), asteriskAnswers, from)).commands).toEqual([]);
    }
    expect(asked).toEqual([]);
    expect(strangers).toEqual(['127.0.0.1', '127.0.0.3']);
    for (const from of ['127.0.0.2', '127.0.1.99']) {
      expect((await hangUp(port, environment(), asteriskAnswers, from)).commands).toHaveLength(2);
    }
    expect(server.counters).toEqual({ answered: 2, unknown: 0, late: 0, failed: 0, refused: 3 });
  });

  it('gives up on whoever sends a byte at a time', async () => {
    const { server, port } = await rig(IN_EARNEST);
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    const drip = setInterval(() => socket.write('a'), 5);
    const startMs = performance.now();
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(drip);
    expect(performance.now() - startMs).toBeLessThan(50 + SLACK_MS);
    expect(server.counters.late).toBe(1);
  });

  it.each([
    ['megabytes without a line end', Buffer.alloc(4_000_000, 0x41)],
    ['NUL bytes', Buffer.alloc(20_000)],
    ['lines without end', 'agi_arg_1: x\n'.repeat(100_000)],
    ['HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a NUL in a name', 'agi_net\0work: yes\n\n'],
  ])('turns away %s', async (_what, opening) => {
    const { server, port, asked } = await rig();
    const { commands, tookMs } = await hangUp(port, opening);
    expect(commands).toEqual([]);
    expect(asked).toEqual([]);
    expect(tookMs).toBeLessThan(50 + SLACK_MS);
    expect(server.counters.failed).toBe(1);
    expect((await hangUp(port)).commands).toHaveLength(2);
  });

  it('stands an Asterisk that breaks off at any moment', async () => {
    const { server, port } = await rig();
    for (const opening of ['', 'agi_network: yes\n', environment()]) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      await new Promise((resolve) => socket.once('connect', resolve));
      socket.write(opening, () => socket.destroy());
      await new Promise((resolve) => socket.once('close', resolve));
    }
    await hangUp(port, environment(), (_command, socket) => {
      socket.destroy();
      return undefined;
    });
    expect((await hangUp(port)).commands).toHaveLength(2);
    expect(server.counters.answered).toBe(1);
  });

  it('survives final scores that throw, or that hold what no score holds', async () => {
    const throwing = await rig({ onHangup: () => Promise.reject(new Error('a fault')) });
    await hangUp(throwing.port);
    const hostile = await rig({ onHangup: () => Promise.resolve(values({ MES: '1"\nHANGUP' })) });
    expect((await hangUp(hostile.port)).commands).toHaveLength(1);
    expect([throwing.server.counters.failed, hostile.server.counters.failed]).toEqual([1, 1]);
  });

  it('lets five hundred hang-ups at the same moment go, answered or not, and is there for the next', async () => {
    const { server, port } = await rig(IN_EARNEST);
    const all = await Promise.all(
      Array.from({ length: 500 }, (_, index) => hangUp(port, environment('hangup', `1.${index}`))),
    );
    const { answered, late } = server.counters;
    const slowestMs = Math.round(Math.max(...all.map(({ tookMs }) => tookMs)));
    // These 500 clients and the server share one thread; late is who had to wait for it, and Asterisk goes on without.
    process.stdout.write(`500 hang-ups at once: ${JSON.stringify({ answered, late, slowestMs })}\n`);
    expect(answered + late).toBe(500);
    expect(answered).toBeGreaterThan(0);
    expect(all.every(({ commands }) => commands.length <= 2)).toBe(true);
    expect((await hangUp(port)).commands).toHaveLength(2);
    expect(server.counters).toMatchObject({ answered: answered + 1, failed: 0, refused: 0 });
  });

  it('a flood of lines costs one conversation, not the time of others', async () => {
    const { server, port } = await rig();
    const flood = new Uint8Array(Buffer.from('agi_x: y\n'.repeat(7000)));
    expect((await hangUp(port, flood)).commands).toEqual([]);
    expect(server.counters.failed).toBe(1);
    expect((await hangUp(port)).commands).toHaveLength(2);
  });
});

describe('a secret', () => {
  const SECRET = 'o2Jq-w_8Zt4mK1yR';

  it("is the end of the script's name, and nothing else gets an answer", async () => {
    const told: number[] = [];
    const { server, port, asked } = await rig({ secret: SECRET, onWrongSecret: () => told.push(1) });
    const wrong = [
      'hangup',
      'hangup/',
      `hangup/${SECRET}x`,
      `hangup/${SECRET.slice(1)}`,
      `hangup?${SECRET}`,
      SECRET,
      '',
    ];
    for (const script of wrong) expect((await hangUp(port, environment(script))).commands).toEqual([]);
    expect([asked, server.counters.refused, told]).toEqual([[], wrong.length, [1]]);
    expect((await hangUp(port, environment(`hangup/${SECRET}`))).commands).toHaveLength(2);
    expect(asked.map(({ uniqueid }) => uniqueid)).toEqual(['1795171767.22']);
  });

  it('that is not set is not asked for, and one that is set while it runs counts at once', async () => {
    const { server, port, asked } = await rig({ secret: null });
    expect((await hangUp(port, environment(`hangup/${SECRET}`))).commands).toEqual([]);
    expect((await hangUp(port)).commands).toHaveLength(2);
    server.change({ secret: SECRET, peers: [{ address: '127.0.0.1', family: 'ipv4', prefixLength: 32 }] });
    expect((await hangUp(port)).commands).toEqual([]);
    expect((await hangUp(port, environment(`hangup/${SECRET}`))).commands).toHaveLength(2);
    server.change({ secret: SECRET, peers: [{ address: '192.0.2.1', family: 'ipv4', prefixLength: 32 }] });
    expect((await hangUp(port, environment(`hangup/${SECRET}`))).commands).toEqual([]);
    expect([asked.length, server.counters.answered]).toEqual([2, 2]);
  });
});
