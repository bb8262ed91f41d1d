import { setTimeout as sleep } from 'node:timers/promises';
import type { SidecarProcess } from '../lab/sidecar-process.ts';
import type { SimulatorStatus } from '../lab/simulated-process.ts';
import { median, type Output, quantile } from './output.ts';
import { withAwakeProcessors } from './awake-processors.ts';
import { usageOf } from './process-usage.ts';
import { withCompiledPackage } from './compiled-package.ts';
import { ANY_INSPECTOR_PORT, keptHeapMb } from './kept-heap.ts';
import { startSidecarFor, withSimulator } from './simulated-pbx.ts';
import { unitFlags } from './unit-flags.ts';

/** Every report of it loses packets, so that every report has new scores to be written. */
const RECORDING = '22-lossy-call';
/** 2,000 legs at this pace: 20 calls begin and end a second. */
const PACE = { reportEveryMs: 5000, callMs: 50_000 };
const STAGES_LEGS = [2000, 10_000];
/** As long as V8 compiles what is run often: a minute after its start a sidecar takes three quarters of what it takes at first. */
const SETTLE_MS = 60_000;
const MEASURE_MS = 30_000;
const MEASURE_AWAKE_MS = 15_000;
const SAMPLE_MS = 500;

const MOST_CORE_PERCENT = 10;
const MOST_RESIDENT_MB = 150;
const MOST_DELAY_MS = 20;
const MOST_KB_PER_LEG = 4;

interface Stage {
  readonly legs: number;
  readonly callsPerS: number;
  readonly reportsPerS: number;
  readonly setvarsPerS: number;
  readonly corePercent: number;
  /** The same while the processors are kept awake. */
  readonly awakeCorePercent: number;
  readonly cpuMicrosPerReport: number;
  readonly residentMb: number;
  /** What the main thread's heap holds after a full garbage collection, calls and reports coming in as before. */
  readonly heapMb: number;
  readonly delayMs: { readonly median: number; readonly p99: number; readonly max: number };
  /** What the sidecar gave up, or had not taken by the end; null when nothing. */
  readonly lost: string | null;
}

/**
 * A sidecar as the systemd unit runs it, from the compiled package, every default on (write-back, CDR fields, history), under calls
 * from a simulated Asterisk in another process: 2,000 legs at 5 s reports with 20 calls beginning and ending a second, then
 * five times that. Fails when one of the promised figures is missed.
 *
 * These processors have nothing else to do and sleep between two wake-ups, as those of a PBX with 2,000 calls do not. So what
 * the sidecar takes is measured once more while they are kept awake.
 *
 * The resident size is the kernel's (VmRSS) and the largest of a sample every 0.5 s. What a leg takes is the difference
 * between the heaps of the two stages over that of their legs, each after a full garbage collection: what a leg keeps, and
 * its share of what is on its way to the disk; garbage is no part of it, since how much there is depends on when one looks.
 */
export async function run(output: Output): Promise<void> {
  await withCompiledPackage((entry) => measureStages(output, entry));
}

async function measureStages(output: Output, entry: string): Promise<void> {
  const stages: Stage[] = [];
  for (const legs of STAGES_LEGS) {
    output.say(`${legs} legs …`);
    const stage = await measure(legs, entry);
    stages.push(stage);
    if (stage.lost !== null) output.say(`  lost: ${stage.lost}`);
    output.say(
      `  ${stage.callsPerS.toFixed(0)} calls, ${stage.reportsPerS.toFixed(0)} reports and ${stage.setvarsPerS.toFixed(0)} Setvars a second`,
    );
    output.say(
      `  ${stage.corePercent.toFixed(1)} % of a core, ${stage.cpuMicrosPerReport.toFixed(0)} µs a report; ` +
        `${stage.awakeCorePercent.toFixed(1)} % while the processors are kept awake`,
    );
    output.say(`  ${stage.residentMb.toFixed(0)} MB resident, heap ${stage.heapMb.toFixed(1)} MB`);
    const { delayMs } = stage;
    output.say(
      `  from report to Setvar: median ${delayMs.median.toFixed(1)}, p99 ${delayMs.p99.toFixed(1)}, worst ${delayMs.max.toFixed(1)} ms`,
    );
  }
  const [small, large] = stages;
  if (small === undefined || large === undefined) return;
  const kbPerLeg = ((large.heapMb - small.heapMb) * 1024) / (large.legs - small.legs);
  const costRatio = large.cpuMicrosPerReport / small.cpuMicrosPerReport;
  output.say(
    `memory a leg: ${kbPerLeg.toFixed(1)} KB; cost of a report with five times the legs: ×${costRatio.toFixed(2)}`,
  );
  output.result({ stages, kb_per_leg: kbPerLeg, cost_ratio: costRatio });
  const isMet =
    stages.every(({ lost }) => lost === null) &&
    small.corePercent < MOST_CORE_PERCENT &&
    small.residentMb < MOST_RESIDENT_MB &&
    small.delayMs.p99 < MOST_DELAY_MS &&
    kbPerLeg <= MOST_KB_PER_LEG;
  if (!isMet) process.exitCode = 1;
}

