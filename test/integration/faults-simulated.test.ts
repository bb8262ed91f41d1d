import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { shouldBe } from '../accuracy/should-be.ts';
import { atPace, isReport, readRecording, type Recording, withoutSenders } from '../lab/recording.ts';
import { PromisedChannels } from './fixtures/promised-channels.ts';
import type { RestStream } from './fixtures/rest.ts';
import { expectScoresWritten, LOSSY, print, readiness, soon, startCall } from './fixtures/sidecar-checks.ts';
import { readStored, startSimulatedPbx, type SimulatedPbx, type StoredHistory } from './fixtures/simulated-pbx.ts';

/** Of each of three sidecars, which are killed side by side for the sake of time: 30 in all. */
const KILLS = 10;
/** They come in turn: at any moment of a sidecar's beginning, when it has stored what it knows, at any moment later. */
const LIVES_MS = [400, 'settled', 1500] as const;
/** By then some reports have come. */
const SETTLED_AFTER_MS = 700;

interface LiveChannels {
  readonly channels: readonly {
    readonly uniqueid: string;
    readonly name: string;
    readonly duration_s: number;
    readonly streams: readonly RestStream[];
  }[];
}

/** Packets lost by each report of the recording, by phone and direction: `PJSIP/alice- rx`. */
function lostByReport({ messages }: Recording): ReadonlyMap<string, readonly number[]> {
  const lost = new Map<string, number[]>();
  for (const { event, texts } of messages.filter(isReport)) {
    const text = texts.join('');
    const [, phone] = /\r\nChannel: (\S+-)/.exec(text) ?? [];
    const [, count] = /\r\nReport0CumulativeLost: (\d+)\r\n/.exec(text) ?? [];
    if (count === undefined) continue;
    const key = `${phone} ${event === 'RTCPSent' ? 'rx' : 'tx'}`;
    lost.set(key, [...(lost.get(key) ?? []), Number(count)]);
  }
  return lost;
}

/**
 * That every direction lost what the recorded reports say, and has the score of that: one interval called dead would add the
 * packets of a second or more. (Both recordings lose 7 to 12 % one way, so that their word is `bad` without any fault.)
 */
function expectRecordedLosses({ channels }: LiveChannels, recording: Recording): void {
  const recorded = lostByReport(recording);
  for (const { name, streams } of channels) {
    expect(streams.map(({ direction }) => direction).toSorted()).toEqual(['rx', 'tx']);
    for (const { direction, reports, packets_lost: lost, packets_expected: expected, mes } of streams) {
      expect(lost).toBe(recorded.get(`${name.slice(0, -8)} ${direction}`)?.[reports - 1]);
      const reportedLossPercent = (100 * Number(lost)) / Number(expected);
      const undelayed = shouldBe({ roundTripMs: null, jitterMeanMs: 0, jitterStdevMs: 0, reportedLossPercent });
      // The recorded round trips of 40 and 100 ms take 0.15 at most.
      expect(mes).toBeGreaterThan(undelayed.mes - 0.2);
      expect(mes).toBeLessThan(undelayed.mes + 0.05);
    }
  }
}

function reportsOf({ directions }: StoredHistory): number {
  return directions.reduce((sum, direction) => sum + direction.reports, 0);
}

interface Killed {
  /** Channels that were up while a sidecar ran. */
  readonly met: ReadonlySet<string>;
  /** Those of them that cannot be missing from the history. */
  readonly promised: ReadonlySet<string>;
}

