import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testAlertRule } from '../../../src/app/alert-test.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import { openHistory } from '../../../src/history/history.ts';
import { callRecord, channelRecord } from '../history/records.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** 2026-11-02T00:00:00Z, a Monday; and the Wednesday, three weeks later, on which the carrier is gone from nine to twelve. */
const FROM_MS = 1_793_577_600_000;
const GONE_MS = FROM_MS + 23 * DAY_MS + 9 * HOUR_MS;
const BACK_MS = GONE_MS + 3 * HOUR_MS;
const TO_MS = FROM_MS + 25 * DAY_MS;
const folder = mkdtempSync(join(tmpdir(), 'mes-alert-test-'));
const path = join(folder, 'mes.sqlite');

/** A call every four minutes from eight to six. While the carrier is gone people try it as often, in vain. */
beforeAll(async () => {
  const clock = { nowMs: () => TO_MS };
  const history = await openHistory({ path, keepIntervalsMs: 400 * DAY_MS, keepCallsMs: 400 * DAY_MS, clock });
  for (let atMs = FROM_MS; atMs < TO_MS; atMs += HOUR_MS / 15) {
    const hour = (atMs % DAY_MS) / HOUR_MS;
    if (hour < 8 || hour >= 18) continue;
    const isAnswered = atMs < GONE_MS || atMs >= BACK_MS;
    const endedAtMs = atMs + (isAnswered ? 90_000 : 2000);
    const linkedid = `${atMs / 1000}.1`;
    const common = {
      linkedid,
      startedAtMs: atMs,
      answeredAtMs: isAnswered ? atMs + 1000 : null,
      endedAtMs,
      streams: [],
    };
    for (const [uniqueid, endpoint] of [
      [linkedid, 'PJSIP/phone'],
      [`${atMs / 1000}.2`, 'PJSIP/carrier'],
    ] as const) {
      history.record({ kind: 'channel', channel: channelRecord(uniqueid, { ...common, endpoint }), resume: null });
    }
    history.record({ kind: 'call', call: callRecord(linkedid, { startedAtMs: atMs, endedAtMs }) });
  }
  // Closing waits a second at most, which a busy machine exceeds.
  await history.flush();
  await history.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function tried(text: string, fromMs = TO_MS - 4 * DAY_MS) {
  const { alerts } = loadSettings(
    `[ami]\nusername = mes\nsecret = s\n[alert:mine]\nwhat = gone\n${text}`,
    'mes.conf',
    {},
  );
  const rule = alerts.rules.find(({ name }) => name === 'mine');
  if (rule === undefined) throw new Error('the rule is missing');
  return testAlertRule({ path, rule, fromMs, toMs: TO_MS });
}

it('tells of a stored history when a carrier was gone, by what the weeks before were like', () => {
  const { channels, alerts } = tried('');
  expect(channels).toBe(4 * 150 * 2);
  expect(alerts.map(({ subject }) => subject)).toEqual(['PJSIP/carrier']);
  const [alert] = alerts;
  // Ten calls take forty minutes.
  expect(alert?.raisedAtMs).toBeGreaterThan(GONE_MS + 0.5 * HOUR_MS);
  expect(alert?.raisedAtMs).toBeLessThan(GONE_MS + HOUR_MS);
  expect(alert?.sinceMs).toBe(GONE_MS - HOUR_MS / 15 + 90_000);
  expect(alert?.clearedAtMs).toBeGreaterThan(BACK_MS);
  expect(alert?.clearedAtMs).toBeLessThan(BACK_MS + 0.2 * HOUR_MS);
  expect(tried('endpoint = PJSIP/phone*').alerts).toEqual([]);
});

it('knows nothing where less than two weeks lie before', () => {
  expect(tried('', FROM_MS).alerts.map(({ subject }) => subject)).toEqual(['PJSIP/carrier']);
  const { alerts } = loadSettings('[ami]\nusername = mes\nsecret = s\n', 'mes.conf', {});
  const rule = alerts.rules.find(({ name }) => name === 'gone');
  if (rule === undefined) throw new Error('the rule is missing');
  expect(testAlertRule({ path, rule, fromMs: FROM_MS, toMs: FROM_MS + 14 * DAY_MS }).alerts).toEqual([]);
});
