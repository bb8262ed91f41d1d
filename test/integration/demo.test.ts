import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { freePort } from '../lab/addresses.ts';
import { DEMO_PBXS, WAVES } from '../lab/demo-phones.ts';
import type { CallAnswer } from '../lab/demo-tables.ts';
import { labIsReady } from '../lab/obstacle.ts';
import { type LabTraces, leftoversOf } from './fixtures/leftovers.ts';
import { soon } from './fixtures/sidecar-checks.ts';

const hasLab = labIsReady();
const DEMO = fileURLToPath(new URL('../lab/demo.ts', import.meta.url));

interface Demo {
  readonly process: ChildProcess;
  readonly ended: Promise<{ status: number | null; stdout: string; stderr: string }>;
  /** Resolves when the demo's standard error says so. */
  says(text: string): Promise<string>;
}

const demos: ChildProcess[] = [];

function startDemo(...words: string[]): Demo {
  const child = spawn(process.execPath, [DEMO, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  demos.push(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return {
    process: child,
    ended: new Promise((resolve) => {
      child.once('close', (status) => resolve({ status, stdout, stderr }));
    }),
    says: (text) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (stderr.includes(text)) resolve(stderr);
        };
        child.stderr.on('data', look);
        look();
      }),
  };
}

/** The lab's address is all that the demo tells; sockets there tell of processes, too. */
function tracesFrom(stderr: string, child: ChildProcess): LabTraces {
  const host = /is up on (127\.\d+\.\d+\.1)/.exec(stderr)?.[1] ?? '';
  expect(host).not.toBe('');
  return { host, pids: [child.pid], directories: [`-${child.pid}.`] };
}

const randomPort = (): Promise<number> => freePort('127.0.0.1', 18_300 + Math.floor(Math.random() * 1000));

describe.runIf(hasLab)('npm run demo', () => {
  afterAll(() => {
    for (const demo of demos) demo.kill('SIGKILL');
  });

  // Beside the others, since it mostly waits.
  test.concurrent('--json prints one document with a scored call over every network, and nothing is left', async () => {
    const demo = startDemo('--seconds', '24', '--json', '--port', String(await randomPort()));
    const startedAtMs = Date.now();
    const { status, stdout, stderr } = await demo.ended;
    expect(stderr).not.toContain('Error');
    expect(status).toBe(0);
    // What ending may take is set aside; a busy machine takes longer to begin and to end.
    expect(Date.now() - startedAtMs).toBeGreaterThan(20_000);
    expect(Date.now() - startedAtMs).toBeLessThan(120_000);
    const document = JSON.parse(stdout) as {
      asterisk_version: string;
      calls: (CallAnswer & { network: Record<string, { name: string; rx: Record<string, unknown> }> })[];
    };
    expect(Object.keys(document)).toStrictEqual(['asterisk_version', 'calls']);
    expect(document.asterisk_version).toMatch(/^22\./);
    expect(document.calls).toHaveLength(WAVES[0]?.length ?? 0);
    const over = (name: string) =>
      document.calls.find(({ network }) => Object.values(network).some((part) => part.name === name));
    for (const name of ['lossy', 'jittery', 'far away', 'bursty', 'one-way']) {
      const call = over(name);
      expect(call?.channels).toHaveLength(2);
      expect(call?.mes).toBeGreaterThan(1);
      expect(call?.mes).toBeLessThan(4.4);
    }
    const good = document.calls.find(({ network }) => Object.values(network).every((part) => part.name === 'good'));
    // 4.36 and more, but for the jitter of a busy machine.
    expect(good?.mes).toBeGreaterThan(4.2);
    expect(good?.mes).toBeLessThanOrEqual(4.41);
    expect(over('one-way')?.mes).toBeLessThan(3.6);
    // Of the phones' Asterisk and of baresip.
    for (const name of ['heidi', 'boris']) {
      const parts = document.calls.flatMap(({ network }) => network[name] ?? []);
      expect(parts.map(({ rx }) => rx['loss_ratio'])).toEqual([0.05]);
    }
    expect(await leftoversOf(tracesFrom(stderr, demo.process))).toStrictEqual([]);
  });

  describe.concurrent('beside it', () => {
    describe('one after the other', { concurrent: false }, () => {
      testOthers();
    });
  });
});

