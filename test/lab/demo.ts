/** `npm run demo`: a real Asterisk, real calls over bad networks, and the sidecar that scores them. */
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { DemoCalls } from './demo-calls.ts';
import { DEMO_PHONES, networkOf } from './demo-phones.ts';
import { type CallAnswer, type ChannelAnswer, callTable, liveTable, phoneOf } from './demo-tables.ts';
import { type Lab, startLab } from './lab.ts';
import { labObstacle, wayAround } from './obstacle.ts';
import { prepareLab } from './prepare.ts';
import { SidecarProcess } from './sidecar-process.ts';
import { inSnakeCase } from './snake-case.ts';

const HOST = '127.0.0.1';
const DEFAULT_PORT = 8090;
/** Asterisk's own default. */
const RTCP_INTERVAL_MS = 5000;
/** Of `--seconds`: what hanging up, the last scores and stopping may take. */
const ENDING_MS = 1500;
/** On a pipe, one line this often. */
const PIPE_INTERVAL_MS = 10_000;
/** How long the last calls may take to be remembered. */
const SETTLE_MS = 10_000;

interface DemoOptions {
  readonly seconds?: number;
  readonly json?: true;
  readonly data?: string;
  readonly port: number;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === 'number') return options;
  const stopping = stopOnSignal();
  const obstacle = labObstacle();
  if (obstacle !== undefined) {
    say(`The demo cannot run here: ${obstacle}.`);
    say(wayAround('npm run demo'));
    return 1;
  }
  let lab: Lab | undefined;
  let sidecar: SidecarProcess | undefined;
  try {
    if (!(await isFree(options.port))) {
      throw new Error(`Port ${options.port} on ${HOST} is in use; end what listens there or give another with --port.`);
    }
    await prepareLab(['22'], { progress: say, signal: stopping });
    const endMs = options.seconds === undefined ? undefined : Date.now() + options.seconds * 1000 - ENDING_MS;
    // The machine may carry real calls, which come before the demo's.
    const lasting = { rtcpIntervalMs: RTCP_INTERVAL_MS, inRealTime: false };
    lab = await startLab({ release: '22', phones: DEMO_PHONES, ...lasting });
    say(`Asterisk ${lab.pbx.version} is up on ${lab.pbx.host}, with ${DEMO_PHONES.length} phones.`);
    if (options.data !== undefined) mkdirSync(options.data, { recursive: true });
    const dataDirectory = options.data === undefined ? {} : { dataDirectory: resolve(options.data) };
    sidecar = await SidecarProcess.start(lab, { httpHost: HOST, httpPort: options.port, ...dataDirectory });
    say(`asterisk-mes scores its calls: ${sidecar.url}/ Ctrl-C ends the demo.`);
    const known = new Set((await readCalls(sidecar)).map(({ linkedid }) => linkedid));
    const calls = new DemoCalls(lab);
    await runCalls(calls, sidecar, stopping, endMs, options.json === true);
    const scored = await endedCalls(sidecar, known, calls.placed);
    if (options.json === true) {
      const document = { asterisk_version: lab.pbx.version, calls: scored.map(withNetwork) };
      process.stdout.write(`${JSON.stringify(document)}\n`);
    } else process.stdout.write(`\n${callTable(scored)}\n`);
    return 0;
  } catch (error) {
    if (stopping.aborted) return 130;
    say(error instanceof Error ? error.message : String(error));
    return 1;
  } finally {
    await sidecar?.stop();
    await lab?.stop();
  }
}

/** The options, or the exit status when there is nothing to run. */
function readOptions(): DemoOptions | number {
  const program = new Command('npm run demo --')
    .description('Real calls on a real Asterisk over bad networks, scored live.')
    .option('--seconds <n>', 'end by itself after so many seconds (at least 10)', wholeNumber(10, 86_400))
    .option('--json', 'print one JSON document at the end and nothing else')
    .option('--data <dir>', 'keep the database there')
    .option('--port <n>', 'of REST on 127.0.0.1', wholeNumber(1, 65_535), DEFAULT_PORT)
    .exitOverride();
  try {
    return program.parse().opts<DemoOptions>();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
}

function wholeNumber(from: number, to: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= from && value <= to) return value;
    throw new InvalidArgumentError(`It is a whole number from ${from} to ${to}.`);
  };
}

/** Aborted by the first signal, which ends the demo in good order; the second ends it at once. */
function stopOnSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort();
    });
  }
  return controller.signal;
}