async function measure(legs: number, entry: string): Promise<Stage> {
  return withSimulator(async (simulator) => {
    const { node, environment } = unitFlags();
    const sidecar = await startSidecarFor(simulator, {
      entry,
      nodeOptions: [ANY_INSPECTOR_PORT, ...node],
      environment,
    });
    try {
      await simulator.load({ recording: RECORDING, pace: PACE, legs });
      await sleep(SETTLE_MS);
      const pid = sidecar.pid ?? 0;
      const before = { usage: usageOf(pid), status: await simulator.status(), atMs: performance.now() };
      let residentMb = 0;
      while (performance.now() - before.atMs < MEASURE_MS) {
        await sleep(SAMPLE_MS);
        residentMb = Math.max(residentMb, usageOf(pid).residentMb);
      }
      const usage = usageOf(pid);
      const status = await simulator.status();
      const elapsedS = (performance.now() - before.atMs) / 1000;
      const awakeCorePercent = await withAwakeProcessors(() => coreTaken(pid));
      const lost = await whatWasLost(sidecar, await simulator.status());
      const since = (name: 'callsBegun' | 'reports' | 'setvars'): number =>
        status.counters[name] - before.status.counters[name];
      const cpuS = usage.cpuS - before.usage.cpuS;
      return {
        legs,
        callsPerS: since('callsBegun') / elapsedS,
        reportsPerS: since('reports') / elapsedS,
        setvarsPerS: since('setvars') / elapsedS,
        corePercent: (100 * cpuS) / elapsedS,
        awakeCorePercent,
        cpuMicrosPerReport: (1e6 * cpuS) / since('reports'),
        residentMb,
        heapMb: await keptHeapMb(sidecar),
        delayMs: {
          median: median(status.delaysMs),
          p99: quantile(status.delaysMs, 0.99),
          max: quantile(status.delaysMs, 1),
        },
        lost,
      };
    } finally {
      await sidecar.stop();
    }
  });
}

/** In percent of a core. */
async function coreTaken(pid: number): Promise<number> {
  const [before, atMs] = [usageOf(pid), performance.now()];
  await sleep(MEASURE_AWAKE_MS);
  return (100 * (usageOf(pid).cpuS - before.cpuS)) / ((performance.now() - atMs) / 1000);
}

/** Whether the sidecar has not taken all, or has given up some of it. */
async function whatWasLost(sidecar: SidecarProcess, { counters: said }: SimulatorStatus): Promise<string | null> {
  const { counters } = await sidecar.get<{ counters: Readonly<Record<string, number>> }>('/healthz');
  const lost = Object.entries(counters).filter(
    ([name, value]) => /_(?:dropped|rejected|malformed|failed|late_reports)$/.test(name) && value > 0,
  );
  if (lost.length > 0) return lost.map(([name, value]) => `${name} ${value}`).join(', ');
  if (said.setvars === 0 || (counters['calls_reports'] ?? 0) < said.reports * 0.99) {
    return `${counters['calls_reports']} of ${said.reports} reports taken`;
  }
  return null;
}
