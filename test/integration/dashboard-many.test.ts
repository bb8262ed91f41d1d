import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dashboardAssets } from '../../src/dashboard/assets.ts';
import { makeHistory, RARE } from '../bench/history-maker.ts';
import { LAB_HOME } from '../lab/paths.ts';
import { NOW_MS, type TestServer, startServer } from '../unit/api/server.ts';
import { openBrowser, openPage, takePictures } from './fixtures/browser.ts';

const CALLS = 100_000;

/** A month of a hundred thousand calls, which ends at the moment that the server takes for now. */
describe.runIf(existsSync('/usr/bin/chromium'))('the dashboard over 100,000 calls', () => {
  let browser: Browser;
  let server: TestServer;
  let origin: string;

  beforeAll(async () => {
    const historyPath = join(LAB_HOME, 'bench', `calls-${CALLS}.sqlite`);
    makeHistory(historyPath, { calls: CALLS, endMs: NOW_MS, withIntervals: false });
    server = await startServer({ historyPath, files: dashboardAssets() });
    origin = `http://127.0.0.1:${server.port}`;
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  test('lists the newest calls, goes on on the way down, and finds the few that fit', async () => {
    const { page, complaints } = await openPage(browser, origin, '#/calls');
    const rows = page.locator('.list tbody tr');
    await page.getByText('the newest 50 of more than 10,000').waitFor();
    expect(await rows.count()).toBe(50);
    await expect
      .poll(async () => {
        await page.keyboard.press('End');
        return rows.count();
      })
      .toBeGreaterThanOrEqual(200);

    await page.getByText('More conditions').click();
    await page.getByLabel('Number').fill('+1555*');
    await page.getByLabel('Number').press('Enter');
    await page.getByText(`${RARE.calls} in all`).waitFor();
    expect(new Set(await rows.locator('.chip').allTextContents())).toEqual(
      new Set(['⇤ one way: seldom was not heard']),
    );
    await page.goto(`${origin}/#/calls?codec=${RARE.codec}&endpoint=PJSIP/sel*`);
    await page.getByText(`${RARE.calls} in all`).waitFor();
    await page.goto(`${origin}/#/calls?endpoint=PJSIP/seldom&max_mes=4`);
    await page.getByText('No call fits.').waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('ranks all endpoints of the month', async () => {
    const { page, complaints } = await openPage(browser, origin, '#/endpoints?from=-30d');
    await page.getByText('489 endpoints').waitFor();
    const rows = page.locator('.list tbody tr');
    expect(await rows.count()).toBe(489);
    // Nobody was heard in any of its calls.
    expect(await rows.filter({ hasText: RARE.endpoint }).locator('th, td').allTextContents()).toEqual(
      expect.arrayContaining([`☆${RARE.endpoint}`, String(RARE.calls), `✕ ${RARE.calls} (100.0 %)`]),
    );
    // The trends of those in sight and near; the others when they come near.
    const trends = rows.locator('.trend');
    await rows.nth(10).locator('.trend').waitFor();
    expect(await trends.count()).toBeLessThan(200);
    await rows.last().scrollIntoViewIfNeeded();
    await rows.last().locator('.trend .chip').waitFor();
    const seldom = rows.filter({ hasText: RARE.endpoint });
    await seldom.scrollIntoViewIfNeeded();
    await seldom.getByText('too few calls').waitFor();
    const trunk = rows.filter({ hasText: 'PJSIP/trunk-3' });
    await trunk.scrollIntoViewIfNeeded();
    await trunk.getByText('steady').waitFor();
    // Thirty days that begin at eleven o'clock touch thirty-one, each with calls.
    expect((await trunk.locator('.spark-line').getAttribute('d'))?.match(/L/g)).toHaveLength(30);
    await page.getByRole('link', { name: 'PJSIP/phone-17', exact: true }).click();
    await page.waitForURL('**/#/calls?from=-30d&endpoint=PJSIP%2Fphone-17');
    await page.getByText('the newest 50').waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('shows the course of the month, of all calls and of all trunks', async () => {
    const { page, complaints } = await openPage(browser, origin, '#/trends?from=-30d');
    await page.getByText(`${(CALLS + RARE.calls).toLocaleString('en-GB')} calls`).waitFor();
    expect(await page.locator('.plots canvas').count()).toBe(3);
    expect(await takePictures(page, 'trends-many')).toEqual([0, 0]);
    await page.getByLabel('Endpoint or trunk').fill('PJSIP/trunk-*');
    await page.getByLabel('Endpoint or trunk').press('Enter');
    await page.getByText(`${CALLS.toLocaleString('en-GB')} calls`).waitFor();
    // Thirty days that begin at eleven o'clock touch thirty-one.
    expect(await page.locator('.list tbody tr').count()).toBe(31);
    expect(complaints).toEqual([]);
    await page.close();
  });
});
