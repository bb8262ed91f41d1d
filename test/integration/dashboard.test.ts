import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabCall } from '../lab/call.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { labObstacle } from '../lab/obstacle.ts';
import { makeRunDirectory } from '../lab/paths.ts';
import { SidecarProcess } from '../lab/sidecar-process.ts';
import { openBrowser, openPage, takePictures } from './fixtures/browser.ts';
import { writeHostileHistory } from './fixtures/hostile-calls.ts';

const OLD_CALLS = 130;

describe.runIf(labObstacle() === undefined)('the dashboard', () => {
  let lab: Lab;
  let sidecar: SidecarProcess;
  let browser: Browser;
  let good: LabCall;
  let lossy: LabCall;
  const dataDirectory = makeRunDirectory('dashboard');

  beforeAll(async () => {
    mkdirSync(dataDirectory, { recursive: true });
    const lost = { lossRatio: 0.15, delayMs: 20 };
    [lab, browser] = await Promise.all([
      startLab({
        release: '22',
        rtcpIntervalMs: 1000,
        phones: [{ name: 'alice' }, { name: 'bob' }, { name: 'carol', rx: lost, tx: lost }, { name: 'dave' }],
      }),
      openBrowser(),
      writeHostileHistory(join(dataDirectory, 'mes.sqlite'), OLD_CALLS),
    ]);
    sidecar = await SidecarProcess.start(lab, {
      httpHost: lab.pbx.host,
      httpPort: await lab.freePort(),
      dataDirectory,
      ari: false,
    });
    good = await lab.call('alice', 'bob');
    lossy = await lab.call('carol', 'dave');
    await sleep(6000);
  });
  afterAll(async () => {
    await browser?.close();
    await sidecar?.stop();
    await lab?.stop();
    rmSync(dataDirectory, { recursive: true, force: true });
  });

  test('shows the calls that are up, the worst first, each direction with its word', async () => {
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
    await expect.poll(() => page.locator('.spark-line').first().getAttribute('d'), { timeout: 5000 }).not.toBe(before);
    expect(await takePictures(page, 'now')).toEqual([0, 0]);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('is ready within a second, from the sidecar alone, and small', async () => {
    const { page, complaints } = await openPage(browser, sidecar.url);
    const paintMs = await page.evaluate<number>(`performance.getEntriesByName('first-contentful-paint')[0].startTime`);
    expect(paintMs).toBeGreaterThan(0);
    expect(paintMs).toBeLessThan(1000);
    const bytes = await page.evaluate<number>(
      `performance.getEntriesByType('resource').filter(({name}) => name.includes('/assets/')).reduce((sum, {encodedBodySize}) => sum + encodedBodySize, 0)`,
    );
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(150_000);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('says that the connection is cut and how old the data is, and comes back by itself', async () => {
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
});
