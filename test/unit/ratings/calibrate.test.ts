import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scoringRules } from '../../../src/app/settings/scoring-rules.ts';
import { storedDirections } from '../../../src/calls/again/rated-streams.ts';
import { type History, openHistory } from '../../../src/history/history.ts';
import { Queries } from '../../../src/history/read/queries.ts';
import { openForReading } from '../../../src/history/schema/database.ts';
import type { Rating } from '../../../src/model/people/rating.ts';
import { meanMes } from '../../../src/score/calibration.ts';
import { mesProfile } from '../../../src/score/profiles.ts';
import { callRecord, channelRecord, START_MS, streamRecord } from '../history/records.ts';
import { makeHistory, settingsFor } from '../rescored-history.ts';

const ENTRY = join(import.meta.dirname, '../../../src/asterisk-mes.js');
const NONE = { last: null, mean: null, min: null, max: null, stdev: null, count: 0 };
const CALLS = 300;

/** Numbers from 0 to 1, the same each time (Park and Miller 1988). */
function randomNumbers(): () => number {
  let state = 4711;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** G.107's opinion of R (Annex B), as people say it on 1-5. */
function saidOf(lossPercent: number, rPerPercent: number): number {
  const r = Math.max(0, 93.2 - 60 / 40 - lossPercent * rPerPercent);
  const opinion = Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
  return 1 + ((opinion - 1) * 4) / 3.5;
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mes-calibrate-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A history whose calls were rated by `say`, still open, as beside a running sidecar. */
async function ratedHistory(
  name: string,
  say: (lossPercent: number, random: () => number) => number,
): Promise<History> {
  const path = join(folder, `${name}.sqlite`);
  writeFileSync(join(folder, `${name}.conf`), `[ami]\nusername = mes\nsecret = s\n[history]\npath = ${path}\n`);
  const yearMs = 365 * 86_400_000;
  const clock = { nowMs: () => START_MS };
  const history = await openHistory({ path, keepIntervalsMs: yearMs, keepCallsMs: yearMs, clock });
  const random = randomNumbers();
  const ratings: Rating[] = [];
  for (let number = 0; number < CALLS; number++) {
    const id = `${number}.1`;
    const lossPercent = random() * 14;
    const stream = streamRecord({
      lossPercent,
      lostPacketsPerReportMean: lossPercent * 2.5,
      rttMs: { ...NONE, mean: 50, count: 12 },
      jitterMs: { ...NONE, mean: 2, last: 2, stdev: 0, count: 12 },
    });
    history.record({
      kind: 'channel',
      channel: channelRecord(id, { endedAtMs: START_MS, streams: [stream] }),
      resume: null,
    });
    history.record({ kind: 'call', call: callRecord(id, { endedAtMs: START_MS }) });
    ratings.push({
      id,
      linkedid: id,
      uniqueid: id,
      endpoint: 'PJSIP/alice',
      side: 'caller',
      score: Math.min(5, Math.max(1, Math.round(say(lossPercent, random)))),
      issues: [],
      answers: [],
      comment: null,
      source: 'ivr',
      asked: true,
      weight: 1,
      atMs: START_MS + number,
    });
  }
  // Whoever reads waits for what was recorded before.
  await history.calls({}, 1, null);
  await Promise.all(ratings.map((rating) => history.features.write('ratings', 'rate', rating)));
  return history;
}

async function calibrate(name: string, ...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  try {
    const words = [ENTRY, 'calibrate', '--config', join(folder, `${name}.conf`), ...args];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, words);
    return { status: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { status: code, stdout, stderr };
  }
}

describe('asterisk-mes calibrate', () => {
  test('finds the truth of made ratings, beside an open history, and prints the section to paste', async () => {
    // 3 R a percent; the documented profile takes 2.5 R a packet of 5 s, 6.25 R a percent.
    const history = await ratedHistory('truth', (lossPercent, random) => saidOf(lossPercent, 3) + random() - 0.5);
    try {
      const { status, stdout } = await calibrate('truth', '--json');
      expect(status).toBe(0);
      const outcome = JSON.parse(stdout) as {
        readonly fit: { readonly numbers: Readonly<Record<string, number>>; readonly section: string };
        readonly predictors: readonly { readonly name: string; readonly correlation: { readonly rho: number } }[];
      };
      expect(outcome).toMatchObject({ ratings: CALLS, asked: CALLS, by_themselves: 0, effective_ratings: CALLS });
      expect(outcome.fit).toMatchObject({
        kind: 'fitted',
        changed: expect.arrayContaining(['loss_factor']) as string[],
      });
      expect(outcome.fit.numbers['loss_factor']).toBeGreaterThan(0.9);
      expect(outcome.fit.numbers['loss_factor']).toBeLessThan(1.5);
      const documented = outcome.predictors.find(({ name }) => name === 'documented');
      expect(documented?.correlation.rho).toBeGreaterThan(0.8);
      expect(documented?.correlation.rho).toBeLessThan(1);
      const text = (await calibrate('truth')).stdout;
      expect(text).toContain(`[profile:custom]\n`);
      expect(text).toContain(`loss_factor = ${outcome.fit.numbers['loss_factor']}\n`);
      expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(80);
      const none = await calibrate('truth', '--from', '2030-01-01');
      expect(none.stdout).toBe('Nobody rated a call of that time. [ratings] in mes.conf has people asked.\n');
    } finally {
      await history.close();
    }
  });

  test('says of noise that it explains nothing', async () => {
    const history = await ratedHistory('noise', (_, random) => 0.5 + random() * 5);
    await history.close();
    const { fit, predictors } = JSON.parse((await calibrate('noise', '--json')).stdout) as {
      readonly fit: object;
      readonly predictors: readonly { readonly correlation: { readonly low: number; readonly high: number } }[];
    };
    expect(fit).toEqual({ kind: 'no-relation' });
    expect(predictors[0]?.correlation.low).toBeLessThan(0);
    expect(predictors[0]?.correlation.high).toBeGreaterThan(0);
  });

  test('refuses what it cannot do in one sentence', async () => {
    expect(await calibrate('truth', '--from', 'yesterday')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^asterisk-mes: --from: give an ISO 8601 time/) as string,
    });
    writeFileSync(
      join(folder, 'absent.conf'),
      `[ami]\nusername = mes\nsecret = s\n[history]\npath = ${folder}/no.sqlite\n`,
    );
    expect(await calibrate('absent')).toEqual({
      status: 1,
      stdout: '',
      stderr: `asterisk-mes: there is no history at ${folder}/no.sqlite; check path in [history], or name the settings with --config\n`,
    });
  });

  test('takes from stored streams of real calls what their scores were made of', async () => {
    const settings = settingsFor(folder, 'documented');
    const path = await makeHistory(settings);
    const database = openForReading(path);
    const queries = new Queries(database);
    const { calls } = queries.calls({ filter: {}, limit: 100, cursor: null });
    const rules = scoringRules(settings);
    const profile = mesProfile('documented');
    const pairs = calls.flatMap(({ channels }) =>
      channels.flatMap((channel) =>
        channel.streams.map((stream) => {
          const { directions } = storedDirections({ channels: [{ ...channel, streams: [stream] }] }, rules);
          return { stored: stream.mes, computed: meanMes(profile, { directions }) };
        }),
      ),
    );
    database.close();
    const scored = pairs.filter(({ stored }) => stored !== null);
    expect(scored.length).toBeGreaterThan(30);
    for (const { stored, computed } of scored) expect(computed).toBeCloseTo(stored ?? 0, 1);
    expect(pairs.filter(({ stored, computed }) => stored === null && computed !== null)).toEqual([]);
  });
});
