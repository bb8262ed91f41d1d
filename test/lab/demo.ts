/** `npm run demo`: a real Asterisk, real calls over bad networks, and the sidecar that scores them. */
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { startDemoFleet } from './demo-fleet.ts';
import { startDemoPbx } from './demo-pbx.ts';
import { endedCalls, HOST, nameOf, placedOf, readCalls, runCalls, type RunningDemo, withNetwork } from './demo-show.ts';
import { callTable } from './demo-tables.ts';
import { labObstacle, wayAround } from './obstacle.ts';
import { prepareLab } from './prepare.ts';

const DEFAULT_PORT = 8090;
/** Of `--seconds`: what hanging up, the last scores and stopping may take; on a fleet the calls are shipped as well. */
const ENDING_MS = 1500;
const FLEET_ENDING_MS = 10_000;
/** Two Asterisks may take longer to start than --seconds: their calls last long enough to be seen all the same. */
const LEAST_MS = 5000;

interface DemoOptions {
  readonly seconds?: number;
  readonly json?: true;
  readonly data?: string;
  readonly fleet?: true;
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
  let running: RunningDemo | undefined;
  try {
    if (!(await isFree(options.port))) {
      throw new Error(`Port ${options.port} on ${HOST} is in use; end what listens there or give another with --port.`);
    }
    if (options.data !== undefined) mkdirSync(options.data, { recursive: true });
    const asked = { port: options.port, data: options.data === undefined ? undefined : resolve(options.data) };
    const isFleet = options.fleet === true;
    await prepareLab(['22'], { progress: say, signal: stopping, isFleet });
    const endingMs = isFleet ? FLEET_ENDING_MS : ENDING_MS;
    const wantedMs = options.seconds === undefined ? undefined : Date.now() + options.seconds * 1000 - endingMs;
    running = await (isFleet ? startDemoFleet : startDemoPbx)(asked, say);
    const endMs = wantedMs && Math.max(wantedMs, isFleet ? Date.now() + LEAST_MS : 0);
    const { calls, source, version } = running;
    const known = new Set((await readCalls(source)).map(nameOf));
    await runCalls(calls, source, stopping, endMs, options.json === true);
    const scored = await endedCalls(source, known, placedOf(calls));
    if (options.json === true) {
      const document = { asterisk_version: version, calls: scored.map(withNetwork) };
      process.stdout.write(`${JSON.stringify(document)}\n`);
    } else process.stdout.write(`\n${callTable(scored)}\n`);
    return 0;
  } catch (error) {
    if (stopping.aborted) return 130;
    say(error instanceof Error ? error.message : String(error));
    return 1;
  } finally {
    await running?.stop();
  }
}

/** The options, or the exit status when there is nothing to run. */
function readOptions(): DemoOptions | number {
  const program = new Command('npm run demo --')
    .description('Real calls on a real Asterisk over bad networks, scored live.')
    .option('--seconds <n>', 'end by itself after so many seconds (at least 10)', wholeNumber(10, 86_400))
    .option('--fleet', 'two Asterisks, a gateway and ClickHouse: one page over both')
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
