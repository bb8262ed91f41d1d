import { execFileSync, spawn } from 'node:child_process';
import { type Socket, createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { CaptureAnalysis } from '../../src/capture/capture-analysis.ts';
import { LiveCapture, type LiveCaptureOptions, type LiveCaptureState } from '../../src/capture/live-capture.ts';
import { labObstacle } from '../lab/obstacle.ts';
import { FIXED } from '../unit/capture/captured.ts';
import { childrenOf, isRunning } from './fixtures/processes.ts';
import { rtp } from '../unit/wire/packets.ts';

const hasLab = labObstacle() === undefined;
const PORTS = { from: 39_200, to: 39_260 };
const SOON = { timeout: 30_000, interval: 20 };

interface Live {
  readonly capture: LiveCapture;
  readonly analysis: CaptureAnalysis;
  readonly states: LiveCaptureState[];
}

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

function capture(changes: Partial<LiveCaptureOptions> = {}): Live {
  const analysis = new CaptureAnalysis(FIXED);
  const states: LiveCaptureState[] = [];
  const live = new LiveCapture({
    interface: 'lo',
    ports: PORTS,
    take: (packet) => analysis.take(packet),
    onState: (state) => states.push(state),
    random: () => 0,
    nowMs: Date.now,
    backOffMinMs: 200,
    ...changes,
  });
  running.push(live);
  live.start();
  return { capture: live, analysis, states };
}

/** Sends packets of 20 ms of G.711, 2 ms apart, from one loopback port to another. */
async function talk(sequences: readonly number[], from = PORTS.from, to = PORTS.from + 20): Promise<void> {
  const [sender, receiver] = [createSocket('udp4'), createSocket('udp4')];
  const bind = async (socket: Socket, port: number): Promise<void> => {
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
  };
  await Promise.all([bind(sender, from), bind(receiver, to)]);
  for (const sequence of sequences) {
    sender.send(rtp({ sequence, timestamp: sequence * 160, ssrc: 0xabcdef }), to, '127.0.0.1');
    await sleep(2);
  }
  sender.close();
  receiver.close();
}

const row = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

/** Children of this process whose command line begins with tcpdump. */
function tcpdumpPids(): number[] {
  const table = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' });
  return table.split('\n').flatMap((line) => {
    const [, pid] = /^\s*(\d+) tcpdump .*39200-39260/.exec(line) ?? [];
    return pid === undefined ? [] : [Number(pid)];
  });
}

describe.runIf(hasLab)('live capture', () => {
  test('sees each packet soon, whole calls and the last packet of one', async () => {
    const { analysis, capture: live, states } = capture();
    await vi.waitFor(() => expect(states).toEqual([{ status: 'capturing' }]), SOON);
    await talk(row(0, 200).filter((sequence) => sequence % 50 !== 25));
    const received = (): number =>
      [...analysis.streams].reduce((sum, { packets }) => sum + (packets?.received ?? 0), 0);
    await vi.waitFor(() => expect(received()).toBe(196), SOON);
    const [stream] = analysis.streams;
    expect(stream).toMatchObject({ source: '127.0.0.1:39200', destination: '127.0.0.1:39220', ssrc: 0xabcdef });
    await live.stop();
    expect(analysis.finish().streams).toMatchObject([{ packetsReceived: 196, packetsExpected: 200, packetsLost: 4 }]);
    expect(live).toMatchObject({ droppedByKernel: 0, restarts: 0 });
    expect(tcpdumpPids()).toEqual([]);
  });

  test.each(['127.0.0.1', '::1'])(
    'of RTP takes the headers, and RTCP whole, each by its own tcpdump, over %s',
    async (host) => {
      const sizes = { headers: [] as number[], rtcp: [] as number[] };
      const parts = (['headers', 'rtcp'] as const).map((what) =>
        capture({ what, take: ({ start, end }) => sizes[what].push(end - start) }),
      );
      await vi.waitFor(() => expect(parts.map(({ states }) => states.length)).toEqual([1, 1]), SOON);
      const socket = createSocket(host === '::1' ? 'udp6' : 'udp4');
      const audio = Buffer.concat([rtp({ sequence: 1, timestamp: 160, ssrc: 1 }), Buffer.alloc(160)]);
      // A report of 8 bytes and an XR of 300: RFC 3550's header, then whatever.
      const report = Buffer.concat([Buffer.from('80c90001aabbccdd80cf004a', 'hex'), Buffer.alloc(296)]);
      for (const payload of [audio, report]) socket.send(payload, PORTS.from + 20, host);
      await vi.waitFor(() => expect([sizes.headers.length, sizes.rtcp.length]).toEqual([1, 1]), SOON);
      socket.close();
      const headerBytes = 14 + (host === '::1' ? 40 : 20) + 8;
      expect(sizes).toEqual({ headers: [128], rtcp: [headerBytes + report.length] });
    },
  );

  test('comes back when tcpdump was killed, and then goes on with the stream', async () => {
    const { analysis, capture: live, states } = capture();
    await vi.waitFor(() => expect(states.length).toBe(1), SOON);
    await talk(row(0, 50));
    const received = (): number | undefined => [...analysis.streams][0]?.packets?.received;
    await vi.waitFor(() => expect(received()).toBe(50), SOON);
    const [pid = 0, ...others] = tcpdumpPids();
    expect(others).toEqual([]);
    process.kill(pid, 'SIGKILL');
    await vi.waitFor(
      () => expect(states.map(({ status }) => status)).toEqual(['capturing', 'waiting', 'capturing']),
      SOON,
    );
    expect(states[1]).toEqual({ status: 'waiting', problem: 'Packets are not captured: tcpdump ended with SIGKILL.' });
    await talk(row(60, 100));
    await vi.waitFor(() => expect(received()).toBe(90), SOON);
    expect([...analysis.streams][0]?.packets).toMatchObject({ expected: 100, lost: 10 });
    expect(live.restarts).toBe(1);
  });

  test.each([
    [
      'a user who may not capture',
      { command: ['setpriv', '--reuid', 'nobody', '--clear-groups', '--inh-caps=-all', 'tcpdump'] },
      /^Packets are not captured: tcpdump may not open the network; run "setcap .*group\.$/,
    ],
    [
      'an interface that is not there',
      { interface: 'nowhere0' },
      /there is no interface nowhere0; name one in \[capture\]/,
    ],
    ['no tcpdump', { command: ['tcpdump-that-is-not-here'] }, /there is no program tcpdump; install the package/],
    ['a program that is no tcpdump', { command: ['echo'] }, /^Packets are not captured: tcpdump ended with 0\.$/],
  ] as const)('%s: one sentence, said once, and it tries again', async (_, changes, sentence) => {
    const { states, capture: live } = capture(changes);
    await vi.waitFor(() => expect(live.restarts).toBeGreaterThanOrEqual(1), SOON);
    expect(states).toEqual([{ status: 'waiting', problem: expect.stringMatching(sentence) }]);
    const startMs = performance.now();
    await live.stop();
    expect(performance.now() - startMs).toBeLessThan(5000);
  });

  test.each([
    ['while nobody talks', false],
    // What tcpdump has written and nobody read makes its next write fail in another way.
    ['while packets come', true],
  ])('killed %s, it leaves neither a tcpdump nor who watches over it', async (_, isTalking) => {
    const script = new URL('./fixtures/capture-until-killed.ts', import.meta.url).pathname;
    const ports = { from: PORTS.to + 1, to: PORTS.to + 40 };
    const child = spawn(process.execPath, [script, String(ports.from), String(ports.to)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    expect(line.toString()).toBe('capturing\n');
    const left = childrenOf(child.pid);
    expect([childrenOf(child.pid, 'tcpdump').length, left.length]).toEqual([1, 2]);
    const talking = isTalking ? talk(row(0, 400), ports.from, ports.to) : undefined;
    if (isTalking) await sleep(100);
    expect(left.map(isRunning)).toEqual([true, true]);
    child.kill('SIGKILL');
    await once(child, 'close');
    await vi.waitFor(() => expect(left.map(isRunning)).toEqual([false, false]), SOON);
    await talking;
  });

  test('stopped before it began, it leaves nothing', async () => {
    const { capture: live } = capture();
    await live.stop();
    expect(tcpdumpPids()).toEqual([]);
  });
});
