import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeRunDirectory } from '../lab/paths.ts';
import { makeHistory } from './history-maker.ts';
import { median, type Output, quantile } from './output.ts';
import { startSidecarFor, withSimulator } from './simulated-pbx.ts';
import { unitFlags } from './unit-flags.ts';

export const DEFAULT_CALLS = 300_000;
const HOLDS = new URL('../lab/turn-holds.ts', import.meta.url).href;
const LEGS = 2000;
const PACE = { reportEveryMs: 5000, callMs: 50_000 };
/** Until as many calls end as begin. */
const SETTLE_MS = 25_000;
const MEASURE_S = 20;
const ASK_EVERY_MS = 20;
const WANTED_MS = 50;
const HOUR_MS = 3_600_000;

interface Answer {
  readonly best: string;
  readonly ms: number;
}

/**
 * What `Gosub(mes-best,s,1(trunk-1,trunk-2))` costs a call: from its connection until it knows the trunk. Null: the sidecar was too late,
 * and let the call go on to the trunk that is named first.
 */
function ask(port: number, script: string): Promise<Answer | null> {
  const { promise, resolve } = Promise.withResolvers<Answer | null>();
  const startedAtMs = performance.now();
  const socket = connect({ host: '127.0.0.1', port });
  const lines = ['agi_network: yes', `agi_network_script: ${script}`, 'agi_uniqueid: 1.1'];
  const words = ['agi_arg_1: trunk-1', 'agi_arg_2: trunk-2', 'agi_arg_3: trunk-3'];
  socket.on('connect', () => socket.write(`${[...lines, ...words].join('\n')}\n\n`));
  socket.on('data', (bytes) => {
    const [, best] = /SET VARIABLE "?MES_BEST"? "?([\w/-]+)/.exec(bytes.toString()) ?? [];
    if (best === undefined) return;
    resolve({ best, ms: performance.now() - startedAtMs });
    socket.write('200 result=1\n');
  });
  socket.on('error', () => {});
  socket.on('close', () => resolve(null));
  return promise;
}

/**
 * Asks for the best trunk fifty times a second, at a sidecar with 2,000 legs up and a long history behind it. Fails when a turn of the
 * event loop takes 50 ms of processor time, which is what holds an answer. How long one takes by the clock depends on what else
 * the machine does.
 */
export async function run(output: Output, calls = DEFAULT_CALLS): Promise<void> {
  const folder = makeRunDirectory('best');
  try {
    mkdirSync(folder, { recursive: true });
    const endMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    output.say(`making a history of ${calls} calls`);
    makeHistory(join(folder, 'mes.sqlite'), { calls, endMs, withIntervals: false });
    const file = join(folder, 'holds');
    process.env['TURN_HOLDS'] = file;
    const turnsMs = (): number[] => readFileSync(file, 'utf8').trim().split('\n').map(Number);
    await withSimulator(async (simulator) => {
      await simulator.load({ recording: '22-lossy-call', pace: PACE, legs: LEGS });
      const { node, environment } = unitFlags();
      const nodeOptions = [...node, '--import', HOLDS];
      const sidecar = await startSidecarFor(simulator, { nodeOptions, environment, dataDirectory: folder });
      try {
        await sleep(SETTLE_MS);
        const written = readFileSync(sidecar.configPath, 'utf8');
        const [, port = '', word] = /^\[agi\]\nbind = \S+:(\d+)\n(?:secret = (\S+))?/m.exec(written) ?? [];
        const script = word === undefined ? 'best' : `best/${word}`;
        const before = turnsMs().length;
        const answers: Promise<Answer | null>[] = [];
        const untilMs = performance.now() + MEASURE_S * 1000;
        while (performance.now() < untilMs) {
          answers.push(ask(Number(port), script));
          await sleep(ASK_EVERY_MS);
        }
        const all = await Promise.all(answers);
        const given = all.filter((answer) => answer !== null);
        const ms = given.map((answer) => answer.ms);
        const trunks = [...new Set(given.map(({ best }) => best))];
        const p99 = quantile(ms, 0.99);
        const turnMs = Math.max(...turnsMs().slice(before));
        output.say(
          `${all.length} questions, ${all.length - given.length} of them too late; answers (${trunks.join(', ')}): median ${median(ms).toFixed(1)}, 99th percentile ${p99.toFixed(1)}, longest ${Math.max(...ms).toFixed(1)} ms; longest turn ${turnMs.toFixed(0)} ms; wanted ${WANTED_MS}`,
        );
        output.result({
          calls,
          legs: LEGS,
          questions: all.length,
          answers: ms.length,
          medianMs: median(ms),
          p99Ms: p99,
          longestMs: Math.max(...ms),
          turnMs,
        });
        if (turnMs >= WANTED_MS) process.exitCode = 1;
      } finally {
        await sidecar.stop();
      }
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
