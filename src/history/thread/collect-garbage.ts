import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Has V8 look through all of this thread's heap, some 50 ms long. */
export function collectGarbage(): void {
  // Node has no other way to V8's own function than to begin a context that has it.
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
}
