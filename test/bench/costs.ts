import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../lab/addresses.ts';
import { makeRunDirectory } from '../lab/paths.ts';
import type { SidecarProcess } from '../lab/sidecar-process.ts';
import type { SimulatedProcess } from '../lab/simulated-process.ts';
import { withCompiledPackage } from './compiled-package.ts';
import type { Output } from './output.ts';
import { usageOf } from './process-usage.ts';
import { startSidecarFor, withSimulator } from './simulated-pbx.ts';
import { unitFlags } from './unit-flags.ts';

const RECORDING = '22-lossy-call';
const LEGS = 2000;
/** 20 calls begin and end a second. */
const PACE = { reportEveryMs: 5000, callMs: 50_000 };
/** As long as V8 compiles, a sidecar takes more. */
const SETTLE_MS = 50_000;
const MEASURE_MS = 30_000;

/** The bound on measurements. */
const MOST_FOR_MEASUREMENTS = 1.1;

interface Configured {
  readonly name: string;
  readonly extraConfig: string;
}

interface Cost extends Configured {
  readonly cpuMicrosPerReport: number;
  readonly residentMb: number;
}

/**
 * What can be switched on costs so much more: sidecars with other settings side by side, each under 2,000 legs from a simulated
 * Asterisk of its own, over the same time. Only the ratios count, so it may run on a busy machine. Everything on is without packets
 * (`live-capture` measures them) and without people or phones that say something.
 */
export async function run(output: Output): Promise<void> {
  const recipient = await identityToRecipient(await generateX25519Identity());
  const measurements = (spool: string): string =>
    `[measurements]\nenabled = yes\nrecipient = ${recipient}\nspool = ${makeRunDirectory(spool)}\n`;
  const port = await freePort('127.0.0.1', 15_063);
  const everything = `${measurements('costs-everything')}[ratings]\nenabled = yes\n[phone_reports]\nbind = 127.0.0.1:${port}\n[alerts]\ndigest = off\n`;
  const configured: Configured[] = [
    { name: 'as installed', extraConfig: '' },
    { name: 'with measurements', extraConfig: measurements('costs-measurements') },
    { name: 'everything on', extraConfig: everything },
  ];
  const costs = await withCompiledPackage((entry) => Promise.all(configured.map((one) => measure(one, entry))));
  const [plain] = costs;
  if (plain === undefined) return;
  const rows = costs.map(({ name, cpuMicrosPerReport, residentMb }) => {
    const ratio = cpuMicrosPerReport / plain.cpuMicrosPerReport;
    output.say(
      `${name}: ${cpuMicrosPerReport.toFixed(0)} µs a report, ×${ratio.toFixed(2)}, ${residentMb.toFixed(0)} MB resident`,
    );
    return { name, cpu_us_per_report: cpuMicrosPerReport, ratio, resident_mb: residentMb };
  });
  output.result({ legs: LEGS, costs: rows });
  if ((rows[1]?.ratio ?? Infinity) > MOST_FOR_MEASUREMENTS) process.exitCode = 1;
}

let lastStart: Promise<unknown> = Promise.resolve();

function measure({ name, extraConfig }: Configured, entry: string): Promise<Cost> {
  return withSimulator(async (simulator) => {
    const { node, environment } = unitFlags();
    // One after the other: each looks for free ports.
    const starting = lastStart.then(() =>
      startSidecarFor(simulator, { entry, nodeOptions: node, environment, extraConfig }),
    );
    lastStart = starting.catch(() => {});
    const sidecar = await starting;
    try {
      return { name, extraConfig, ...(await underLoad(simulator, sidecar)) };
    } finally {
      await sidecar.stop();
    }
  });
}

async function underLoad(simulator: SimulatedProcess, sidecar: SidecarProcess) {
  await simulator.load({ recording: RECORDING, pace: PACE, legs: LEGS });
  await sleep(SETTLE_MS);
  const pid = sidecar.pid ?? 0;
  const before = { cpuS: usageOf(pid).cpuS, reports: (await simulator.status()).counters.reports };
  await sleep(MEASURE_MS);
  const { cpuS, residentMb } = usageOf(pid);
  const reports = (await simulator.status()).counters.reports - before.reports;
  return { cpuMicrosPerReport: (1e6 * (cpuS - before.cpuS)) / reports, residentMb };
}
