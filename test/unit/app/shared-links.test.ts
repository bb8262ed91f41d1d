import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CompanionContext } from '../../../src/app/companions/companion.ts';
import { evidenceHere } from '../../../src/app/companions/alerts/evidence-maker.ts';
import { SharedLinks } from '../../../src/app/companions/alerts/shared-links.ts';
import { type History, openHistory } from '../../../src/history/history.ts';
import type { Alert } from '../../../src/model/alert.ts';
import { callRecord, channelRecord, START_MS } from '../history/records.ts';

const DAY_MS = 86_400_000;
const ALERT: Alert = {
  id: 'a1',
  rule: 'loss',
  what: 'loss',
  subject: 'PJSIP/alice',
  sinceMs: START_MS,
  raisedAtMs: START_MS,
  clearedAtMs: null,
  clearedBecause: null,
  value: 4,
  worst: 4,
  calls: 2,
  linkedids: ['1.1', '2.1'],
  place: null,
  toldAtMs: null,
  endToldAtMs: null,
};

let folder = '';
let nowMs = START_MS + 3_600_000;
let history: History;
let links: SharedLinks;

async function open(): Promise<void> {
  const clock = { nowMs: () => nowMs };
  const path = join(folder, 'mes.sqlite');
  history = await openHistory({ path, keepIntervalsMs: 365 * DAY_MS, keepCallsMs: 365 * DAY_MS, clock });
  const context = { history, calls: history, clock } as unknown as CompanionContext;
  const findAlert = async (id: string) => (id === 'a1' ? ALERT : null);
  links = new SharedLinks(context, { url: 'http://pbx', findAlert, evidence: evidenceHere(context) });
  await links.restore();
}

beforeEach(async () => {
  nowMs = START_MS + 3_600_000;
  folder = mkdtempSync(join(tmpdir(), 'mes-shares-'));
  await open();
  for (const id of ['1.1', '2.1']) {
    const part = { startedAtMs: START_MS, endedAtMs: START_MS + 60_000, verdict: 'bad' as const };
    history.record({ kind: 'channel', channel: channelRecord(id, part), resume: null });
    history.record({ kind: 'call', call: callRecord(id, part) });
  }
});
afterEach(async () => {
  await history.close();
  rmSync(folder, { recursive: true, force: true });
});

const tokenOf = (url: string): string => url.slice('http://pbx/s/'.length);
const shows = async (url: string): Promise<string> => {
  const { html, isThere } = await links.page(tokenOf(url));
  return isThere ? (/<h1>(.*)<\/h1>/.exec(html)?.[1] ?? '') : 'nothing';
};

describe('a link', () => {
  it('shows its call or trunk alone, is taken back alone, and stays so after a restart', async () => {
    const one = await links.shareCall('1.1', 30);
    const two = await links.shareCall('2.1', 30);
    const range = { fromMs: START_MS - 1000, toMs: START_MS + DAY_MS };
    const trunk = await links.shareTrunk('PJSIP/alice', range, 1);
    if (one === null || two === null) throw new Error('no such call');
    expect(await links.shareCall('9.9', 30)).toBeNull();
    expect(await Promise.all([one.url, two.url, trunk.url].map(shows))).toEqual([
      'Call 1.1: bad',
      'Call 2.1: bad',
      'Calls over PJSIP/alice',
    ]);
    expect((await links.page(tokenOf(one.url))).html).not.toContain('2.1:');
    expect(await links.revoke(one.id)).toBe(true);
    expect(await links.revoke('nothing-of-ours')).toBe(false);
    await history.close();
    await open();
    expect(await Promise.all([one.url, two.url, trunk.url].map(shows))).toEqual([
      'nothing',
      'Call 2.1: bad',
      'Calls over PJSIP/alice',
    ]);
    const listed = await links.shares();
    const isRevoked = (id: string) => listed.find((share) => share.id === id)?.revoked_at !== null;
    expect([one.id, two.id, trunk.id].map(isRevoked)).toEqual([true, false, false]);
    expect(listed).toHaveLength(3);
    expect(listed.find(({ id }) => id === one.id)).toMatchObject({ subject: '1.1', from: null, to: null });
    expect(listed.find(({ id }) => id === trunk.id)).toMatchObject({
      subject: 'PJSIP/alice',
      from: new Date(START_MS - 1000).toISOString(),
      to: new Date(START_MS + DAY_MS).toISOString(),
    });
    nowMs += DAY_MS + 1000;
    expect(await Promise.all([two.url, trunk.url].map(shows))).toEqual(['Call 2.1: bad', 'nothing']);
    await links.revokeAll();
    expect(await shows(two.url)).toBe('nothing');
  });

  it('of an alert shows its calls, and with it all of its links are taken back', async () => {
    const url = links.ofAlert('a1');
    const { html } = await links.page(tokenOf(url));
    const ofCalls = [...html.matchAll(/href="([^"]+)"/g)].map(([, href = '']) => href);
    expect(await Promise.all(ofCalls.map(shows))).toEqual(['Call 1.1: bad', 'Call 2.1: bad']);
    const own = await links.shareCall('1.1', 30);
    expect(await links.revoke('a1')).toBe(true);
    expect(await Promise.all([url, ...ofCalls].map(shows))).toEqual(['nothing', 'nothing', 'nothing']);
    // A message that is sent again has the same alert: its link works no more either.
    nowMs += 60_000;
    expect(await shows(links.ofAlert('a1'))).toBe('nothing');
    expect(await shows(own?.url ?? '')).toBe('Call 1.1: bad');
  });
});