/** Places calls and shows them until the time is over, a signal comes, or something breaks. */
async function runCalls(
  calls: DemoCalls,
  sidecar: SidecarProcess,
  stopping: AbortSignal,
  endMs: number | undefined,
  isQuiet: boolean,
): Promise<void> {
  const over = endMs === undefined ? [] : [AbortSignal.timeout(Math.max(0, endMs - Date.now()))];
  const done = new AbortController();
  const end = AbortSignal.any([stopping, done.signal, ...over]);
  const shown = show(calls, sidecar, end, isQuiet).catch((error: unknown) => {
    done.abort();
    throw error;
  });
  const placed = calls.run(end, endMs).finally(() => done.abort());
  const [first] = (await Promise.allSettled([placed, shown])).filter((result) => result.status === 'rejected');
  if (first !== undefined) throw first.reason;
}

/** A table once a second on a terminal, a line now and then elsewhere. Throws when the sidecar is gone. */
async function show(calls: DemoCalls, sidecar: SidecarProcess, end: AbortSignal, isQuiet: boolean): Promise<void> {
  const isTerminal = !isQuiet && process.stdout.isTTY;
  const startMs = Date.now();
  let lastLineMs = startMs;
  while (!end.aborted) {
    await sleep(1000, undefined, { signal: end }).catch(() => undefined);
    if (!sidecar.isRunning) throw new Error(`The sidecar ended. Its last words:\n${sidecar.output.trim()}`);
    if (end.aborted || isQuiet) continue;
    const { channels } = await sidecar.get<{ channels: ChannelAnswer[] }>('/v1/live');
    const line = summary(channels, calls.placed, Date.now() - startMs);
    if (isTerminal) {
      const text = `${line}\n\n${liveTable(channels)}\n\n${sidecar.url}/   Ctrl-C ends the demo\n`;
      process.stdout.write(`\u001B[H${text.replaceAll('\n', '\u001B[K\n')}\u001B[J`);
    } else if (Date.now() - lastLineMs >= PIPE_INTERVAL_MS) {
      lastLineMs = Date.now();
      process.stdout.write(`${line}\n`);
    }
  }
}

function summary(channels: readonly ChannelAnswer[], placed: number, elapsedMs: number): string {
  const up = new Set(channels.map(({ linkedid }) => linkedid)).size;
  const scored = channels.filter((channel) => channel.mes !== null);
  const [worst] = [...scored].sort((one, other) => (one.mes ?? 0) - (other.mes ?? 0));
  const name = worst === undefined ? '' : phoneOf(worst);
  const bad = worst === undefined ? '' : `; worst ${worst.mes?.toFixed(2)} at ${name} (${networkOf(name).name})`;
  return `${Math.round(elapsedMs / 1000)} s: ${placed} calls placed, ${up} up${bad}`;
}

/** All calls of this demo, once each has its end in the history. Throws when that does not happen in time. */
async function endedCalls(sidecar: SidecarProcess, known: ReadonlySet<string>, placed: number): Promise<CallAnswer[]> {
  const deadlineMs = Date.now() + SETTLE_MS;
  for (;;) {
    const calls = (await readCalls(sidecar)).filter(({ linkedid }) => !known.has(linkedid));
    const ended = calls.filter((call) => call.ended_at !== null);
    if (ended.length >= placed) {
      return Promise.all(
        ended.map((call) => sidecar.get<CallAnswer>(`/v1/calls/${encodeURIComponent(call.linkedid)}`)),
      );
    }
    if (Date.now() > deadlineMs) {
      throw new Error(`${placed} calls were placed, but the sidecar remembers the end of ${ended.length} only.`);
    }
    await sleep(200);
  }
}

async function readCalls(sidecar: SidecarProcess): Promise<CallAnswer[]> {
  const calls: CallAnswer[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await sidecar.get<{ calls: CallAnswer[]; next_cursor: string | null }>(`/v1/calls?limit=100${query}`);
    calls.push(...page.calls);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return calls;
}

/** The call with what the relay was told to do, phone by phone. */
function withNetwork(call: CallAnswer): object {
  const network = Object.fromEntries(call.channels.map((channel) => [phoneOf(channel), networkOf(phoneOf(channel))]));
  return { ...call, network: inSnakeCase(network) };
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isListening = await new Promise<boolean>((done) => {
    server.once('error', () => done(false));
    server.listen(port, HOST, () => done(true));
  });
  if (!isListening) return false;
  await new Promise((done) => {
    server.close(done);
  });
  return true;
}

process.exitCode = await main();
