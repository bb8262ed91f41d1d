import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { median, type Output, quantile } from './output.ts';
import { usageOf } from './process-usage.ts';
import { startSidecarFor, withSimulator } from './simulated-pbx.ts';

const CROWD = fileURLToPath(new URL('../lab/crowd.ts', import.meta.url));
const HOLDS = new URL('../lab/turn-holds.ts', import.meta.url).href;
const LEGS = 2000;
const PACE = { reportEveryMs: 5000, callMs: 50_000 };
const SETTLE_MS = 15_000;
const MEASURE_S = 20;
const HANGUP_EVERY_MS = 20;
const MOST_MS = 50;

/** How long a hang-up is held, ms: from its connection until the sidecar lets it go. */
function hangUp(port: number, secret: string): Promise<number> {
  return new Promise((resolve) => {
    const startedAtMs = performance.now();
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('connect', () =>
      socket.write(`agi_network: yes\nagi_network_script: hangup${secret}\nagi_uniqueid: 1.1\n\n`),
    );
    socket.on('data', () => socket.write('200 result=0\n'));
    socket.on('error', () => {});
    socket.on('close', () => resolve(performance.now() - startedAtMs));
  });
}

async function measure(port: number, secret: string, seconds: number): Promise<number[]> {
  const held: Promise<number>[] = [];
  const untilMs = performance.now() + seconds * 1000;
  while (performance.now() < untilMs) {
    held.push(hangUp(port, secret));
    await sleep(HANGUP_EVERY_MS);
  }
  return Promise.all(held);
}

function told(heldMs: readonly number[]): string {
  return `median ${median(heldMs).toFixed(1)}, 99th percentile ${quantile(heldMs, 0.99).toFixed(1)}, longest ${Math.max(...heldMs).toFixed(1)} ms`;
}

/**
 * Hang-ups, fifty a second, at a sidecar with 2,000 channels up: first alone, then beside a crowd of 300 connections that
 * asks REST for all it can (`test/lab/crowd.ts`). Fails when a turn of the event loop takes 50 ms of processor time beside
 * the crowd: that is what holds a hang-up. How long it takes by the clock depends on what else the machine does.
 */
export async function run(output: Output): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mes-crowd-'));
  const file = join(folder, 'holds');
  process.env['TURN_HOLDS'] = file;
  /** The longest turn of each second since the last time. */
  let read = 0;
  const holdsMs = (): number[] => {
    const all = readFileSync(file, 'utf8').trim().split('\n').map(Number);
    const fresh = all.slice(read);
    read = all.length;
    return fresh;
  };
  try {
    await withSimulator(async (simulator) => {
      await simulator.load({ recording: '22-lossy-call', pace: PACE, legs: LEGS });
      const sidecar = await startSidecarFor(simulator, { nodeOptions: ['--import', HOLDS] });
      try {
        await sleep(SETTLE_MS);
        holdsMs();
        const config = readFileSync(sidecar.configPath, 'utf8');
        const [, address = '', word] = /^\[agi\]\nbind = \S+:(\d+)\n(?:secret = (\S+))?/m.exec(config) ?? [];
        const [port, secret] = [Number(address), word === undefined ? '' : `/${word}`];
        const alone = await measure(port, secret, MEASURE_S);
        const aloneHoldMs = Math.max(...holdsMs());
        output.say(`alone: ${alone.length} hang-ups, ${told(alone)}; longest turn ${aloneHoldMs.toFixed(0)} ms`);
        const crowd = promisify(execFile)(process.execPath, [CROWD, new URL(sidecar.url).host, String(MEASURE_S)]);
        const crowded = await measure(port, secret, MEASURE_S);
        const { stdout } = await crowd;
        const crowdedHoldMs = Math.max(...holdsMs());
        const residentMb = sidecar.pid === undefined ? Number.NaN : usageOf(sidecar.pid).residentMb;
        output.say(
          `beside a crowd: ${crowded.length} hang-ups, ${told(crowded)}; longest turn ${crowdedHoldMs.toFixed(0)} ms; ${residentMb.toFixed(0)} MB resident; the crowd got ${stdout.trim()} answers`,
        );
        output.result({ alone, aloneHoldMs, crowded, crowdedHoldMs, residentMb });
        if (crowdedHoldMs >= MOST_MS) process.exitCode = 1;
      } finally {
        await sidecar.stop();
      }
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
