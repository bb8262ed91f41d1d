import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { dashboardAssets } from '../../src/dashboard/assets.ts';
import { type TestServer, startServer } from '../unit/api/server.ts';
import { channelRecord, streamRecord } from '../unit/history/records.ts';
import { accessibilityFaults, openBrowser, openPage, takePictures } from './fixtures/browser.ts';
import { ARABIC_NAME, HOSTILE_ENDPOINT, HOSTILE_NAME } from './fixtures/hostile-calls.ts';

const TOKEN = 'Zürich-token/+?=';

/** What needs no telephone: who may look, and who calls. */
describe.runIf(existsSync('/usr/bin/chromium'))('the dashboard and strangers', () => {
  let browser: Browser;
  let server: TestServer | undefined;
  const files = dashboardAssets();
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });
  afterAll(async () => browser?.close());

  test('asks for the token once, says when it is wrong, and keeps it for this tab', async () => {
    server = await startServer({ files, token: TOKEN });
    server.live = [channelRecord('1.1')];
    const origin = `http://127.0.0.1:${server.port}`;
    const { page } = await openPage(browser, origin);
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    expect(await page.locator('.wrong').isVisible()).toBe(false);
    await takePictures(page, 'token');
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.getByLabel('Token', { exact: true }).fill('wrong');
    await page.getByRole('button', { name: 'Show the calls' }).click();
    await page.getByText('This token was not accepted.').waitFor();
    await page.getByLabel('Token', { exact: true }).fill(TOKEN);
    await page.getByLabel('Token', { exact: true }).press('Enter');
    await page.locator('.call').waitFor();
    expect(await dialog.isVisible()).toBe(false);
    await page.reload();
    await page.locator('.call').waitFor();
    expect(await dialog.isVisible()).toBe(false);
    expect(page.url()).not.toContain('token');
    await page.close();
  });

  test('without a way for web sockets it asks again and again', async () => {
    server = await startServer({ files });
    server.live = [channelRecord('1.1')];
    const { page } = await openPage(browser, `http://127.0.0.1:${server.port}`, '', async (opened) => {
      await opened.routeWebSocket(/stream/, (socket) => void socket.close());
    });
    await page.locator('.call').waitFor();
    server.live = [channelRecord('1.1'), channelRecord('2.1')];
    await expect.poll(() => page.locator('.call').count(), { timeout: 30_000 }).toBe(2);
    expect(await page.locator('.status').textContent()).toBe('● Live');
    await page.close();
  });

  test('shows a live call of hostile names as text, and says what keeps the sidecar from knowing', async () => {
    const hostile = channelRecord('1.1', {
      endpoint: HOSTILE_ENDPOINT,
      callerName: HOSTILE_NAME,
      streams: [streamRecord({ verdict: 'bad', mes: 2.1, why: HOSTILE_NAME })],
    });
    server = await startServer({ files });
    server.live = [hostile, channelRecord('2.1', { callerName: ARABIC_NAME, endpoint: 'PJSIP/leila' })];
    server.health = { ...server.health, amiConnected: false, amiProblem: HOSTILE_NAME };
    const { page, complaints } = await openPage(browser, `http://127.0.0.1:${server.port}`);
    await page.locator('.call').first().waitFor();
    expect(await page.locator('.call h2').first().textContent()).toContain(HOSTILE_NAME);
    expect(await page.locator('.call .why').first().textContent()).toBe(HOSTILE_NAME);
    await page.getByText('The sidecar does not see all calls now').waitFor();
    expect(await page.locator('.notice').textContent()).toContain(HOSTILE_NAME);
    expect(await page.locator('main img, main b[onmouseover]').count()).toBe(0);
    expect(await takePictures(page, 'strangers')).toEqual([0, 0]);
    // The browser itself notes that the sidecar is not ready, and that the history does not know these calls.
    expect(complaints.filter((complaint) => !/status of (404|503) /.test(complaint))).toEqual([]);
    await page.close();
  });
});
