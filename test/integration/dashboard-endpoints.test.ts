import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dashboardAssets } from '../../src/dashboard/assets.ts';
import type { Verdict } from '../../src/model/score.ts';
import { NOW_MS, type TestServer, startServer } from '../unit/api/server.ts';
import { channelRecord } from '../unit/history/records.ts';
import { openBrowser, openPage, takePictures } from './fixtures/browser.ts';

const HOUR_MS = 3_600_000;

interface Calls {
  readonly endpoint: string;
  readonly hoursAgo: number;
  readonly count: number;
  readonly mes: number;
  readonly verdict: Verdict;
}

/** A week that each went through in another way. */
const WEEK: readonly Calls[] = [
  ...[160, 120, 80, 60, 20].map((hoursAgo) => {
    const isLater = hoursAgo < 84;
    return {
      endpoint: 'PJSIP/falling',
      hoursAgo,
      count: 20,
      mes: isLater ? 2.2 : 4.2,
      verdict: isLater ? 'bad' : 'good',
    } as const;
  }),
  ...[160, 155, 150, 100, 50, 45, 10].map((hoursAgo) => {
    const isLater = hoursAgo < 84;
    return {
      endpoint: 'PJSIP/rising',
      hoursAgo,
      count: 20,
      mes: isLater ? 4.3 : 2.6,
      verdict: isLater ? 'good' : 'bad',
    } as const;
  }),
  ...Array.from({ length: 28 }, (_, index) => ({
    endpoint: 'PJSIP/even',
    hoursAgo: 3 + 6 * index,
    count: 2,
    mes: 4 + (index % 3) / 10,
    verdict: 'good' as const,
  })),
  { endpoint: 'PJSIP/seldom', hoursAgo: 100, count: 3, mes: 3.4, verdict: 'poor' },
];

describe.runIf(existsSync('/usr/bin/chromium'))('the ranking of endpoints', () => {
  let browser: Browser;
  let server: TestServer;

  beforeAll(async () => {
    [browser, server] = await Promise.all([openBrowser(), startServer({ files: dashboardAssets() })]);
    for (const [part, { endpoint, hoursAgo, count, mes, verdict }] of WEEK.entries()) {
      for (let n = 0; n < count; n += 1) {
        const startedAtMs = NOW_MS - hoursAgo * HOUR_MS + n * 1000;
        const id = `${part}.${n}`;
        const call = { linkedid: id, startedAtMs, endedAtMs: startedAtMs + 500, endpoint, mes, verdict, streams: [] };
        server.history.record({ kind: 'channel', channel: channelRecord(id, call), resume: null });
      }
    }
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  test('shows of each how it went and which way, in words as well', async () => {
    const { page, complaints } = await openPage(browser, `http://127.0.0.1:${server.port}`, '#/endpoints?from=-7d');
    const trend = (endpoint: string) => page.locator('.list tbody tr').filter({ hasText: endpoint }).locator('.trend');
    await trend('PJSIP/seldom').waitFor();
    const said = Object.fromEntries(
      await Promise.all(
        ['falling', 'rising', 'even', 'seldom'].map(async (name) => [
          name,
          [
            await trend(`PJSIP/${name}`).locator('.chip').textContent(),
            await trend(`PJSIP/${name}`).locator('svg').getAttribute('aria-label'),
          ],
        ]),
      ),
    );
    expect(said).toEqual({
      falling: ['↘ worse', '5th percentile by 6 hours 2.20 to 4.20'],
      rising: ['↗ better', '5th percentile by 6 hours 2.60 to 4.30'],
      even: ['→ steady', '5th percentile by 6 hours 4.00 to 4.20'],
      seldom: ['… too few calls', '5th percentile by 6 hours 3.40 to 3.40'],
    });
    expect(await trend('PJSIP/falling').getAttribute('title')).toBe(
      'Earlier half: 40 calls, bad 0.0 %, 5th percentile 4.20. Later half: 60 calls, bad 100.0 %, 5th percentile 2.20.',
    );
    // Nobody called in the days between: five dots that no line joins.
    const falling = trend('PJSIP/falling');
    expect(await falling.locator('.spark-line').getAttribute('d')).not.toContain('L');
    expect((await falling.locator('.spark-dots').getAttribute('d'))?.match(/M/g)).toHaveLength(5);
    const even = trend('PJSIP/even');
    expect((await even.locator('.spark-line').getAttribute('d'))?.match(/L/g)).toHaveLength(27);
    expect(await even.locator('.spark-dots').getAttribute('d')).toBe('');
    expect(await takePictures(page, 'trend')).toEqual([0, 0]);

    const help = page.getByText('With fewer than 20 calls in a half');
    expect(await help.isVisible()).toBe(false);
    await page.getByText('What the columns say').press('Enter');
    expect(await help.isVisible()).toBe(true);
    await trend('PJSIP/falling').click();
    await page.waitForURL('**/#/trends?from=-7d&endpoint=PJSIP%2Ffalling');
    await page.getByText('100 calls').waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('says that the trends could not be read, and reads them when told so', async () => {
    let isBroken = true;
    const { page } = await openPage(
      browser,
      `http://127.0.0.1:${server.port}`,
      '#/endpoints?from=-7d',
      async (opened) => {
        await opened.route(/bucket=/, async (route) =>
          isBroken ? route.fulfill({ status: 500, json: { detail: 'It fails.' } }) : route.continue(),
        );
      },
    );
    await page.getByText('✕ It fails.').waitFor();
    expect(await page.locator('.list tbody tr').count()).toBe(4);
    expect(await page.locator('.trend').count()).toBe(0);
    expect(await page.getByRole('link', { name: 'trend', exact: true }).count()).toBe(4);
    isBroken = false;
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect.poll(() => page.locator('.trend .chip').count()).toBe(4);
    expect(await page.locator('.notice').count()).toBe(0);
    await page.close();
  });
});
