import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CaptureAnalysis } from '../../src/capture/capture-analysis.ts';
import { LiveCapture } from '../../src/capture/live-capture.ts';
import { REPOSITORY } from '../lab/paths.ts';
import { usageOf } from './process-usage.ts';

const PACKETS_PER_S = 100_000;
const SECONDS = 10;
const PORTS = { from: 38_000, to: 38_099 };
const SINK_PORT = 38_090;
const WANTED_CORES = 0.5;
const START_TIMEOUT_MS = 10_000;

/**
 * 100,000 RTP packets/s in 2,000 streams over loopback for 10 s, captured and analysed as the sidecar does. Prints how much of
 * a processor core that took, tcpdump's share included. Fails when it was half a core or more, or when a packet is missing.
 */
export async function run(): Promise<void> {
  const analysis = new CaptureAnalysis({ gmin: 16, jitterBuffer: { kind: 'fixed', nominalMs: 60 }, keepsBursts: true });
  const started = Promise.withResolvers<boolean>();
  const live = new LiveCapture({
    interface: 'lo',
    ports: PORTS,
    take: (packet) => analysis.take(packet),
    onState: (state) => started.resolve(state.status === 'capturing'),
    random: Math.random,
    nowMs: Date.now,
  });
  const sink = await openSink();
  try {
    live.start();
    const isCapturing = await Promise.race([started.promise, sleep(START_TIMEOUT_MS, false)]);
    if (!isCapturing) throw new Error('tcpdump does not capture; this bench needs it, and root.');
    const tcpdump = childPid('tcpdump');
    const before = { own: process.cpuUsage(), tcpdumpS: usageOf(tcpdump).cpuS, atMs: performance.now() };
    const sent = await send();
    await letTimersRun(analysis);
    const elapsedS = (performance.now() - before.atMs) / 1000;
    const { user, system } = process.cpuUsage(before.own);
    const own = (user + system) / 1e6 / elapsedS;
    const theirs = (usageOf(tcpdump).cpuS - before.tcpdumpS) / elapsedS;
    await live.stop();
    const streams = [...analysis.streams];
    const received = streams.reduce((sum, { packets }) => sum + (packets?.received ?? 0), 0);
    say(`${Math.round(sent / elapsedS)} packets/s over ${elapsedS.toFixed(1)} s in ${streams.length} streams`);
    say(`${sent} sent, ${received} taken, ${live.droppedByKernel} dropped by the kernel`);
    const cores = own + theirs;
    say(
      `${cores.toFixed(2)} of a core (wanted: under ${WANTED_CORES}): analysis ${own.toFixed(2)}, tcpdump ${theirs.toFixed(2)}`,
    );
    if (cores >= WANTED_CORES || received !== sent) process.exitCode = 1;
  } finally {
    await live.stop();
    sink.kill('SIGKILL');
  }
}

async function send(): Promise<number> {
  const words = [SINK_PORT, PORTS.from, PACKETS_PER_S, SECONDS].map(String);
  const sender = spawn(process.execPath, [join(REPOSITORY, 'test/bench/rtp-sender.ts'), ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  sender.stdout.setEncoding('utf8').on('data', (more: string) => (text += more));
  const [status] = (await once(sender, 'close')) as [number | null];
  if (status !== 0) throw new Error(`The sender ended with ${status}.`);
  return Number(text);
}

/** A socket that nobody reads: the kernel throws away what comes, and says nothing about it. */
async function openSink(): Promise<ChildProcess> {
  const script = `require('node:dgram').createSocket('udp4').bind(${SINK_PORT}, '127.0.0.1', () => process.send('open'))`;
  const sink = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  await once(sink, 'message');
  sink.kill('SIGSTOP');
  return sink;
}

/** Waits until nothing more comes. */
async function letTimersRun(analysis: CaptureAnalysis): Promise<void> {
  for (let before = -1; before !== analysis.packets;) {
    before = analysis.packets;
    await sleep(200);
  }
}

function childPid(name: string): number {
  const pids = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ').map(Number);
  const pid = pids.find((candidate) => readFileSync(`/proc/${candidate}/comm`, 'utf8').trim() === name);
  if (pid === undefined) throw new Error(`There is no child ${name}.`);
  return pid;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
