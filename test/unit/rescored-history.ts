import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { scoringRules } from '../../src/app/settings/scoring-rules.ts';
import { Switchboard } from '../../src/calls/switchboard.ts';
import { loadSettings, type Settings } from '../../src/config/settings.ts';
import { openHistory } from '../../src/history/history.ts';
import type { PbxEvent } from '../../src/model/event.ts';
import type { HistoryChange } from '../../src/model/record.ts';
import type { ProfileName } from '../../src/model/score.ts';
import { goldenNames, readGolden } from './golden.ts';

const YEAR_MS = 365 * 86_400_000;
const RECORDED_MS = 1_700_000_000_000;

/** Settings in which every kind of rule that a score depends on has a value of its own. */
export function settingsFor(folder: string, profile: ProfileName): Settings {
  const text = `
    [general]
    profile = ${profile}
    good = 4.2
    [ami]
    username = mes
    secret = secret
    [history]
    path = ${join(folder, 'mes.sqlite')}
    [profile:custom]
    loss_unit = percent
    loss_factor = 3
    [codec:ulaw]
    delay_ms = 25
    [endpoint:PJSIP/a*]
    advantage = 5`;
  return loadSettings(text, 'mes.conf', {});
}

/** Recordings of both releases have the same ids: their names tell them apart. */
function eventsOf(name: string): PbxEvent[] {
  const text = JSON.stringify(readGolden(name).events);
  return JSON.parse(text.replaceAll(/"(\d{10}\.\d+)"/g, `"${name} $1"`)) as PbxEvent[];
}

/** Everything that a sidecar with these settings would have stored of a recording, hangup handlers and ARI included. */
function changesOf(name: string, settings: Settings): HistoryChange[] {
  let nowMs = 0;
  const changes: HistoryChange[] = [];
  const answers: PbxEvent[] = [];
  const board: Switchboard = new Switchboard(scoringRules(settings), {
    writer: { write: () => undefined, forget: () => undefined, reopen: () => undefined },
    // The answer comes with the next event, as it does from a real Asterisk, and changes once in a while.
    askCodecs: (uniqueid) => {
      const codecs = { rx: answers.length % 5 === 4 ? 'alaw' : 'ulaw', tx: answers.length % 7 === 6 ? 'g722' : 'ulaw' };
      answers.push({ type: 'codecs', atMs: nowMs, uniqueid, codecs });
    },
    askCounters: () => undefined,
    storeInterval: (interval) => changes.push({ kind: 'interval', interval }),
  });
  let answered = 0;
  for (const [index, event] of eventsOf(name).entries()) {
    nowMs = event.atMs;
    board.tick(nowMs);
    for (; answered < answers.length; answered++) board.handle(answers[answered] as PbxEvent);
    // A sidecar asks with its own Asterisk's reports: of a channel on which nothing comes in there are none.
    if (event.type === 'rtcp' && event.report.reporter === 'local' && index % 9 === 0) {
      const counters = { rxPackets: 20 * index, rxLostPackets: index, rxJitterMeanMs: 2.5 };
      board.handle({ type: 'counters', atMs: nowMs, uniqueid: event.channel.uniqueid, counters });
    }
    if (event.type === 'hangup' && index % 2 === 0) board.finalWord(event.channel.uniqueid, {}, nowMs);
    board.handle(event);
    changes.push(...board.drain());
  }
  return changes;
}

const made = new Map<ProfileName, Promise<Buffer>>();

/** A real history of all recordings, as a sidecar with these settings would have made it. Returns its path. */
export async function makeHistory(settings: Settings): Promise<string> {
  const { profile } = settings.general;
  const { path } = settings.history;
  let bytes = made.get(profile);
  if (bytes === undefined) made.set(profile, (bytes = recordAll(profile)));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, await bytes);
  return path;
}

async function recordAll(profile: ProfileName): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'mes-recorded-'));
  const settings = settingsFor(folder, profile);
  const { path } = settings.history;
  const clock = { nowMs: () => RECORDED_MS };
  const history = await openHistory({ path, keepIntervalsMs: YEAR_MS, keepCallsMs: YEAR_MS, clock });
  for (const name of goldenNames()) {
    for (const change of changesOf(name, settings)) history.record(change);
    await history.flush();
  }
  await history.tidy();
  await history.close();
  const bytes = readFileSync(path);
  rmSync(folder, { recursive: true });
  return bytes;
}

/** Every row of every table; numbers to 12 digits, since a mean depends in its last one on the order of its parts. */
export function dump(path: string): Record<string, unknown[]> {
  const database = new Sqlite(path, { readonly: true });
  const tables = [
    'calls',
    'call_aliases',
    'channels',
    'streams',
    'segments',
    'intervals',
    'rescoring',
    'call_sums',
    'call_terms',
  ];
  const rows = tables.map((table) => {
    const all = database.prepare<[], object>(`SELECT * FROM ${table}`).all();
    return [
      table,
      all.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, shorter(value)]))),
    ];
  });
  database.close();
  return Object.fromEntries(rows) as Record<string, unknown[]>;
}

function shorter(value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(12)) : value;
}
