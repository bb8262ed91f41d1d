/**
 * `node --import turn-holds.ts`: writes every second, to the file that TURN_HOLDS names, the longest turn of the main
 * thread's event loop since the line before, in milliseconds of its processor time: what a hang-up waits for, whatever else
 * the machine does.
 */
import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const file = process.env['TURN_HOLDS'];
if (isMainThread && file !== undefined) {
  let longestMs = 0;
  let before = process.threadCpuUsage();
  const turn = (): void => {
    const { user, system } = process.threadCpuUsage(before);
    before = process.threadCpuUsage();
    longestMs = Math.max(longestMs, (user + system) / 1000);
    setImmediate(turn);
  };
  setImmediate(turn);
  setInterval(() => {
    appendFileSync(file, `${longestMs}\n`);
    longestMs = 0;
  }, 1000).unref();
}
