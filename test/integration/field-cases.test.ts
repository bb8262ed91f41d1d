import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { REPOSITORY } from '../lab/paths.ts';
import { readTimedText } from '../lab/timed-text.ts';
import { soon } from './fixtures/sidecar-checks.ts';
import { startSimulatedPbx } from './fixtures/simulated-pbx.ts';

interface Stream {
  readonly direction: 'rx' | 'tx';
  readonly reports: number;
  readonly unused_reports: number;
  readonly packets_expected: number;
  readonly packets_lost: number;
  readonly sequence_restarts: number;
  readonly jitter_resets: number;
  readonly jitter_ms: { readonly max: number };
}

interface Channel {
  readonly uniqueid: string;
  readonly ended_at: string | null;
  readonly mes_rx: number | null;
  readonly mes_tx: number | null;
  readonly verdict: string | null;
  readonly streams: readonly [rx: Stream, tx: Stream];
}

/** Files of `test/golden/field` and the number of the only channel in each: `1790000000.20`. */
const CASES = {
  control: ['ami-control-20', 20],
  framing: ['ami-framing-26', 26],
  jitter: ['ami-ts-jump-jitter-34', 42],
  rxJump: ['ami-reinvite-jump-28', 30],
  txJump: ['ami-tx-seq-jump-35', 43],
  late: ['ami-late-packets-33', 41],
  reset: ['ami-counter-reset-32', 40],
  goodbye: ['ami-goodbye-21', 21],
  still: ['ami-standstill-21c', 28],
} as const;

test('a manager who says what was said in the field: each channel comes out as it was', async () => {
  const { asterisk, sidecar, stop } = await startSimulatedPbx(24_900);
  try {
    const startedAtMs = performance.now();
    // All at once: pieces of one case stay in their order, and no event is torn but by its own case.
    const pieces = Object.values(CASES)
      .flatMap(([name]) => readTimedText(readFileSync(join(REPOSITORY, 'test/golden/field', `${name}.ami`), 'latin1')))
      .toSorted((a, b) => a.atMs - b.atMs);
    for (const { atMs, text } of pieces) {
      const waitMs = startedAtMs + atMs - performance.now();
      if (waitMs > 0) await sleep(waitMs);
      asterisk.write(text);
    }

    const channelOf = (name: keyof typeof CASES): Promise<Channel> =>
      sidecar.get<Channel>(`/v1/channels/1790000000.${CASES[name][1]}`);
    await soon(async () => expect((await channelOf('still')).ended_at).not.toBeNull());
    const found = Object.fromEntries(
      await Promise.all(
        Object.keys(CASES).map(async (name) => [name, await channelOf(name as keyof typeof CASES)] as const),
      ),
    ) as Record<keyof typeof CASES, Channel>;

    const good = { mes_rx: 4.39, mes_tx: 4.39, verdict: 'good' };
    for (const name of ['control', 'framing', 'jitter', 'rxJump', 'txJump'] as const) {
      expect(found[name]).toMatchObject(good);
      for (const { reports, packets_lost: lost } of found[name].streams) expect([reports, lost]).toEqual([14, 0]);
    }
    expect(found.jitter.streams[0]).toMatchObject({ jitter_resets: 4, jitter_ms: { max: 2 } });
    expect(found.rxJump.streams.map(({ sequence_restarts: restarts }) => restarts)).toEqual([1, 0]);
    expect(found.txJump.streams.map(({ sequence_restarts: restarts }) => restarts)).toEqual([0, 1]);
    expect(found.late.streams.map(({ packets_lost: lost }) => lost)).toEqual([0, 5]);
    expect(found.reset.streams.map(({ packets_lost: lost }) => lost)).toEqual([0, 40]);
    expect(found.goodbye).toMatchObject({ mes_tx: 1, verdict: 'one-way-rx' });
    expect(found.goodbye.streams.map(({ unused_reports: unused }) => unused)).toEqual([0, 1]);
    expect(found.still.mes_tx).toBeLessThan(2);
    expect(found.still.mes_rx).toBe(4.39);
    for (const { streams } of Object.values(found)) {
      for (const { packets_expected: expected } of streams) {
        // What came before the first report is known by the time alone, and what a restart was of not at all.
        expect(expected).toBeGreaterThanOrEqual(630);
        expect(expected).toBeLessThanOrEqual(730);
      }
    }

    const csv = await fetch(`${sidecar.url}/v1/channels/1790000000.41/intervals`, {
      headers: { accept: 'text/csv' },
    });
    const [head = '', ...rows] = (await csv.text()).trimEnd().split('\r\n');
    const column = head.split(',').indexOf('late_packets');
    const late = rows.map((row) => Number(row.split(',')[column]));
    // Six were lost in the first second; then one came late in every second report, and was missed anew in the other.
    expect([late.length, Math.max(...late), late.reduce((sum, packets) => sum + packets, 0)]).toEqual([28, 1, 7]);

    await sidecar.shutDown();
    const database = new Sqlite(sidecar.databasePath, { readonly: true });
    try {
      const stored = database
        .prepare('SELECT sum(sequence_restarts), sum(jitter_resets), sum(unused_reports) FROM streams')
        .raw()
        .get();
      expect(stored).toEqual([2, 4, 1]);
    } finally {
      database.close();
    }
  } finally {
    await stop();
  }
});
