/**
 * Loaded before a sidecar (`node --import`), in each of its threads. While a file with the database's name and `.slow` exists, every
 * statement that writes takes so many milliseconds more as are in it, and the same again for each 300 bytes of a blob, as on a
 * disk that is far too slow.
 */
import { readFileSync } from 'node:fs';
import { isMainThread, workerData } from 'node:worker_threads';

const BYTES = 300;

// The database is used by threads of its own, which are given its path; others need not load it.
if (!isMainThread) {
  const { default: Sqlite } = await import('better-sqlite3');
  const any = new Sqlite(':memory:');
  const statements = Object.getPrototypeOf(any.prepare('SELECT 1')) as { run: (...parameters: unknown[]) => unknown };
  any.close();
  const { run } = statements;
  const never = new Int32Array(new SharedArrayBuffer(4));
  statements.run = function (...parameters) {
    const moreMs = slowness();
    if (moreMs > 0) {
      const blobs = parameters.filter((parameter) => parameter instanceof Uint8Array);
      const bytes = blobs.reduce((sum, { byteLength }) => sum + byteLength, 0);
      Atomics.wait(never, 0, 0, moreMs * (1 + bytes / BYTES));
    }
    return run.apply(this, parameters);
  };
}

function slowness(): number {
  try {
    return Number(readFileSync(`${String(workerData)}.slow`, 'utf8'));
  } catch {
    return 0;
  }
}
