/**
 * Loaded before a sidecar (`node --import`), in each of its threads. While a file with the database's name and `.slow` exists, every
 * statement that writes takes some milliseconds more, and the same again for each 300 bytes of a blob, as on a disk that is
 * far too slow.
 */
import { existsSync } from 'node:fs';
import { isMainThread, workerData } from 'node:worker_threads';

const MORE_MS = 3;
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
    if (existsSync(`${String(workerData)}.slow`)) {
      const blobs = parameters.filter((parameter) => parameter instanceof Uint8Array);
      const bytes = blobs.reduce((sum, { byteLength }) => sum + byteLength, 0);
      Atomics.wait(never, 0, 0, MORE_MS * (1 + bytes / BYTES));
    }
    return run.apply(this, parameters);
  };
}
