import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type SimulatedProcess, type SimulatorStatus } from '../lab/simulated-process.ts';
import type { SidecarProcess } from '../lab/sidecar-process.ts';
import { median, type Output } from './output.ts';
import { withCompiledPackage } from './compiled-package.ts';
import { startSidecarFor, withSimulator } from './simulated-pbx.ts';

const READER = fileURLToPath(new URL('./event-reader.ts', import.meta.url));
const SCENARIOS = ['lossy-call', 'lossy-call-g722', 'transcoded-call'];
const RECORDINGS = SCENARIOS.flatMap((name) => [`22-${name}`, `16-${name}`]);
/** Asterisk's own pace, and short calls, as `npm run bench -- live` has them. */
const PACE = { reportEveryMs: 5000, callMs: 50_000 };
/** Some seconds of work for each: of a fifth as many, what a cold process compiles takes half the time. */
const EVENTS = 400_000;
const CALLS_AT_ONCE = 100;
const RUNS = 5;
const WANTED_RATIO = 2;
const POLL_MS = 25;
const TIMEOUT_MS = 120_000;

/**
 * The same bytes of recorded calls to the sidecar, which parses, scores and commits them to SQLite (write-back off, since
 * nobody waits for it here), to `asterisk-manager`,
 * which only parses them, and to a bare socket, by turns, each in a process of its own; the sidecar is the compiled package
 * that npm users get. Fails when we are not twice as fast as `asterisk-manager`, or when a report was dropped or rejected.
 */
export async function run(output: Output): Promise<void> {
  await withCompiledPackage((entry) => withSimulator((simulator) => compare(output, simulator, entry)));
}

async function compare(output: Output, simulator: SimulatedProcess, entry: string): Promise<void> {
  const plan = { recordings: RECORDINGS, pace: PACE, events: EVENTS, callsAtOnce: CALLS_AT_ONCE };
  const { flood, connection } = await simulator.makeFlood(plan);
  if (flood === null) throw new Error('the simulated Asterisk made no flood');
  output.say(`${flood.events} events (${flood.reports} reports), ${Math.round(flood.bytes / 1e6)} MB`);
  const seconds = { ours: [] as number[], asteriskManager: [] as number[], socket: [] as number[] };
  for (let turn = 0; turn < RUNS; turn += 1) {
    seconds.ours.push(await ingest(simulator, flood, entry));
    const login = [connection.host, String(connection.port), connection.username, connection.secret];
    seconds.asteriskManager.push(await read(simulator, ['asterisk-manager', ...login, String(flood.events)]));
    seconds.socket.push(await read(simulator, ['socket', ...login, String(flood.bytes)]));
  }
  const rate = (of: readonly number[]): number => flood.events / median(of);
  const ours = rate(seconds.ours);
  const ratio = ours / rate(seconds.asteriskManager);
  const share = ours / rate(seconds.socket);
  output.say(`asterisk-mes      ${Math.round(ours)} events/s parsed, scored and committed (median of ${RUNS})`);
  output.say(`asterisk-manager  ${Math.round(rate(seconds.asteriskManager))} events/s parsed`);
  output.say(`socket alone      ${Math.round(rate(seconds.socket))} events/s carried`);
  output.say(
    `ratio             ${ratio.toFixed(2)} of asterisk-manager (wanted: ${WANTED_RATIO}), ${(100 * share).toFixed(1)} % of the socket`,
  );
  output.result({
    events: flood.events,
    reports: flood.reports,
    bytes: flood.bytes,
    seconds: { asterisk_mes: seconds.ours, asterisk_manager: seconds.asteriskManager, socket: seconds.socket },
    ratio_to_asterisk_manager: ratio,
    share_of_socket: share,
  });
  if (ratio < WANTED_RATIO) process.exitCode = 1;
}

interface IngestHealth {
  readonly counters: Readonly<Record<string, number>>;
}

/** Seconds until all of the flood is in a new sidecar's database. */
export async function ingest(
  simulator: SimulatedProcess,
  flood: NonNullable<SimulatorStatus['flood']>,
  entry: string,
): Promise<number> {
  const sidecar = await startSidecarFor(simulator, { entry, extraConfig: '[writeback]\nvariables = no\ncdr = no\n' });
  try {
    const startMs = performance.now();
    await simulator.pour();
    await committed(sidecar, flood.reports, startMs);
    return (performance.now() - startMs) / 1000;
  } finally {
    await sidecar.stop();
  }
}

async function committed(sidecar: SidecarProcess, reports: number, startMs: number): Promise<void> {
  for (;;) {
    const { counters } = await sidecar.get<IngestHealth>('/healthz');
    const { calls_reports: taken = 0, calls_late_reports: late = 0, history_queued: queued = 0 } = counters;
    const { history_dropped: dropped = 0, history_rejected: rejected = 0 } = counters;
    if (dropped + rejected > 0) throw new Error(`${dropped} changes dropped, ${rejected} rejected`);
    if (taken + late >= reports && queued === 0) return;
    if (performance.now() - startMs > TIMEOUT_MS) throw new Error(`only ${taken} of ${reports} reports came`);
    await sleep(POLL_MS);
  }
}

/** Seconds until a reader of ours has got all of the flood. */
export async function read(simulator: SimulatedProcess, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [READER, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  child.stdout.setEncoding('utf8');
  await Promise.race([once(child.stdout, 'data'), ended]);
  const startMs = performance.now();
  await Promise.all([simulator.pour(), ended]);
  return (performance.now() - startMs) / 1000;
}
