/** `npm run record-dashboard`: makes README's picture of the page anew, from the calls of the demo in a real browser. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { REPOSITORY } from './paths.ts';

const PORT = 8091;
const PICTURE = join(REPOSITORY, '.github/dashboard.png');
/** The demo's calls, and how long they take to be heard of by at least five reports. */
const CALLS = 7;
const HEARD_MS = 35_000;
const STARTED_WITHIN_MS = 90_000;
const DEMO_S = 150;
const VIEWPORT = { width: 1280, height: 760 };

const demo = spawn(
  process.execPath,
  [join(REPOSITORY, 'test/lab/demo.ts'), '--port', String(PORT), '--seconds', String(DEMO_S)],
  {
    stdio: ['ignore', 'ignore', 'inherit'],
  },
);
const ended = once(demo, 'exit');
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu'],
});
try {
  const page = await browser.newPage({ viewport: VIEWPORT, locale: 'en-GB', colorScheme: 'light' });
  const openedBeforeMs = Date.now() + STARTED_WITHIN_MS;
  for (;;) {
    if (
      await page.goto(`http://127.0.0.1:${PORT}/`).then(
        () => true,
        () => false,
      )
    )
      break;
    if (Date.now() > openedBeforeMs) throw new Error('the demo does not answer; run npm run demo by itself to see why');
    await sleep(1000);
  }
  await page.getByRole('heading', { name: `Now: ${CALLS} calls` }).waitFor({ timeout: STARTED_WITHIN_MS });
  await sleep(HEARD_MS);
  // The worst call opened: its four directions with their courses.
  const open = page.getByRole('button', { name: 'Open the directions' });
  if ((await open.count()) > 0) await open.first().click();
  await sleep(1500);
  await page.screenshot({ path: PICTURE });
  process.stdout.write(`${PICTURE}\n`);
} finally {
  await browser.close();
  demo.kill('SIGINT');
  await ended;
}
