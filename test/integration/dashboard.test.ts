import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labObstacle } from '../lab/obstacle.ts';
import { openPage, takePictures } from './fixtures/browser.ts';
import { describeCallPage } from './fixtures/call-page.ts';
import { type DashboardLab, openDashboardLab } from './fixtures/dashboard-lab.ts';
import { describeHistoryPages } from './fixtures/history-pages.ts';

/** One lab for all pages: first while its calls are up, then when they have ended. */
describe.runIf(labObstacle() === undefined)('the dashboard', () => {
  let opened: DashboardLab;
  const lab = (): DashboardLab => opened;

  beforeAll(async () => {
    opened = await openDashboardLab();
  });
  afterAll(async () => opened?.close());

  test('shows the calls that are up, the worst first, each direction with its word', async () => {
    const { browser, sidecar } = lab();
    const { page, complaints } = await openPage(browser, sidecar.url);
    await page.locator('.status[data-state=live]').waitFor();
    expect(await page.locator('h1').textContent()).toBe('Now: 2 calls');
    expect(await page.locator('.call h2').allTextContents()).toEqual([
      'carol (Carol 103) ↔ dave (Dave 104)',
      'alice (Alice 101) ↔ bob (Bob 102)',
    ]);
    const ways = page.locator('.call').first().locator('.way');
    expect(await ways.locator('.way-name').allTextContents()).toEqual([
      '→ from carol',
      '← to carol',
      '→ from dave',
      '← to dave',
    ]);
    const words = await ways.locator('.chip').allTextContents();
    expect(words[0]).toMatch(/^[~!✕] (fair|poor|bad)$/);
    expect(words[2]).toBe('✓ good');
    expect(await page.locator('.call').last().locator('.way .chip').allTextContents()).toEqual(
      Array.from({ length: 4 }, () => '✓ good'),
    );
    const before = await page.locator('.spark-line').first().getAttribute('d');
    await expect
      .poll(() => page.locator('.spark-line').first().getAttribute('d'), { timeout: 30_000 })
      .not.toBe(before);
    expect(await takePictures(page, 'now')).toEqual([0, 0]);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('shows the course of a call from before the page was opened, without waiting for a report', async () => {
    const { browser, sidecar } = lab();
    const context = await browser.newContext();
    const page = await context.newPage();
    // The page hears of the calls once, and of no report after that.
    await page.routeWebSocket(/\/v1\/live\/stream/, (socket) => {
      let heard = 0;
      socket.connectToServer().onMessage((message) => {
        heard += 1;
        if (heard === 1) socket.send(message);
      });
    });
    await page.goto(sidecar.url);
    const courses = page.locator('.way .spark-line');
    await expect.poll(() => courses.count()).toBe(8);
    await expect
      .poll(async () => (await courses.evaluateAll((all) => all.map((one) => one.getAttribute('d')))).join(' '), {
        timeout: 8000,
      })
      .toMatch(/^(?:M[\d.]+ [\d.]+(?:L[\d.]+ [\d.]+)+ ?){8}$/);
    // Closed and opened again, it has the reports of meanwhile.
    const points = async (): Promise<number> =>
      (await courses.first().getAttribute('d'))?.match(/[ML]/g)?.length ?? Number.NaN;
    const before = await points();
    const toggle = page.locator('.call .toggle').first();
    await toggle.click();
    await expect.poll(() => courses.count()).toBe(4);
    await setTimeout(3000);
    await toggle.click();
    await expect.poll(points, { timeout: 4000 }).toBeGreaterThan(before);
    await context.close();
  });

  test('is ready soon, from the sidecar alone, and small', async () => {
    const { browser, sidecar } = lab();
    const { page, complaints } = await openPage(browser, sidecar.url);
    // The quickest of some: the machine has other things to do. A quiet one takes a quarter of a second.
    const paintsMs: number[] = [];
    for (let n = 0; n < 8 && Math.min(...paintsMs) >= 1500; n += 1) {
      if (n > 0) await page.reload();
      paintsMs.push(await page.evaluate<number>(`performance.getEntriesByName('first-contentful-paint')[0].startTime`));
    }
    expect(Math.min(...paintsMs)).toBeGreaterThan(0);
    expect(Math.min(...paintsMs)).toBeLessThan(1500);
    const bytes = await page.evaluate<number>(
      `performance.getEntriesByType('resource').filter(({name}) => name.includes('/assets/')).reduce((sum, {encodedBodySize}) => sum + encodedBodySize, 0)`,
    );
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(150_000);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('says that the connection is cut and how old the data is, and comes back by itself', async () => {
    const { browser, sidecar } = lab();
    const { page } = await openPage(browser, sidecar.url);
    const status = page.locator('.status');
    await page.locator('.status[data-state=live]').waitFor();
    await sidecar.kill();
    await page.locator('.status[data-state=cut]').waitFor();
    expect(await status.textContent()).toMatch(/^✕ Connection lost; trying again\. .+ What is shown is \d+ s old\.$/);
    expect(await page.locator('.call').count()).toBe(2);
    await takePictures(page, 'cut');
    await sidecar.start();
    await page.locator('.status[data-state=live]').waitFor();
    expect(await status.textContent()).toBe('● Live');
    await page.close();
  });

  test('says that there is nothing when no call is up', async () => {
    const { browser, sidecar, good, lossy } = lab();
    const { page, complaints } = await openPage(browser, sidecar.url);
    await page.locator('.call').first().waitFor();
    await good.hangup('caller');
    await lossy.hangup('callee');
    await page.getByText('No call is up at the moment').waitFor();
    expect(await page.locator('.call').count()).toBe(0);
    expect(await takePictures(page, 'nothing')).toEqual([0, 0]);
    expect(complaints).toEqual([]);
    await page.close();
  });

  describeCallPage(lab);
  describeHistoryPages(lab);
});
