import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alertJson } from '../../src/alerting/messages/words.ts';
import { alertRoutes } from '../../src/api/alerts/alerts.ts';
import { dashboardAssets } from '../../src/dashboard/assets.ts';
import type { Alert } from '../../src/model/alert.ts';
import { NOW_MS, type TestServer, startServer } from '../unit/api/server.ts';
import { callRecord, channelRecord } from '../unit/history/records.ts';
import { accessibilityFaults, openBrowser, openPage, takePictures } from './fixtures/browser.ts';

const MINUTE_MS = 60_000;

const ALERT: Alert = {
  id: 'a1',
  rule: 'loss',
  what: 'loss',
  subject: 'PJSIP/carrier',
  sinceMs: NOW_MS - 50 * MINUTE_MS,
  raisedAtMs: NOW_MS - 40 * MINUTE_MS,
  clearedAtMs: null,
  clearedBecause: null,
  value: 4.25,
  worst: 6.5,
  calls: 120,
  linkedids: Array.from({ length: 9 }, (_, index) => `1700000000.${index}`),
  place: 'callee-network',
  toldAtMs: NOW_MS - 39 * MINUTE_MS,
  endToldAtMs: null,
};
/** A stranger may call himself anything. */
const HOSTILE = 'PJSIP/<img src=x onerror=alert(1)>';
const OVER: Alert = {
  ...ALERT,
  id: 'a2',
  rule: 'one-way',
  what: 'one-way',
  subject: HOSTILE,
  linkedids: ['1700000000.77'],
  calls: 1,
  clearedAtMs: NOW_MS - 5 * MINUTE_MS,
  clearedBecause: 'better',
  worst: 25,
};

/** Who opens the page of alerts sees what is wrong now, since when, in which calls, and what was. */
describe.runIf(existsSync('/usr/bin/chromium'))('the page of alerts', () => {
  let browser: Browser;
  let server: TestServer;
  let alerts: Alert[] = [];
  const asked: number[] = [];

  beforeAll(async () => {
    const clock = { nowMs: () => NOW_MS };
    const rule = { name: 'loss', what: 'loss', over_s: 3600, endpoints: ['PJSIP/carrier*'], by: 'endpoint' } as const;
    const service = {
      list: async (sinceMs: number) => {
        asked.push(sinceMs);
        return alerts.map((alert) => alertJson(alert));
      },
      one: async () => null,
      rules: [{ ...rule, endpoints: [...rule.endpoints], calls: 5, raise: 3, clear: 1, send: true }],
    };
    [browser, server] = await Promise.all([
      openBrowser(),
      startServer({ files: dashboardAssets(), moreRoutes: alertRoutes(service, clock) }),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  test('shows what goes on, since when, in which calls and where, and what is over', async () => {
    alerts = [ALERT, OVER];
    const origin = `http://127.0.0.1:${server.port}`;
    const { page, complaints } = await openPage(browser, origin, '#/alerts', async (fresh) =>
      fresh.clock.setFixedTime(NOW_MS).then(() => undefined),
    );
    const card = page.locator('article.call');
    await card.waitFor();
    expect(await card.count()).toBe(1);
    expect(await card.locator('h2').textContent()).toBe('loss · PJSIP/carrier');
    const words = (await card.textContent()) ?? '';
    expect(words).toContain('calls lose 4.3 % of their packets');
    expect(words).toContain("callee's network");
    expect(words).toContain('120 calls: ');
    expect(words).toContain('and 111 more that are not kept one by one');
    expect(await card.locator('header time').getAttribute('datetime')).toBe('2026-11-20T10:10:00.000Z');
    const links = card.locator('a');
    expect(await links.count()).toBe(9);
    expect(await links.first().getAttribute('href')).toBe('#/call/1700000000.0');
    const over = page.locator('.alerts-list tbody tr').first();
    expect(await over.locator('td').nth(1).textContent()).toBe(`one-way · ${HOSTILE}`);
    expect(await page.locator('img[src=x]').count()).toBe(0);
    expect(await over.locator('a').getAttribute('href')).toBe('#/call/1700000000.77');
    await page.getByText('Rules', { exact: true }).first().click();
    expect(await page.locator('details table').textContent()).toContain('PJSIP/carrier*');
    // The bar counts what goes on, on every page.
    expect(await page.locator('nav .alert-count').textContent()).toBe('1');
    expect(await takePictures(page, 'alerts')).toEqual([0, 0]);
    expect(await accessibilityFaults(page)).toEqual([]);
    // The checker would find one.
    await page.evaluate(
      `document.querySelector('main').append(Object.assign(new Image(), { src: 'data:,', id: 'no-words' }))`,
    );
    expect(await accessibilityFaults(page)).toEqual([
      expect.stringMatching(/^light: image-alt: .*no-words/),
      expect.stringMatching(/^dark: image-alt: .*no-words/),
    ]);
    await page.evaluate(`document.querySelector('#no-words').remove()`);

    await page.getByLabel('Since').selectOption('-30d');
    await expect.poll(() => asked.at(-1)).toBe(NOW_MS - 30 * 24 * 60 * MINUTE_MS);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('says that nothing is wrong, and takes back what it showed when the sidecar is gone', async () => {
    alerts = [];
    const origin = `http://127.0.0.1:${server.port}`;
    const { page } = await openPage(browser, origin, '#/alerts');
    await page.getByText('Nothing is wrong now, as far as the rules look.').waitFor();
    expect(await page.locator('nav .alert-count').isHidden()).toBe(true);
    await page.route('**/v1/alerts?*', (route) => route.abort());
    await page.getByLabel('Since').selectOption('-7d');
    await page.getByRole('alert').waitFor();
    expect(await page.getByText('Nothing is wrong now').count()).toBe(0);
    await page.close();
  });

  test('leads from a call to its evidence, as a page to print', async () => {
    const id = '1700000000.0';
    server.history.record({ kind: 'channel', channel: channelRecord(id, { endedAtMs: NOW_MS }), resume: null });
    server.history.record({ kind: 'call', call: callRecord(id, { endedAtMs: NOW_MS, verdict: 'bad' }) });
    const { page } = await openPage(browser, `http://127.0.0.1:${server.port}`, `#/call/${id}`);
    const link = page.getByRole('link', { name: 'Page to print' });
    expect(await link.getAttribute('href')).toBe(`/v1/calls/${id}/evidence/page`);
    await page.close();
  });
});
