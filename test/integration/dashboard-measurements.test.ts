import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { measurementRoutes } from '../../src/api/measurements.ts';
import { dashboardAssets } from '../../src/dashboard/assets.ts';
import { fieldRows } from '../../src/measurements/format/fields.ts';
import { type TestServer, startServer } from '../unit/api/server.ts';
import { channelRecord, streamRecord } from '../unit/history/records.ts';
import { legOf } from '../unit/measurements/documents.ts';
import { accessibilityFaults, openBrowser, openPage, takePictures } from './fixtures/browser.ts';

const TOKEN = 'a-token-of-the-test';
const OFF = {
  enabled: false,
  include: [],
  recipients: [],
  collector: null,
  upload_to: null,
  endpoints: [],
  spool: '/var/lib/asterisk-mes/measurements',
  spool_max_bytes: 100_000_000,
  waiting_files: 0,
  waiting_bytes: 0,
  sent: 0,
  refused: 0,
  dropped: 0,
  problem: null,
};
const ON = {
  ...OFF,
  enabled: true,
  include: ['calls' as const, 'ratings' as const],
  recipients: ['age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'],
  collector: 'https://collector.example.org',
  waiting_files: 7,
  waiting_bytes: 12_345,
  sent: 42,
};

/** Who opens the page sees what leaves the house, why, and how to take it back. */
describe.runIf(existsSync('/usr/bin/chromium'))('the page of measurements', () => {
  let browser: Browser;
  let server: TestServer;
  let status = OFF as Omit<typeof ON, 'include' | 'collector'> & {
    include: typeof ON.include;
    collector: string | null;
  };
  let documents: object[] = [];
  const done: string[] = [];

  beforeAll(async () => {
    const service = {
      lastDocuments: () => documents,
      status: async () => ({ ...status, include: [...status.include], fields: fieldRows() }),
      reset: async () => void done.push('reset'),
      forget: async () => {
        done.push('forget');
        if (done.length > 2) throw new Error('https://collector.example.org/v1/deletions cannot be reached');
        return { asked: 1, emptied: 7 };
      },
    };
    const moreRoutes = measurementRoutes(service);
    [browser, server] = await Promise.all([
      openBrowser(),
      startServer({ files: dashboardAssets(), token: TOKEN, moreRoutes }),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  const open = () =>
    openPage(browser, `http://127.0.0.1:${server.port}`, '#/measurements', async (page) => {
      await page.addInitScript(`sessionStorage.setItem('asterisk-mes-token', '${TOKEN}')`);
    });

  test('says that nothing leaves while it is off, and all that would', async () => {
    const { page, complaints } = await open();
    await page.getByText('off: nothing is gathered and nothing is sent').waitFor();
    await page.getByText('Nothing is gathered. enabled = yes and a recipient').waitFor();
    await page.getByText('All that can be in it').click();
    expect(await page.locator('details.meta tbody tr').count()).toBe(fieldRows().length);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('shows exactly what is sent of the last call, each field with its reason, and takes it back when told twice', async () => {
    status = ON;
    const leg = legOf(channelRecord('1.1', { streams: [streamRecord({ lossPercent: 2 })] }));
    documents = [leg];
    const { page, complaints } = await open();
    await page.getByText('A leg of the call').waitFor();
    const table = page.locator('details.panel tbody');
    const rowOf = async (field: string): Promise<(string | null)[]> =>
      table
        .locator('tr')
        .filter({ has: page.getByText(field, { exact: true }) })
        .locator('td')
        .allTextContents();
    expect(await rowOf('codec')).toEqual(['codec', 'ulaw', 'Codecs bear loss differently.']);
    expect(await rowOf('streams 1 · loss_percent')).toEqual([
      'streams 1 · loss_percent',
      '2',
      'The most frequent cause of a bad call.',
    ]);
    // Every value that is known, and none that is not in the document.
    const known = Object.values(leg).filter((value) => value !== null && !Array.isArray(value)).length;
    const [stream = {}] = leg.streams;
    const ofStream = Object.values(stream).filter((value) => value !== null).length;
    expect(await table.locator('tr').count()).toBe(known + ofStream);
    const words = (await page.locator('dl').textContent()) ?? '';
    expect(words).toContain('https://collector.example.org');
    expect(words).toContain('7 files, 13 kB of at most 100 MB');
    expect(words).toContain('42 sent, 0 refused');
    expect(await takePictures(page, 'measurements')).toEqual([0, 0]);
    expect(await accessibilityFaults(page)).toEqual([]);

    const forget = page.getByRole('button', { name: 'Take back what was sent' });
    await forget.click();
    expect(done).toEqual([]);
    await page.getByRole('button', { name: 'Yes, take it back' }).click();
    await page.getByText('7 files were taken out of the spool. The recipient deletes the rest').waitFor();
    await page.getByRole('button', { name: 'Go on as another installation' }).click();
    await page.getByRole('button', { name: 'Yes, as another installation' }).click();
    await page.getByText('are sent as of another installation.').waitFor();
    expect(done).toEqual(['forget', 'reset']);
    expect(complaints).toEqual([]);
    await forget.click();
    await page.getByRole('button', { name: 'Yes, take it back' }).click();
    await page.getByText('https://collector.example.org/v1/deletions cannot be reached').waitFor();
    await page.close();
  });
});
