import { existsSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dashboardAssets } from '../../src/dashboard/assets.ts';
import type { Rating } from '../../src/model/people/rating.ts';
import type { Verdict } from '../../src/model/score.ts';
import { callRecord, channelRecord, intervalRecord, START_MS, streamRecord } from '../unit/history/records.ts';
import { type RatedServer, startRatedServer, TOKEN } from '../unit/ratings/rated-server.ts';
import { accessibilityFaults, openBrowser, openPage, takePictures, type WatchedPage } from './fixtures/browser.ts';

const HOUR_MS = 3_600_000;
const HOSTILE = '<img src=x onerror=alert(1)> "it\'s bad"';
const [ALICE, BOB, TRUNK] = ['PJSIP/alice', 'PJSIP/bob', 'PJSIP/trunk'];

/** Who runs the PBX sees what people heard, and where that does not fit what was measured. */
describe.runIf(existsSync('/usr/bin/chromium'))('the page of ratings', () => {
  let browser: Browser;
  let server: RatedServer;

  function record(linkedid: string, from: string, to: string, verdict: Verdict, mes: number): void {
    const endedAtMs = START_MS + 60_000;
    for (const [uniqueid, endpoint] of [
      [linkedid, from],
      [`${linkedid}b`, to],
    ] as const) {
      const streams = [streamRecord({ direction: 'rx' }), streamRecord({ direction: 'tx', codec: 'alaw' })];
      const channel = channelRecord(uniqueid, { linkedid, endpoint, streams, endedAtMs, verdict });
      server.history.record({ kind: 'channel', channel, resume: null });
    }
    server.history.record({ kind: 'call', call: callRecord(linkedid, { verdict, mes, endedAtMs }) });
  }
  async function rate(id: string, linkedid: string, part: Partial<Rating>): Promise<void> {
    await server.history.features.write('ratings', 'rate', {
      id,
      linkedid,
      uniqueid: linkedid,
      endpoint: ALICE,
      side: 'caller',
      score: 3,
      issues: [],
      answers: [],
      comment: null,
      source: 'ivr',
      asked: true,
      weight: 1,
      atMs: START_MS + 65_000,
      ...part,
    });
  }
  const open = (hash: string, language = 'en'): Promise<WatchedPage> =>
    openPage(browser, server.origin, hash, async (page: Page) => {
      await page.clock.setFixedTime(server.nowMs);
      const stored = [TOKEN, language] as const;
      await page.addInitScript(([token, tongue]) => {
        sessionStorage.setItem('asterisk-mes-token', token);
        localStorage.setItem('asterisk-mes-language', tongue);
      }, stored);
    });
  const rowsOf = (page: Page, name: string): Promise<string[]> =>
    page.getByRole('table', { name }).locator('tbody tr').allInnerTexts();

  beforeAll(async () => {
    [browser, server] = await Promise.all([openBrowser(), startRatedServer('enabled = yes', '', dashboardAssets())]);
    record('1.1', ALICE, TRUNK, 'good', 4.32);
    record('1.2', ALICE, TRUNK, 'bad', 1.8);
    record('1.3', BOB, ALICE, 'good', 4.1);
    record('1.4', BOB, TRUNK, 'poor', 3.3);
    for (const [number, direction, mes] of [
      [1, 'rx', 4.3],
      [1, 'tx', 4.2],
      [2, 'tx', 2.1],
    ] as const)
      server.history.record({
        kind: 'interval',
        interval: intervalRecord('1.3', number, { direction, mes, atMs: START_MS + number * 5000 }),
      });
    await server.history.calls({}, 1, null);
    await rate('a', '1.1', { score: 4, weight: 20 });
    await rate('b', '1.2', { score: 1, issues: ['stuttering'] });
    const answers = [
      { question: 'echo', version: 1, answer: true },
      { question: 'noise', version: 2, answer: false },
    ];
    await rate('c', '1.3', { endpoint: BOB, score: 2, weight: 20, issues: ['echo_of_me'], answers, comment: HOSTILE });
    await rate('d', '1.4', { endpoint: BOB, score: 5 });
    const unasked = { asked: false, weight: 0, source: 'link', side: 'callee' } as const;
    await rate('e', '1.1', { ...unasked, uniqueid: '1.1b', endpoint: TRUNK, score: 1, issues: ['delay'] });
    const { history } = server;
    await history.features.write('ratings', 'mark', { linkedid: '1.3', uniqueid: '1.3', atMs: START_MS + 7000 });
    for (const uniqueid of ['1.1', '1.2', '1.3', '1.4', '1.9'])
      await history.features.write('ratings', 'ask', {
        linkedid: uniqueid,
        uniqueid,
        endpoint: ALICE,
        side: 'caller',
        probability: 1,
        askedAtMs: START_MS + 61_000,
      });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  test('shows the mean of all calls, who answered, and where people and figures disagree', async () => {
    const { page, complaints } = await open('#/ratings');
    await expect.poll(() => page.getByRole('status').textContent()).toBe('4 of 5 who were asked answered');
    // (20·4 + 1 + 20·2 + 5) / 42 and (1 + 20) / 42: the one who came unasked is apart.
    expect(await page.locator('.figure').allInnerTexts()).toEqual([
      '3.00\nmean of all calls, 1-5',
      '50.0 %\nof all calls get a complaint',
      '1.00\nmean of those who came by themselves',
      '5\nratings, 4 of them asked for',
    ]);
    const [echo, late, ...others] = await rowsOf(page, 'Said bad, measured good');
    expect(echo).toContain(`bob ↔ alice`);
    expect(echo).toContain('2/5 poor');
    expect(echo).toContain(`heard themselves: ${HOSTILE}`);
    expect(echo).toContain('4.10 ✓ good');
    expect(late).toContain('answers came late');
    expect(others).toEqual([]);
    expect(await page.locator('img[src=x]').count()).toBe(0);
    const [harsh, ...more] = await rowsOf(page, 'Measured bad, said good');
    expect(harsh).toContain('5/5 excellent');
    expect(more).toEqual([]);
    const trunk = page.getByRole('row', { name: `${TRUNK} 3.91 4.5 % 3 0 –` });
    expect(await trunk.locator('a').getAttribute('href')).toBe('#/calls?from=-30d&endpoint=PJSIP%2Ftrunk&rated=yes');
    expect(await takePictures(page, 'ratings')).toEqual([0, 0]);
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.locator('.issues a', { hasText: 'heard themselves' }).click();
    await expect.poll(() => page.locator('table.list tbody tr').allInnerTexts()).toHaveLength(1);
    expect(await page.locator('select[name=issue]').inputValue()).toBe('echo_of_me');
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('says in German what it says in English, and nothing where nobody rated', async () => {
    const { page, complaints } = await open('#/ratings', 'de');
    await expect.poll(() => page.getByRole('status').textContent()).toBe('4 von 5 Gefragten antworteten');
    expect(await rowsOf(page, 'Schlecht genannt, gut gemessen')).toHaveLength(2);
    server.nowMs += 10 * HOUR_MS;
    await page.getByLabel('Gesagt in').selectOption('-1h');
    await page.getByText('In dieser Zeit hat niemand einen Anruf beurteilt.').waitFor();
    server.nowMs -= 10 * HOUR_MS;
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("stands on the call's page beside the score, with what each direction did around a mark", async () => {
    const { page, complaints } = await open('#/call/1.3');
    const said = page.locator('.said');
    await said.waitFor();
    expect(await page.locator('.lead .result').innerText()).toContain('people said 2/5 poor');
    expect(await said.locator('li').innerText()).toContain(
      `2/5 poor bob, who called heard themselves: ${HOSTILE} echo: yes, noise: no; asked, by voice`,
    );
    expect(await said.locator('tbody tr').allInnerTexts()).toEqual([
      expect.stringMatching(/^from bob\s+4\.30 → –/),
      expect.stringMatching(/^to bob\s+4\.20 → 2\.10/),
    ]);
    expect(await page.locator('.marks').innerText()).toContain('bob pressed the key');
    expect(await page.locator('img[src=x]').count()).toBe(0);
    expect(await takePictures(page, 'rated-call')).toEqual([0, 0]);
    expect(await accessibilityFaults(page)).toEqual([]);
    const german = await open('#/call/1.3', 'de');
    await german.page.getByText('Was gehört wurde').waitFor();
    expect([...complaints, ...german.complaints]).toEqual([]);
    await german.page.close();
    await page.close();
  });
});
