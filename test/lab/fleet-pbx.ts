import { setTimeout as sleep } from 'node:timers/promises';
import { FleetShipper } from '../../src/fleet/shipper.ts';
import { type History, openHistory } from '../../src/history/history.ts';
import type { HistoryChange } from '../../src/model/record.ts';

const YEAR_MS = 365 * 86_400_000;
const STEP_MS = 5000;
const MOST_STEPS = 400;

export interface FleetPbxOptions {
  readonly url: string;
  readonly token: string;
  readonly path: string;
  /** What time it is when the first change is shipped; from then on the clock goes as fast as the shipping. */
  readonly nowMs: number;
  readonly site?: string;
  readonly send?: 'summaries' | 'bad-intervals' | 'intervals';
  readonly callsUp?: number;
  readonly release?: string;
}

/** A sidecar's history and its shipper, without an Asterisk and on a clock of its own. */
export interface SteppedPbx {
  readonly history: History;
  readonly shipper: FleetShipper;
  readonly problems: readonly string[];
  record(changes: readonly HistoryChange[]): Promise<void>;
  /** Until nothing waits in the outbox any more. Rejects when that takes too long. */
  ship(): Promise<void>;
  close(): Promise<void>;
}

export async function startPbx({
  url,
  token,
  path,
  nowMs,
  site,
  send = 'intervals',
  callsUp = 7,
  release = '1.2.3',
}: FleetPbxOptions): Promise<SteppedPbx> {
  const clock = { nowMs: () => nowMs };
  const history = await openHistory({ path, keepIntervalsMs: YEAR_MS, keepCallsMs: YEAR_MS, clock });
  const problems: string[] = [];
  const shipper = new FleetShipper({
    url,
    token,
    site: site ?? null,
    send,
    history,
    calls: history,
    clock,
    random: () => 0.5,
    heartbeat: () => ({ release, calls_up: callsUp, asterisk_version: '22.10.1', problem: null }),
    onProblem: (sentence) => problems.push(sentence),
    sumsEveryMs: 1,
  });
  await shipper.start();
  return {
    history,
    shipper,
    problems,
    async record(changes) {
      for (const change of changes) {
        history.record(change);
        if (change.kind === 'channel') shipper.channelEnded(change.channel);
      }
      await history.flush();
    },
    async ship() {
      const before = nowMs;
      for (let steps = 0; steps < MOST_STEPS; steps++) {
        nowMs += STEP_MS;
        shipper.tick(nowMs);
        await shipper.idle();
        const { rows } = await history.features.read('outbox', 'state', undefined);
        // Once for the calls, once for the sums that count them.
        if (rows === 0 && nowMs > before + 3 * STEP_MS && shipper.isEven) return;
        await sleep(2);
      }
      throw new Error(`the outbox was not shipped: ${problems.join('; ')}`);
    },
    async close() {
      await shipper.stop();
      await history.close();
    },
  };
}
