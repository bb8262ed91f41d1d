/** `npm run bench -- fleet-kills`: sidecar, gateway and ClickHouse killed 20 times each under load; every call is there once. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { newPbx } from '../../src/fleet/settings.ts';
import { freePort } from '../lab/addresses.ts';
import { type ClickHouse, startShards } from '../lab/clickhouse.ts';
import { GatewayProcess } from '../lab/gateway-process.ts';
import { makeRunDirectory } from '../lab/paths.ts';
import type { SidecarProcess } from '../lab/sidecar-process.ts';
import type { Output } from './output.ts';
import { startSidecarFor, withSimulator } from './simulated-pbx.ts';

const HOST = '127.0.0.1';
/** Of each of the three. */
const KILLS = 20;
const LEGS = 40;
const CALL_MS = 8000;
/** A kill comes at any moment of so long after the one before. */
const MOST_BETWEEN_MS = 1500;
/** How long all that ended may take to be in the store, once nothing is killed any more. */
const SETTLE_MS = 120_000;
const DAY_MS = 86_400_000;

/** A number that is the same in each run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
}

export async function run(output: Output, _calls?: number, kills = KILLS): Promise<void> {
  const folder = makeRunDirectory('bench-fleet-kills');
  mkdirSync(folder, { recursive: true });
  const [store] = await startShards(join(folder, 'clickhouse'), 1);
  if (store === undefined) throw new Error('no ClickHouse');
  let gateway: GatewayProcess | undefined;
  let sidecar: SidecarProcess | undefined;
  try {
    const key = newPbx('office', '');
    const port = await freePort(HOST, 29_500);
    const config = join(folder, 'fleet.conf');
    const binds = `[gateway]\nbind = ${HOST}:${port}\n[http]\nbind = ${HOST}:${await freePort(HOST, port + 1)}\n`;
    writeFileSync(config, `${binds}[store]\nshards = ${store.url}\n${key.lines}`, { mode: 0o600 });
    gateway = await GatewayProcess.start(config);
    await withSimulator(async (simulator) => {
      const extraConfig = `[fleet]\nurl = http://${HOST}:${port}\ntoken = ${key.token}\nsend = intervals\n`;
      sidecar = await startSidecarFor(simulator, { extraConfig });
      const pace = { callMs: CALL_MS, reportEveryMs: 1000 };
      await simulator.load({ recording: '22-lossy-call', pace, legs: LEGS });
      const next = random(7);
      for (let killed = 0; killed < kills; killed++) {
        for (const one of [sidecar, gateway, store]) {
          await sleep(next() * MOST_BETWEEN_MS);
          await one?.kill();
          await sleep((next() * MOST_BETWEEN_MS) / 4);
          await one?.start();
        }
      }
      await simulator.stopLoad();
      await sleep(CALL_MS + 2000);
      const { calls, sums } = await settled(sidecar.databasePath, store);
      output.say(
        `Sidecar, gateway and ClickHouse killed ${kills} times each under load: ${calls} calls ended, each once in the store as in the PBX's history, with its channels and reports; sums of ${sums}.`,
      );
      output.result({ killsOfEach: kills, calls, sums });
    });
  } finally {
    await sidecar?.stop();
    await gateway?.kill();
    await store.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

type Counts = Readonly<Record<string, string>>;

/** What the history has of calls that ended, as texts that can be compared. */
function ofHistory(path: string): Counts {
  const database = new Sqlite(path, { readonly: true, timeout: 5000 });
  const rows = (sql: string): unknown[][] => database.prepare(sql).raw().all() as unknown[][];
  const ended = 'linkedid IN (SELECT linkedid FROM calls WHERE ended_at_ms IS NOT NULL)';
  const channels = `uniqueid IN (SELECT uniqueid FROM channels WHERE ${ended})`;
  const counts = {
    calls: rows('SELECT linkedid, verdict, started_at_ms, ended_at_ms, mes FROM calls WHERE ended_at_ms IS NOT NULL')
      .map(textOf)
      .toSorted()
      .join('\n'),
    channels: String(rows(`SELECT count(*) FROM channels WHERE ${ended}`)[0]?.[0]),
    intervals: String(rows(`SELECT count(*) FROM intervals WHERE ${channels}`)[0]?.[0]),
    sums: String(
      rows(`SELECT ifnull(sum(calls), 0) FROM call_sums WHERE kind = 'calls' AND span_ms = ${DAY_MS}`)[0]?.[0],
    ),
  };
  database.close();
  return counts;
}

async function ofStore(store: ClickHouse): Promise<Counts> {
  const one = (sql: string): Promise<string> => store.query(`SELECT toString(${sql}`);
  const calls = await store.query(
    'SELECT linkedid, verdict, started_at_ms, ended_at_ms, mes FROM mes.mes_calls FINAL FORMAT TSV',
  );
  return {
    calls: calls
      .split('\n')
      .map((line) => textOf(line.split('\t').map((cell) => (cell === '\\N' ? null : cell))))
      .toSorted()
      .join('\n'),
    channels: await one('count()) FROM mes.mes_channels FINAL'),
    intervals: await one('count()) FROM mes.mes_intervals FINAL'),
    sums: await one(`sum(calls)) FROM mes.mes_sums FINAL WHERE scope_kind = 'calls' AND span_ms = ${DAY_MS}`),
  };
}

/** ClickHouse 18.16 reads about one in fifty fractions with the last of its 53 bits wrong. */
function textOf([linkedid, verdict, startedAtMs, endedAtMs, mes]: readonly unknown[]): string {
  return [linkedid, verdict, startedAtMs, endedAtMs, mes === null ? null : Number(mes).toFixed(9)]
    .map(String)
    .join(' ');
}

/** Rejects with what is different when the two are not equal in time. */
async function settled(path: string, store: ClickHouse): Promise<{ readonly calls: number; readonly sums: number }> {
  const untilMs = Date.now() + SETTLE_MS;
  for (;;) {
    const [ours, theirs] = [ofHistory(path), await ofStore(store)];
    const different = Object.keys(ours).filter((name) => ours[name] !== theirs[name]);
    if (different.length === 0) return { calls: ours['calls']?.split('\n').length ?? 0, sums: Number(ours['sums']) };
    if (Date.now() > untilMs) {
      const shown = different.map((name) => `${name}: ${firstDifference(ours[name] ?? '', theirs[name] ?? '')}`);
      throw new Error(`The store differs from the PBX's history: ${shown.join('; ')}`);
    }
    await sleep(1000);
  }
}

function firstDifference(ours: string, theirs: string): string {
  const [mine, other] = [ours.split('\n'), theirs.split('\n')];
  const at = mine.findIndex((line, index) => line !== other[index]);
  return `${mine.length} here and ${other.length} there, the first "${mine[at] ?? ''}" and "${other[at] ?? ''}"`;
}
