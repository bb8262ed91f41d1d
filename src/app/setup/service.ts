import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

const UNIT = 'asterisk-mes';
const TIMEOUT_MS = 30_000;
const READY_WITHIN_MS = 10_000;
const ASK_EVERY_MS = 200;

/** Starts the service, now and at each start of the machine. `absent`: there is no unit, or no systemd. */
export async function startService(): Promise<'started' | 'absent' | { readonly problem: string }> {
  if (!(await systemctl('cat', UNIT)).isDone) return 'absent';
  for (const words of [
    ['enable', UNIT],
    ['restart', UNIT],
  ]) {
    const { isDone, text } = await systemctl(...words);
    if (!isDone) return { problem: `systemctl ${words.join(' ')}: ${text.trim().split('\n').at(-1) || 'no answer'}` };
  }
  return 'started';
}

/** Stops the service, and takes it from the start of the machine. */
export async function stopService(): Promise<'stopped' | 'absent' | { readonly problem: string }> {
  if (!(await systemctl('cat', UNIT)).isDone) return 'absent';
  const { isDone, text } = await systemctl('disable', '--now', UNIT);
  return isDone ? 'stopped' : { problem: text.trim().split('\n').at(-1) || 'no answer' };
}

/** Whether the sidecar at this address becomes ready. */
export async function becomesReady(url: string): Promise<boolean> {
  const end = performance.now() + READY_WITHIN_MS;
  do {
    const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(1000) }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok === true) return true;
    await sleep(ASK_EVERY_MS);
  } while (performance.now() < end);
  return false;
}

async function systemctl(...words: string[]): Promise<{ readonly isDone: boolean; readonly text: string }> {
  const { promise, resolve } = Promise.withResolvers<{ readonly isDone: boolean; readonly text: string }>();
  execFile('systemctl', words, { timeout: TIMEOUT_MS }, (error, stdout, stderr) =>
    resolve({ isDone: error === null, text: `${stdout}${stderr}` }),
  );
  return promise;
}