/** Kills a sidecar again and again while calls come and go, and lets the last one be. */
async function killUnderLoad({ asterisk, sidecar }: SimulatedPbx): Promise<Killed> {
  // 71 packets a second: twice the usual 50, without a sender's count, are all that the sidecar may believe.
  const call = atPace(withoutSenders(LOSSY), { reportEveryMs: 700, callMs: 7000 });
  const calling = setInterval(() => asterisk.startCall(call), 300);
  const watch = new PromisedChannels(asterisk, sidecar);
  // Of which the database has told once.
  const known = new Set<string>();
  const met = new Set<string>();
  let reportsKnown = 0;
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      watch.begin();
      const life = LIVES_MS[kill % LIVES_MS.length] ?? 'settled';
      await sleep(Math.random() * (life === 'settled' ? SETTLED_AFTER_MS : life));
      if (life === 'settled') await watch.settled();
      for (const uniqueid of asterisk.channelsUp) met.add(uniqueid);
      watch.end();
      await sidecar.kill();
      const stored = readStored(sidecar.databasePath);
      expect(stored.integrity).toBe('ok');
      expect([...known, ...watch.promised].filter((uniqueid) => !stored.channels.has(uniqueid))).toEqual([]);
      for (const uniqueid of stored.channels) known.add(uniqueid);
      for (const { reports, lastNumber } of stored.directions) expect(reports).toBe(lastNumber);
      expect(reportsOf(stored)).toBeGreaterThanOrEqual(reportsKnown);
      reportsKnown = reportsOf(stored);
      await sidecar.start();
    }
    // The last one is not killed: it is told of all these, and of those that begin from now on.
    const promised = new Set([...watch.promised, ...asterisk.channelsUp]);
    for (const uniqueid of promised) met.add(uniqueid);
    return { met, promised };
  } finally {
    watch.end();
    clearInterval(calling);
  }
}

