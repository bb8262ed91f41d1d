import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dashboardAssets } from '../../src/dashboard/assets.ts';
import { LAB_HOME } from '../lab/paths.ts';
import { NOW_MS, type TestServer, startServer } from '../unit/api/server.ts';
import { accessibilityFaults, openBrowser, openPage } from './fixtures/browser.ts';
import { legsOf, type Made, STORED, storeCalls } from './fixtures/stored-calls.ts';

/** Numbers, and words at the heads of lines, that stand on two lines. */
const BROKEN_WORDS = `[...document.querySelectorAll('.numbers-list td, .compare tbody th')].flatMap((cell) => {
  const broken = [];
  const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text !== null; text = texts.nextNode()) {
    for (const word of text.data.matchAll(/\\S+/g)) {
      const range = document.createRange();
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1) broken.push(word[0]);
    }
  }
  return broken;
})`;

/** Who looks at the page finds what is wrong, with a calendar of their own. */
describe.runIf(existsSync('/usr/bin/chromium'))('the dashboard at work', () => {
  let browser: Browser;
  let server: TestServer;
  let origin: string;

  beforeAll(async () => {
    [browser, server] = await Promise.all([openBrowser(), startServer({ files: dashboardAssets() })]);
    origin = `http://127.0.0.1:${server.port}`;
    storeCalls(server);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  /** The page as it is at the server's moment: its own clock would take another day for today. */
  const open = (hash: string) =>
    openPage(browser, origin, hash, async (page) => page.clock.setFixedTime(NOW_MS).then(() => undefined));
  const rows = (page: Page) => page.locator('.list tbody tr');

  test('shows 500 calls in lines, few of them in the page at a time, and chooses among them', async () => {
    const verdicts = ['good', 'good', 'fair', 'poor', 'bad', 'one-way-rx', 'no-media', 'good', 'good', 'good'] as const;
    server.live = Array.from({ length: 500 }, (_, n): Made => {
      const verdict = verdicts[n % verdicts.length] ?? 'good';
      const mes = { good: 4.2, fair: 3.8, poor: 3.3, bad: 2, 'one-way-rx': 4, 'no-media': null }[verdict];
      const to = n % 4 === 0 ? 'PJSIP/carrier' : `PJSIP/to${n}`;
      return { id: `${n}.1`, from: `PJSIP/from${n}`, to, verdict, mes, startedAtMs: NOW_MS - 60_000, isUp: true };
    }).flatMap(legsOf);
    const { page, complaints } = await openPage(browser, origin);
    // These calls are up and have no reports: who opens one may ask for them in time or not.
    await page.route('**/v1/channels/*/intervals*', (route) => route.fulfill({ json: { intervals: [] } }));
    await page.getByRole('heading', { name: 'Now: 500 calls' }).waitFor();
    const tile = (name: string) => page.getByRole('button', { name });
    expect(await page.locator('.tile b').allTextContents()).toEqual(['50', '100', '50', '50', '250', '0']);
    const nodes = () => page.evaluate<number>(`document.querySelectorAll('*').length`);
    expect(await nodes()).toBeLessThan(5000);
    const shown = await page.locator('.call').count();
    expect(shown).toBeGreaterThan(10);
    expect(shown).toBeLessThan(100);
    expect(await page.locator('.call').first().locator('.arrow').count()).toBe(4);
    expect(await page.locator('.call .way').count()).toBe(0);
    // The worst are first; the best are reached by scrolling, and the page stays as light.
    expect(await page.locator('.call').first().getAttribute('class')).toContain('tone-bad');
    await page.keyboard.press('End');
    await expect.poll(() => page.locator('.call').last().getAttribute('class')).toContain('tone-good');
    expect(await nodes()).toBeLessThan(5000);

    await tile('poor').click();
    await expect.poll(() => page.locator('.call h2').count()).toBeLessThan(51);
    expect(await page.locator('.call:not(.tone-poor)').count()).toBe(0);
    await page.getByLabel('Endpoint or trunk').selectOption('PJSIP/carrier');
    // Of the 50 poor ones, number 3, 13, 23 …, none went to the carrier: 0, 4, 8 …
    await page.getByText('No call that is up fits.').waitFor();
    await tile('poor').click();
    expect(await page.locator('.tile b').allTextContents()).toEqual(['25', '25', '0', '25', '50', '0']);
    await page.getByLabel('Search').fill('from104');
    await expect.poll(() => page.locator('.call').count()).toBe(1);
    // One call alone is open, by keyboard it is closed.
    expect(await page.locator('.way').count()).toBe(4);
    await page.getByRole('button', { name: 'Close the directions' }).press('Enter');
    expect(await page.locator('.way').count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('does not say that no call is up while Asterisk is not connected', async () => {
    server.live = [];
    server.health = { ...server.health, amiConnected: false, amiProblem: 'Asterisk refused the login' };
    const { page } = await openPage(browser, origin);
    await page.getByText('Whether calls are up is not known now.').waitFor();
    expect(await page.locator('.status').first().textContent()).toBe('✕ Not live');
    expect(await page.locator('.notice.tone-bad').textContent()).toContain('Asterisk refused the login');
    expect(await page.getByText('No call is up at the moment').count()).toBe(0);
    server.health = { ...server.health, amiConnected: true, amiProblem: null };
    await page.close();
  });

  test('finds what 214 did not hear yesterday, and says who did not hear whom', async () => {
    const { page, complaints } = await open('#/calls');
    await rows(page).first().waitFor();
    expect(await page.locator('.head .status').textContent()).toBe('4 in all');
    await page.getByLabel('Began').selectOption('yesterday');
    await page.locator('select[name="verdict"]').selectOption('any-one-way');
    await page.getByLabel('Who').fill('214');
    await page.getByLabel('Who').press('Enter');
    await page.waitForURL('**/#/calls?from=yesterday&party=214&verdict=any-one-way');
    await page.getByText('1 in all').waitFor();
    expect(await rows(page).locator('.chip').textContent()).toBe('⇥ one way: the caller did not hear the callee');
    await page.getByLabel('Began').selectOption('');
    await page.getByText('2 in all').waitFor();
    expect(await rows(page).locator('.chip').allTextContents()).toEqual([
      '⇥ one way: the caller did not hear the callee',
      '⇤ one way: the callee did not hear the caller',
    ]);
    await page.goto(`${origin}/#/calls?verdict=bad,one-way-rx`);
    await page.getByText('2 in all').waitFor();
    expect(await page.locator('select[name="verdict"]').inputValue()).toBe('several');
    expect(
      await page.evaluate(`[...document.querySelectorAll('.several input:checked')].map(({ value }) => value)`),
    ).toEqual(['bad', 'one-way-rx']);
    await page.goto(`${origin}/#/calls?fault_place=callee-network`);
    await page.getByText('1 in all').waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('sorts, and leads from a call to its neighbours in that order and back', async () => {
    const { page, complaints } = await open('#/calls');
    await page.getByRole('button', { name: 'Score' }).click();
    await page.waitForURL('**/#/calls?sort=mes');
    const scores = () => rows(page).locator('.score').allTextContents();
    await expect.poll(scores).toEqual(['1.90', '4.10', '4.10', '4.30']);
    await rows(page).first().locator('a').click();
    await page.locator('.hops').waitFor();
    expect(await page.title()).toMatch(/^bob ↔ carrier, .+ · asterisk-mes$/);
    expect(await page.locator('.gap.faulty').count()).toBe(1);
    expect(await page.locator('.gap').nth(1).textContent()).toContain('the fault is here, for sure');
    expect(await page.locator('.hop').count()).toBe(4);
    await page.getByRole('link', { name: 'next call' }).click();
    await page
      .locator('h1', { hasText: '214 (214)' })
      .or(page.locator('h1', { hasText: '214 ↔' }))
      .waitFor();
    await page.getByRole('link', { name: 'Other calls of these two' }).click();
    await page.getByText('2 in all').waitFor();
    await page.goBack();
    await page.goBack();
    await page.goBack();
    await page.waitForURL('**/#/calls?sort=mes');
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('says of a link that cannot be understood that it cannot', async () => {
    const { page } = await open('#/calls?verdct=bad');
    await page.getByText('This link cannot be understood: it asks for “verdct”').waitFor();
    expect(await rows(page).count()).toBe(0);
    await page.goto(`${origin}/#/calls?verdict=great`);
    await page.getByText('parameter verdict: "great" is not allowed').waitFor();
    expect(await rows(page).count()).toBe(0);
    await page.close();
  });

  test('searches endpoints, leaves out those of few calls, and shows the week before', async () => {
    const { page, complaints } = await open('#/endpoints?from=-7d');
    await rows(page).first().waitFor();
    const row = page.locator('tr', { hasText: 'PJSIP/214' });
    expect(await row.locator('td').nth(1).textContent()).toBe('4.10');
    expect(await row.locator('td').nth(1).locator('span').getAttribute('title')).toBe('1 call, bad 100.0 %');
    await page.getByLabel('Search').fill('carr');
    await expect.poll(() => rows(page).locator('th a').allTextContents()).toEqual(['PJSIP/carrier']);
    await page.getByLabel('With calls').selectOption('20');
    await page.getByText('No endpoint fits.').waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('speaks German to whoever reads German, with its numbers, and English again when told so', async () => {
    const context = await browser.newContext({ locale: 'de-DE' });
    const page = await context.newPage();
    await page.goto(`${origin}/#/calls?sort=mes`);
    await rows(page).first().waitFor();
    expect(await page.locator('nav a').allTextContents()).toEqual([
      'Jetzt',
      'Anrufe',
      'Endpunkte',
      'Trends',
      'Urteile',
      'Alarme',
      'Messwerte',
    ]);
    expect(await page.locator('html').getAttribute('lang')).toBe('de');
    expect(await rows(page).first().locator('.score').textContent()).toBe('1,90');
    expect(await rows(page).first().locator('.chip').textContent()).toBe('✕ schlecht');
    await page.screenshot({ path: join(LAB_HOME, 'screenshots', 'calls-german.png') });
    await page.getByRole('button', { name: 'English' }).click();
    await page.getByRole('heading', { name: 'Calls' }).waitFor();
    await expect.poll(() => rows(page).first().locator('.chip').textContent()).toBe('✕ bad');
    await page.goto(`${origin}/docs`);
    await page.getByText('/v1/calls/{linkedid}', { exact: true }).first().waitFor();
    await page.screenshot({ path: join(LAB_HOME, 'screenshots', 'docs.png') });
    // All of it would take seconds.
    expect(await accessibilityFaults(page, 'main > :nth-child(-n + 8)')).toEqual([]);
    await context.close();
  });

  test.each([
    '',
    '#/calls?verdict=bad-or-worse&codec=ulaw',
    '#/call/bad.1',
    '#/endpoints?from=-7d',
    '#/trends?from=-7d&endpoint=PJSIP/carrier',
    '#/compare?one=bad.1&other=fine.1',
  ])('has no fault that a checker of accessibility finds at %s, and fits every screen', async (hash) => {
    server.live = STORED.slice(0, 3).flatMap((made) => legsOf({ ...made, isUp: true }));
    const { page } = await open(hash);
    await page.locator('.call, .list tbody tr, .direction, .compare tbody tr').first().waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    for (const width of [320, 768, 2560]) {
      await page.setViewportSize({ width, height: 900 });
      expect([width, await page.evaluate('document.documentElement.scrollWidth - innerWidth')]).toEqual([width, 0]);
      expect([width, await page.evaluate(BROKEN_WORDS)]).toEqual([width, []]);
    }
    await page.close();
  });
});
