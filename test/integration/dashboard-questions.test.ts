import { existsSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CompanionContext } from '../../src/app/companions/companion.ts';
import { remarksCompanion } from '../../src/app/companions/remarks.ts';
import { dashboardAssets } from '../../src/dashboard/assets.ts';
import { NOW_MS, type TestServer, startServer } from '../unit/api/server.ts';
import { openBrowser, openPage } from './fixtures/browser.ts';
import { DAY_MS, type Made, STORED, storeCalls } from './fixtures/stored-calls.ts';

const TOKEN = 'the-token-of-this-test';
/** A trunk of which every third call was bad this week, and none the week before. */
const TRUNK: readonly Made[] = Array.from({ length: 60 }, (_, n): Made => {
  const isBad = n < 30 && n % 3 === 0;
  return {
    id: `t${n}.1`,
    from: 'PJSIP/north',
    to: `PJSIP/desk${n % 4}`,
    verdict: isBad ? 'bad' : 'good',
    mes: isBad ? 2 : 4.2,
    place: isBad ? 'caller-network' : 'none',
    startedAtMs: NOW_MS - (n + 1) * 4 * 3_600_000 - (n < 30 ? 0 : 2.5 * DAY_MS),
  };
});

/** The questions of an administrator, and what they write down of the answers. */
describe.runIf(existsSync('/usr/bin/chromium'))('the questions of an administrator, on the page', () => {
  let browser: Browser;
  let server: TestServer;
  let origin: string;

  beforeAll(async () => {
    [browser, server] = await Promise.all([
      openBrowser(),
      startServer({
        files: dashboardAssets(),
        token: TOKEN,
        routesOf: (context) => {
          const settings = { history: { numbers: 'clear', numbersKey: null } };
          return remarksCompanion({ ...context, settings } as unknown as CompanionContext).routes ?? [];
        },
      }),
    ]);
    origin = `http://127.0.0.1:${server.port}`;
    storeCalls(server, [...STORED, ...TRUNK]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  /** The page as it is at the server's moment, with the token. */
  const open = (hash: string) =>
    openPage(browser, origin, hash, async (page) => {
      await page.clock.setFixedTime(NOW_MS);
      await page.addInitScript(`sessionStorage.setItem('asterisk-mes-token', '${TOKEN}')`);
    });
  const rows = (page: Page) => page.locator('.list tbody tr');

  test('answers a sentence from any page, and says which words it does not understand', async () => {
    const { page, complaints } = await open('#/trends');
    await page.getByRole('heading', { name: 'Trends' }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('Which calls of 214 yesterday had one-way audio?');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/#/calls?party=214&from=yesterday&verdict=any-one-way');
    await page.getByText('1 in all').waitFor();
    expect(await rows(page).locator('.chip').textContent()).toBe('⇥ one way: the caller did not hear the callee');
    const field = page.getByRole('searchbox', { name: 'Find calls by a sentence' });
    await field.fill('214 sideways downwards');
    await field.press('Enter');
    await page.getByText('Not understood: “sideways”, “downwards”').waitFor();
    expect(page.url()).toContain('party=214&from=yesterday');
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('says whether a trunk is worse than the week before, whose fault it is, and in which hours', async () => {
    const { page, complaints } = await open('#/endpoints?from=-7d&order=fault');
    await rows(page).first().waitFor();
    const north = rows(page).first();
    expect(await north.locator('th a').textContent()).toBe('PJSIP/north');
    const cell = (head: string) => north.locator(`td[data-head="${head}"]`).textContent();
    expect([await cell('Own faults'), await cell('Bad calls')]).toEqual(['▲ 10', '✕ 10 (33.3 %)']);
    // The phones of those calls are not at fault.
    const desk = rows(page).filter({ hasText: 'PJSIP/desk0' });
    expect(await desk.locator('td[data-head="Own faults"]').textContent()).toBe('0');
    await north.getByRole('button', { name: 'Pin PJSIP/north' }).click();
    await page.getByRole('heading', { name: 'Pinned, such as trunks' }).waitFor();
    expect(await page.locator('table').first().locator('tbody tr').count()).toBe(1);
    await page.locator('.trend').first().click();
    await page.getByText('PJSIP/north is worse:').waitFor();
    expect(await page.locator('.notice').textContent()).toContain('bad calls 0.0 % → 33.3 %');
    const bad = page.locator('.heat .heat-4').first();
    await bad.focus();
    expect(await page.locator('.heat').locator('xpath=../preceding-sibling::p').textContent()).toContain(
      '1 call, bad 100.0 %',
    );
    await bad.press('Enter');
    await page.waitForURL('**/#/calls?from=**');
    await page.getByText('1 in all').waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('keeps notes and tags of a call, and finds the call by them', async () => {
    const { page, complaints } = await open('#/call/bad.1');
    await page.getByLabel('Note', { exact: true }).fill('Carrier told.\n<b>ticket</b>');
    await page.getByLabel('Your name').fill('Ada');
    await page.getByRole('button', { name: 'Write the note' }).click();
    await page.locator('.note-text').waitFor();
    expect(await page.locator('.note-text').innerText()).toBe('Carrier told.\n<b>ticket</b>');
    expect(await page.locator('.notes .meta').textContent()).toContain('Ada, ');
    await page.getByLabel('Tag', { exact: true }).fill('two words');
    await page.getByRole('button', { name: 'Set the tag' }).click();
    await page.getByText('add.0 in the body: is not allowed; give a tag of letters').waitFor();
    await page.getByLabel('Tag', { exact: true }).fill('carrier');
    await page.getByRole('button', { name: 'Set the tag' }).click();
    await page.locator('.tags a', { hasText: 'carrier' }).click();
    await page.getByText('1 in all').waitFor();
    expect(await rows(page).locator('.tag').textContent()).toBe('carrier');
    await rows(page).locator('a').click();
    await page.getByRole('button', { name: 'Take the tag carrier off' }).click();
    await expect.poll(() => page.locator('.tags li').count()).toBe(0);
    // What was refused is said by the browser, too.
    expect(complaints.filter((one) => !one.includes('status of 400'))).toEqual([]);
    await page.close();
  });

  test('shows what happened, compares two calls, and has the words for the carrier', async () => {
    const { page, complaints } = await open('#/call/bad.1');
    await page.locator('.marks li').first().waitFor();
    const events = (await page.locator('.marks li').allTextContents()).map((text) => text.replace(/^\w+ [\d:]+ /, ''));
    expect(events).toEqual([
      'bob calls 200',
      'carrier is called',
      'carrier answers',
      'the leg of bob ends: Normal Clearing',
      'the leg of carrier ends: Normal Clearing',
    ]);
    const text = await page.locator('.carrier pre').innerText();
    expect(text).toContain('The fault lies between');
    expect(text).toContain('Call-ID 5b1e-7@198.51.100.7');
    expect(text).toContain('bob → this server: ulaw, SSRC 0x3c2c6734, loss 2.00 % (12 of 600)');
    await page.getByRole('link', { name: 'Compare with another call' }).click();
    await page.locator('.choices a').first().click();
    await page.waitForURL('**/#/compare?one=bad.1&other=**');
    await page.locator('.compare .worse').first().waitFor();
    expect(await page.locator('.compare tr', { hasText: 'Score' }).first().locator('td').first().textContent()).toBe(
      '1.90 ▲',
    );
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('saves a view, and comes back to the place in a list', async () => {
    const { page, complaints } = await open('#/calls?party=north');
    await page.getByText('the newest 50 of 60').waitFor();
    await page.getByText('Saved views').click();
    await page.getByLabel('Name', { exact: true }).fill('North');
    await page.getByRole('button', { name: 'Save this view' }).click();
    await page.keyboard.press('End');
    await expect.poll(() => rows(page).count()).toBe(60);
    await rows(page).last().locator('a').first().click();
    await page.locator('.hops').waitFor();
    await page.goBack();
    await expect.poll(() => rows(page).count()).toBe(60);
    await expect.poll(() => page.evaluate<number>('scrollY')).toBeGreaterThan(1000);
    await page.goto(`${origin}/#/calls?verdict=bad`);
    await page.getByText('Saved views').click();
    await page.getByRole('link', { name: 'North', exact: true }).click();
    await page.waitForURL('**/#/calls?party=north');
    await page.getByText('the newest 50 of 60').waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });
});
