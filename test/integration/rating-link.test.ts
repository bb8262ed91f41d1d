import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitForCdrRow } from '../lab/cdr-rows.ts';
import type { LabCall, Leg } from '../lab/call.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { labObstacle } from '../lab/obstacle.ts';
import { SidecarProcess } from '../lab/sidecar-process.ts';
import { accessibilityFaults, openBrowser } from './fixtures/browser.ts';

const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 640 };
const QUESTIONS = 3;
const TOKEN = 'the-token-of-this-lab';
/** As many as a thousand a second, for two seconds. */
const FLOOD = 2000;
const AT_ONCE = 50;
const ENGLISH = {
  locale: 'en-GB',
  yes: 'Yes',
  no: 'No',
  comment: 'Anything else?',
  send: 'Send',
  thanks: 'Thank you',
  over: 'This link does not work',
};
type Words = typeof ENGLISH;
const GERMAN: Words = {
  locale: 'de-DE',
  yes: 'Ja',
  no: 'Nein',
  comment: 'Sonst noch etwas?',
  send: 'Senden',
  thanks: 'Danke',
  over: 'Dieser Link gilt nicht',
};

interface RestRating {
  readonly uniqueid: string;
  readonly score: number;
  readonly issues: readonly string[];
  readonly answers: readonly { readonly answer: boolean }[];
}

