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
import { unitFlags } from './unit-flags.ts';

const HOLDS = new URL('../lab/turn-holds.ts', import.meta.url).href;
const LEGS = 2000;
const PACE = { reportEveryMs: 5000, callMs: 50_000 };
const SETTLE_MS = 25_000;
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

/** Packets that nobody takes go to these ports. */
const RTP_PORTS = { first: 38_000, last: 38_099 };

interface Crowd {
  readonly name: string;
  readonly program: string;
  readonly words: readonly string[];
  /** What the program prints a number of. */
  readonly printed: string;
}

/**
 * Hang-ups, fifty a second, at a sidecar with 2,000 channels up: first alone, then beside a crowd of 300 connections that
 * asks REST for all it can, one of 400 at the FastAGI port, and 20,000 packets a second of strangers at the RTP ports, which it
 * captures (`test/lab/*crowd.ts`). Fails when a turn of the event loop takes 50 ms of processor time beside
 * a crowd: that is what holds a hang-up. How long it takes by the clock depends on what else the machine does.
 */
export async function run(output: Output): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mes-crowd-'));
  const file = join(folder, 'holds');
  process.env['TURN_HOLDS'] = file;
  /** The longest turn of each second since the last time. */
  let read = 0;
  const longestTurnMs = (): number => {
    const all = readFileSync(file, 'utf8').trim().split('\n').map(Number);
    const fresh = all.slice(read);
    read = all.length;
    return Math.max(...fresh);
  };
  const config = `[capture]\nenabled = yes\ninterface = lo\nports = ${RTP_PORTS.first}-${RTP_PORTS.last}\n`;
  try {
    await withSimulator(async (simulator) => {
      await simulator.load({ recording: '22-lossy-call', pace: PACE, legs: LEGS });
      const { node, environment } = unitFlags();
      const nodeOptions = [...node, '--import', HOLDS];
      const sidecar = await startSidecarFor(simulator, { nodeOptions, environment, extraConfig: config });
      try {
        await sleep(SETTLE_MS);
        longestTurnMs();
        const written = readFileSync(sidecar.configPath, 'utf8');
        const [, address = '', word] = /^\[agi\]\nbind = (\S+)\n(?:secret = (\S+))?/m.exec(written) ?? [];
        const [port, secret] = [Number(address.split(':')[1]), word === undefined ? '' : `/${word}`];
        const alone = await measure(port, secret, MEASURE_S);
        const aloneTurnMs = longestTurnMs();
        output.say(`alone: ${alone.length} hang-ups, ${told(alone)}; longest turn ${aloneTurnMs.toFixed(0)} ms`);
        const crowds: readonly Crowd[] = [
          { name: 'REST', program: 'crowd', words: [new URL(sidecar.url).host], printed: 'answers' },
          { name: 'FastAGI', program: 'agi-crowd', words: [address], printed: 'connections' },
          { name: 'packets', program: 'packet-crowd', words: [String(RTP_PORTS.first)], printed: 'packets' },
        ];
        const result: Record<string, unknown> = { alone, aloneTurnMs };
        for (const { name, program, words, printed } of crowds) {
          const script = fileURLToPath(new URL(`../lab/${program}.ts`, import.meta.url));
          const before = usageOf(sidecar.pid ?? 0).cpuS;
          const crowd = promisify(execFile)(process.execPath, [script, ...words, String(MEASURE_S)]);
          const held = await measure(port, secret, MEASURE_S);
          const { stdout } = await crowd;
          const turnMs = longestTurnMs();
          const { residentMb, cpuS } = usageOf(sidecar.pid ?? 0);
          const corePercent = (100 * (cpuS - before)) / MEASURE_S;
          output.say(
            `${name}: ${held.length} hang-ups, ${told(held)}; longest turn ${turnMs.toFixed(0)} ms; ${corePercent.toFixed(0)} % of a core, ${residentMb.toFixed(0)} MB; ${stdout.trim()} ${printed}`,
          );
          result[name] = { held, turnMs, corePercent, residentMb };
          if (turnMs >= MOST_MS) process.exitCode = 1;
        }
        output.result(result);
      } finally {
        await sidecar.stop();
      }
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
