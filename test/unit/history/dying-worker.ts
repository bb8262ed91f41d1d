import { writeFileSync } from 'node:fs';
import { threadId, workerData } from 'node:worker_threads';
import { serve } from '../../../src/history/thread/serve.ts';

/** A thread that echoes, throws or dies, as it is told, and makes a file when it closes, if it is given the name of one. */
export interface DyingMethods {
  echo(text: string): string;
  fail(code: string): null;
  die(input: null): null;
  thread(input: null): number;
  /** So many items of some hundred bytes, as a list or beside other things. */
  items(count: number): Item[];
  page(count: number): { items: Item[]; total: number; others: string[] };
}

export interface Item {
  readonly number: number;
  readonly text: string;
}

function items(count: number): Item[] {
  return Array.from({ length: count }, (_, number) => ({ number, text: 'x'.repeat(400) }));
}

serve<DyingMethods>(
  {
    echo: (text) => text,
    fail: (code) => {
      throw Object.assign(new Error('as it was told'), { code });
    },
    die: () => process.exit(3),
    thread: () => threadId,
    items,
    page: (count) => ({ items: items(count), total: count, others: ['a', 'b'] }),
  },
  () => workerData !== '' && writeFileSync(String(workerData), ''),
);
