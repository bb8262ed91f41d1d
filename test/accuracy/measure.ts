import { setTimeout as sleep } from 'node:timers/promises';
import type { Direction } from '../../src/model/report.ts';
import type { LabCall } from '../lab/call.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { CLEAN } from '../lab/network-profile.ts';
import { SidecarProcess } from '../lab/sidecar-process.ts';
import { type Cell, type Grid, networkOf } from './grid.ts';
import { type ShouldBe, shouldBe } from './should-be.ts';
import { type Truth, truthOfCall } from './truth.ts';

/** What the product says of a direction; null is "not known". */
export interface Measured {
  readonly lossPercent: number | null;
  readonly roundTripMs: number | null;
  readonly jitterMs: number | null;
  readonly mes: number | null;
  readonly mosLq: number | null;
  /** Asterisk's own score of the last report, 0-100. */
  readonly nativeMes100: number | null;
}

/** One direction of one call. */
export interface Comparison {
  readonly cell: Cell;
  readonly direction: Direction;
  readonly network: Truth;
  readonly shouldBe: ShouldBe;
  readonly measured: Measured;
}

interface ChannelAnswer {
  readonly ended_at: string | null;
  readonly streams: readonly {
    readonly direction: Direction;
    readonly loss_percent: number | null;
    readonly rtt_ms: { readonly mean: number | null };
    readonly jitter_ms: { readonly mean: number | null };
    readonly mes: number | null;
    readonly mos_lq: number | null;
    readonly native_mes_100: number | null;
  }[];
}

/** Calls at a time. */
const PAIRS = 12;
export const RTCP_INTERVAL_MS = 1000;
/** How long what was sent last may be on its way, and the sidecar take to note the end of a call. */
const SETTLE_MS = 5000;

/** Makes the calls of a grid in a lab of its own, a wave of them at a time, and compares. Throws when one cannot be made. */
export async function measureGrid(grid: Grid, progress: (line: string) => void): Promise<Comparison[]> {
  const numbers = Array.from({ length: Math.min(PAIRS, grid.cells.length) }, (_, index) => index + 1);
  const phones = numbers.flatMap((number) => [{ name: `near${number}` }, { name: `far${number}` }]);
  const lab = await startLab({ release: '22', phones, rtcpIntervalMs: RTCP_INTERVAL_MS });
  let sidecar: SidecarProcess | undefined;
  try {
    sidecar = await SidecarProcess.start(lab, { httpHost: lab.pbx.host, httpPort: await lab.freePort() });
    const comparisons: Comparison[] = [];
    for (let done = 0; done < grid.cells.length; done += PAIRS) {
      const wave = grid.cells.slice(done, done + PAIRS);
      progress(`calls ${done + 1} to ${done + wave.length} of ${grid.cells.length} …`);
      comparisons.push(...(await measureWave(lab, sidecar, wave, grid.callS)));
    }
    return comparisons;
  } finally {
    await sidecar?.stop();
    await lab.stop();
  }
}

async function measureWave(
  lab: Lab,
  sidecar: SidecarProcess,
  wave: readonly Cell[],
  callS: number,
): Promise<Comparison[]> {
  const calls = await Promise.all(
    wave.map(async (cell, index) => {
      const phone = `near${index + 1}`;
      await lab.relay.setProfile(phone, 'rx', networkOf(cell));
      await lab.relay.setProfile(phone, 'tx', networkOf(cell));
      return { cell, phone, fromMs: Date.now(), call: await lab.call(phone, `far${index + 1}`) };
    }),
  );
  await sleep(callS * 1000);
  const results = await Promise.all(
    calls.map(async ({ cell, phone, fromMs, call }) => {
      const toMs = Date.now();
      await call.hangup('caller');
      const [network, channel] = await Promise.all([
        truthOfCall(lab, phone, fromMs, toMs),
        endedChannel(sidecar, call),
      ]);
      return (['rx', 'tx'] as const).map((direction) => compare(cell, direction, network[direction], channel));
    }),
  );
  // What the network still holds back belongs to this wave, not to the next one's calls.
  await Promise.all(calls.map(({ phone }) => lab.relay.setProfile(phone, 'rx', CLEAN)));
  await sleep(Math.max(...wave.map(({ delayMs, jitterMs }) => delayMs + jitterMs)));
  return results.flat();
}

async function endedChannel(sidecar: SidecarProcess, call: LabCall): Promise<ChannelAnswer> {
  const deadlineMs = Date.now() + SETTLE_MS;
  for (;;) {
    const channel = await sidecar.get<ChannelAnswer>(`/v1/channels/${call.caller.uniqueid}`);
    if (channel.ended_at !== null) return channel;
    if (Date.now() > deadlineMs) throw new Error(`The sidecar did not note the end of ${call.caller.channel}.`);
    await sleep(100);
  }
}

function compare(cell: Cell, direction: Direction, network: Truth, channel: ChannelAnswer): Comparison {
  const stream = channel.streams.find((candidate) => candidate.direction === direction);
  const measured: Measured = {
    lossPercent: stream?.loss_percent ?? null,
    roundTripMs: stream?.rtt_ms.mean ?? null,
    jitterMs: stream?.jitter_ms.mean ?? null,
    mes: stream?.mes ?? null,
    mosLq: stream?.mos_lq ?? null,
    nativeMes100: stream?.native_mes_100 ?? null,
  };
  return { cell, direction, network, shouldBe: shouldBe(network), measured };
}