describe.runIf(labObstacle() === undefined)('the link to rate a call, in a browser', () => {
  let lab: Lab;
  let sidecar: SidecarProcess;
  let browser: Browser;
  let calls: readonly LabCall[];

  beforeAll(async () => {
    lab = await startLab({
      release: '22',
      phones: ['alice', 'bob', 'carol', 'dave'].map((name) => ({ name })),
      mesWrite: 'call,user',
    });
    const httpPort = await lab.freePort();
    const extraConfig = '[ratings]\nenabled = yes\n';
    sidecar = await SidecarProcess.start(lab, { httpHost: lab.pbx.host, httpPort, extraConfig, token: TOKEN });
    browser = await openBrowser();
    calls = [await lab.call('alice', 'bob'), await lab.call('carol', 'dave')];
    await sleep(1500);
  });
  afterAll(async () => {
    await browser?.close();
    await sidecar?.stop();
    await lab?.stop();
  });

  const legOf = (call: number, side: 'caller' | 'callee'): Leg => {
    const leg = calls[call]?.[side];
    if (leg === undefined) throw new Error(`nobody is the ${side} of call ${call}`);
    return leg;
  };
  const variableOf = async ({ channel }: Leg, Variable: string): Promise<string> =>
    (await lab.pbxAction({ Action: 'Getvar', Channel: channel, Variable }))['Value'] ?? '';
  const ratingsOf = async (call: number): Promise<readonly RestRating[]> =>
    (await sidecar.get<{ ratings: readonly RestRating[] }>(`/v1/calls/${calls[call]?.linkedid}`)).ratings;

  /** Fills the page in as a person would, and sends it. */
  async function rate(page: Page, face: string, words: Words): Promise<void> {
    await page.getByLabel(face, { exact: true }).check();
    await page.getByLabel(words.yes, { exact: true }).first().check();
    await page.getByLabel(words.no, { exact: true }).last().check();
    await page.getByLabel(words.comment).fill('<b>bold</b>');
    await page.getByRole('button', { name: words.send }).click();
    await page.getByRole('heading', { name: words.thanks }).waitFor();
  }

  test.each([
    ['a desktop with JavaScript', DESKTOP, true, 0, 'caller', 'Poor', 2, ENGLISH],
    ['a desktop without', DESKTOP, false, 0, 'callee', 'Bad', 1, ENGLISH],
    ['a phone with JavaScript', PHONE, true, 1, 'caller', 'Good', 4, ENGLISH],
    ['a German phone without', PHONE, false, 1, 'callee', 'Sehr gut', 5, GERMAN],
  ] as const)('works on %s, once', async (_, viewport, javaScriptEnabled, call, side, face, score, words) => {
    const leg = legOf(call, side);
    const url = await variableOf(leg, 'MES_RATE_URL');
    expect(url).toMatch(new RegExp(`^${sidecar.url}/r/[\\w-]+\\.[\\w-]{22}$`));
    const context = await browser.newContext({ viewport, javaScriptEnabled, locale: words.locale });
    const page = await context.newPage();
    page.setDefaultTimeout(8000);
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('request', (request) => {
      // A browser asks for an icon by itself.
      if (request.url() !== url && !request.url().endsWith('/favicon.ico')) complaints.push(request.url());
    });
    await page.goto(url);
    expect(await page.locator('fieldset.yes-no').count()).toBe(QUESTIONS);
    const tooWide = await page.locator('html').evaluate((html) => html.scrollWidth - html.clientWidth);
    expect(tooWide).toBe(0);
    expect(javaScriptEnabled ? await accessibilityFaults(page) : []).toEqual([]);
    await page.screenshot({ path: `.lab/screenshots/link-${viewport.width}-${javaScriptEnabled}.png`, fullPage: true });
    await page.getByRole('button', { name: words.send }).click();
    // The browser itself asks for the face that is missing.
    expect(await page.locator('input[name=score]:invalid').count()).toBe(5);
    await rate(page, face, words);
    expect((await ratingsOf(call)).find(({ uniqueid }) => uniqueid === leg.uniqueid)).toMatchObject({
      score,
      source: 'link',
      side,
      comment: '<b>bold</b>',
      answers: [{ answer: true }, { answer: false }],
      issues: [expect.stringMatching(/^[a-z_]+$/)],
    });
    await page.goto(url);
    await page.getByRole('heading', { name: words.over }).waitFor();
    expect(complaints.filter((text) => !text.includes('404'))).toEqual([]);
    await context.close();
  });

  test('what the caller says while the call is up is in its variable and its billing row', async () => {
    const { uniqueid } = legOf(0, 'caller');
    await expect.poll(() => variableOf(legOf(0, 'caller'), 'MES_RATING')).toBe('2');
    await expect.poll(() => variableOf(legOf(0, 'callee'), 'MES_RATING')).toBe('1');
    await Promise.all(calls.map((call) => call.hangup('callee')));
    expect(await waitForCdrRow(lab, uniqueid)).toMatchObject({ mes_rating: '2' });
    expect(await waitForCdrRow(lab, legOf(1, 'caller').uniqueid)).toMatchObject({ mes_rating: '4' });
  });

  test('a thousand ratings a second are refused beyond the limit; calls, hang-ups and billing go on', async () => {
    const counted = async (): Promise<Record<string, number>> =>
      (await sidecar.get<{ counters: Record<string, number> }>('/healthz')).counters;
    const before = await counted();
    const call = await lab.call('alice', 'bob');
    const [rated] = calls;
    const statuses: number[] = [];
    let left = FLOOD;
    const sender = async (): Promise<void> => {
      while (left-- > 0) {
        const answer = await fetch(`${sidecar.url}/v1/calls/${rated?.linkedid}/ratings`, {
          method: 'POST',
          headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
          body: JSON.stringify({ score: 3, comment: 'flood' }),
        });
        statuses.push(answer.status);
        await answer.arrayBuffer();
      }
    };
    const flood = Promise.all(Array.from({ length: AT_ONCE }, sender));
    await sleep(300);
    const hungUpMs = performance.now();
    await call.hangup('caller');
    const hangupMs = performance.now() - hungUpMs;
    const row = await waitForCdrRow(lab, call.caller.uniqueid);
    await flood;
    const taken = statuses.filter((status) => status === 201).length;
    const refused = statuses.filter((status) => status === 429).length;
    expect(taken + refused).toBe(FLOOD);
    // 600 a minute, and at most two minutes are touched.
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThanOrEqual(1200);
    expect(hangupMs).toBeLessThan(5000);
    expect(row).toMatchObject({ mes_verdict: expect.stringMatching(/^[a-z-]+$/) as string });
    const after = await counted();
    expect((after['ratings_refused'] ?? 0) - (before['ratings_refused'] ?? 0)).toBe(refused);
    expect(after).toMatchObject({ ratings_lost: 0, history_dropped: 0, agi_failed: 0 });
    const { ratings } = await sidecar.get<{ ratings: readonly object[] }>(`/v1/calls/${rated?.linkedid}`);
    expect(ratings).toHaveLength(2 + taken);
  });
});