describe.concurrent('against a simulated Asterisk', { timeout: 300_000 }, () => {
  test.each([24_000, 24_050, 24_150])(
    `killed at ${KILLS} random moments under load: the database whole, no call lost, no interval twice (port %i)`,
    async (port) => {
      const pbx = await startSimulatedPbx(port);
      const { asterisk, sidecar } = pbx;
      try {
        const { met, promised } = await killUnderLoad(pbx);
        await soon(() => expect(asterisk.counters.channelsUp).toBe(0));
        await soon(async () => expect((await sidecar.get<LiveChannels>('/v1/live')).channels).toEqual([]));
        await sidecar.shutDown();

        const history = readStored(sidecar.databasePath);
        const { callsBegun, reports: reportsSaid } = asterisk.counters;
        const missing = [...met].filter((uniqueid) => !history.channels.has(uniqueid));
        const calls = {
          callsBegun,
          calls: history.calls,
          met: met.size,
          promised: promised.size,
          missing: missing.length,
        };
        print('SIGKILL', { kills: KILLS, ...calls, reportsSaid, reportsStored: reportsOf(history) });
        expect(history.integrity).toBe('ok');
        expect([history.callsUp, history.channelsUp]).toEqual([0, 0]);
        // Both legs of each.
        expect(history.channels.size).toBe(2 * history.calls);
        expect(history.calls).toBeLessThanOrEqual(callsBegun);
        // One that begins and ends while no sidecar is there, or none that lives long enough to store it, is known to nobody.
        expect(missing.filter((uniqueid) => promised.has(uniqueid))).toEqual([]);
        expect(promised.size).toBeGreaterThan(KILLS);
        expect(met.size).toBeGreaterThan(KILLS);
        for (const { direction, reports: count, lastNumber, repeated, bySum, bySequence } of history.directions) {
          expect([count, repeated]).toEqual([lastNumber, 0]);
          // What passed while nobody listened is counted all the same, and nothing twice. (Of what we sent, some is not
          // counted around the moment at which the call was bridged.)
          expect(bySum).toBeLessThanOrEqual(bySequence);
          expect(direction === 'tx' ? bySequence : bySum).toBe(bySequence);
        }
        expect(reportsOf(history)).toBeGreaterThan(reportsSaid / 20);
        expect(reportsOf(history)).toBeLessThanOrEqual(reportsSaid);
      } finally {
        await pbx.stop();
      }
    },
  );

  test('stopped for some seconds with calls up: what comes in at one moment then makes no direction dead', async () => {
    const { asterisk, sidecar, stop } = await startSimulatedPbx(24_700);
    try {
      const pace = { reportEveryMs: 1000, callMs: 600_000 };
      // Of this one the far ends' reports come shortly before our own, and so are the first to come in after a stop.
      const recording = atPace(readRecording('22-lossy-call-g722'), pace);
      for (let call = 0; call < 10; call++) asterisk.startCall(recording);
      // Two reports a leg and second: the sidecar knows by now that Asterisk reports every second.
      await soon(() => expect(asterisk.counters.reports).toBeGreaterThan(20 * 2 * 3));
      process.kill(sidecar.pid ?? 0, 'SIGSTOP');
      await sleep(3500);
      process.kill(sidecar.pid ?? 0, 'SIGCONT');
      const { setvars } = asterisk.counters;
      await soon(() => expect(asterisk.counters.setvars).toBeGreaterThan(setvars + 40));
      const live = await sidecar.get<LiveChannels>('/v1/live');
      expect(live.channels).toHaveLength(20);
      expectRecordedLosses(live, recording);
      await sidecar.shutDown();
      const rows = new Sqlite(sidecar.databasePath, { readonly: true });
      const kinds = rows.prepare('SELECT DISTINCT kind FROM intervals').pluck().all();
      rows.close();
      expect(kinds).toEqual(['media']);
    } finally {
      await stop();
    }
  });

  test('the clock set by an hour, forward and back: nothing is called dead, no report counts for more than one', async () => {
    const { asterisk, sidecar, stop } = await startSimulatedPbx(24_200, { clockBySignal: true });
    try {
      // At the pace that it was recorded at: whether something should have arrived is judged by its time.
      startCall(asterisk, 1000);
      await soon(() => expect(asterisk.counters.setvars).toBeGreaterThan(4));
      for (const [signal, byS] of [
        ['SIGUSR2', 3600],
        ['SIGHUP', -3600],
      ] as const) {
        process.kill(sidecar.pid ?? 0, signal);
        await soon(() => expect(sidecar.output).toContain(`the system's clock was set by ${byS}`));
        const { setvars } = asterisk.counters;
        await soon(() => expect(asterisk.counters.setvars).toBeGreaterThan(setvars + 4));
        const live = await sidecar.get<LiveChannels>('/v1/live');
        expect(live.channels).toHaveLength(2);
        expectRecordedLosses(live, LOSSY);
        for (const { duration_s: durationS } of live.channels) {
          expect(durationS).toBeGreaterThan(0);
          expect(durationS).toBeLessThan(300);
        }
      }
      await sidecar.shutDown();
      const rows = new Sqlite(sidecar.databasePath, { readonly: true });
      const most = rows.prepare("SELECT max(covers_reports), count(*), sum(kind = 'dead') FROM intervals").raw().get();
      rows.close();
      expect(most).toEqual([1, expect.any(Number), 0]);
    } finally {
      await stop();
    }
  });

  test('a half-open connection to Asterisk is noticed within 15 s, and given up for a new one', async () => {
    const { asterisk, sidecar, stop } = await startSimulatedPbx(24_250);
    try {
      startCall(asterisk);
      await soon(() => expect(asterisk.counters.setvars).toBeGreaterThan(4));
      asterisk.freeze();
      const frozenAtMs = performance.now();
      let words = '';
      await soon(async () => expect((words = await readiness(sidecar))).toMatch(/^503 /), 100_000);
      const noticedMs = performance.now() - frozenAtMs;
      print('half-open AMI', { noticedMs: Math.round(noticedMs) });
      const isNoticed = /has been silent for 1\d s|did not answer Ping within 10000 ms/;
      expect(words).toMatch(isNoticed);
      // What it prints may come later than what it answers.
      await soon(() => expect(sidecar.output).toMatch(isNoticed));
      // That it took no longer is in its words, by its own clock: a busy machine may be late with telling.
      expect(noticedMs).toBeGreaterThan(5000);
      asterisk.thaw();
      await soon(async () => expect(await readiness(sidecar)).toMatch(/^200 /), 40_000);
      await expectScoresWritten(asterisk);
    } finally {
      await stop();
    }
  });
});
