#!/usr/bin/env node
// Plain JavaScript, so that an older Node can read it and say what is wrong.
import { existsSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

/**
 * How V8 keeps its heaps small, each thread's own, at the price of some processor time: it looks for new garbage after 4 MB
 * and not after 16, and has one helper thread and not four, which can be told at its start only; in the threads to come, which
 * keep little, after 1 MB; and it looks through a whole heap when that has grown by 25 %, and not to four times its size. The
 * last is for `app/heap-growth.ts` to say, but V8 looks while modules are loaded, too, and not again before the heap has grown
 * by as much as was said then.
 */
const AT_START = ['--max-semi-space-size=4', '--v8-pool-size=1'];
const OF_THREADS = '--max-semi-space-size=1';
const GROWTH = '--heap-growing-percent=25';
/**
 * The C library's memory: two pools, else there is one for every thread, and what has been in one is hardly ever given back;
 * and what is as large as a batch on its way to the writer's thread (32 KB) in none of them, so that its freeing frees it.
 */
const MALLOC = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '32768' };

const [major] = process.versions.node.split('.');
if (Number(major) < 24) {
  process.stderr.write(`asterisk-mes needs Node.js 24 or newer; this is ${process.versions.node}.\n`);
  process.exitCode = 1;
} else {
  if (process.argv[2] === 'run') keepHeapsSmall();
  // The npm package has no TypeScript: Node refuses to run it below node_modules.
  const isRepository = existsSync(new URL('./cli/main.ts', import.meta.url));
  const { main } = await import(isRepository ? './cli/main.ts' : '../dist/cli/main.js');
  process.exitCode = await main(process.argv.slice(2));
}

/**
 * Begins anew in the same process, with a small young generation, unless it has one or whoever starts it has set its size.
 * Where that is not possible (Windows) it goes on without.
 */
function keepHeapsSmall() {
  setFlagsFromString(GROWTH);
  // V8 heeds it where a heap is made, and this one is there.
  setFlagsFromString(OF_THREADS);
  const given = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ');
  if (given.includes('semi-space-size') || process.platform === 'win32') return;
  const words = [process.execPath, ...process.execArgv, ...AT_START, ...process.argv.slice(1)];
  process.execve(process.execPath, words, { ...MALLOC, ...process.env });
}