function testOthers(): void {
  test('Ctrl-C in the middle of calls ends it in good order', async () => {
    const demo = startDemo('--port', String(await randomPort()));
    await demo.says('Ctrl-C ends the demo');
    await new Promise((resolve) => {
      setTimeout(resolve, 3000);
    });
    demo.process.kill('SIGINT');
    const { status, stdout, stderr } = await demo.ended;
    expect(status).toBe(0);
    expect(stdout).toContain('alice → bob');
    expect(await leftoversOf(tracesFrom(stderr, demo.process))).toStrictEqual([]);
  });

  test('--fleet shows the calls of two Asterisks on one page, ends by itself, and leaves nothing', async () => {
    const port = String(await randomPort());
    const demo = startDemo('--fleet', '--seconds', '10', '--json', '--port', port);
    const startedAtMs = Date.now();
    await demo.says('Ctrl-C ends the demo');
    const names = ['office-berlin', 'office-bonn'];
    const seen = new Set<string>();
    const look = async (): Promise<string[]> => {
      const answer = await fetch(`http://127.0.0.1:${port}/v1/live?fields=summary`);
      const { channels } = (await answer.json()) as { channels: { pbx: string }[] };
      for (const { pbx } of channels) seen.add(pbx);
      return [...seen].toSorted();
    };
    // Each PBX tells every five seconds.
    await soon(async () => expect(await look()).toEqual(names));
    const { status, stdout, stderr } = await demo.ended;
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('Error')]);
    // A busy machine takes longer to begin and to end.
    expect(Date.now() - startedAtMs).toBeLessThan(120_000);
    const { calls } = JSON.parse(stdout) as { calls: (CallAnswer & { network: object })[] };
    for (const { name, waves } of DEMO_PBXS) {
      const own = calls.filter(({ pbx }) => pbx === name);
      const phones = own.map(({ network }) => Object.keys(network).toSorted().join(' '));
      expect(own.length).toBeGreaterThan(0);
      const planned = waves[0].map((pair) => [...pair].toSorted().join(' '));
      expect(planned).toEqual(expect.arrayContaining(phones));
      expect(own.every((call) => call.ended_at !== null && call.channels.length === 2)).toBe(true);
    }
    expect(new Set(calls.map(({ pbx }) => pbx))).toEqual(new Set(names));
    const hosts = [...stderr.matchAll(/is up on (127\.\d+\.\d+\.1)/g)].map(([, host]) => host ?? '');
    expect(hosts).toHaveLength(2);
    for (const host of hosts)
      expect(await leftoversOf({ host, pids: [demo.process.pid], directories: [`-${demo.process.pid}.`] })).toEqual([]);
  });

  test('a port in use is named in one sentence', async () => {
    const server = createServer();
    const port = await randomPort();
    await new Promise<void>((resolve) => {
      server.listen(port, '127.0.0.1', resolve);
    });
    const { status, stdout, stderr } = await startDemo('--port', String(port)).ended;
    server.close();
    expect({ status, stdout }).toStrictEqual({ status: 1, stdout: '' });
    expect(stderr).toBe(`Port ${port} on 127.0.0.1 is in use; end what listens there or give another with --port.\n`);
  });

  test.each([
    ['--seconds', '5'],
    ['--seconds', 'soon'],
    ['--port', '0'],
    ['--loud', 'yes'],
  ])('wrong usage (%s %s) is refused with status 2', async (...words) => {
    const { status, stdout, stderr } = await startDemo(...words).ended;
    expect({ status, stdout }).toStrictEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^error: /);
  });
}
