/** One of Asterisk's queues of work, each with a thread that takes from it. */
export interface TaskProcessor {
  readonly name: string;
  /** Tasks that wait now. */
  readonly waiting: number;
  /** Most that ever waited since Asterisk began. */
  readonly mostWaited: number;
  /** From so many on, PJSIP takes no new requests. */
  readonly highWater: number;
}

/** Processed, In Queue, Max Depth, Low water, High water; 22 has two columns more (16.28 and 22.10.1). */
const ROW = /^(\S+) +\d+ +(\d{1,9}) +(\d{1,9}) +\d{1,9} +(\d{1,9})(?: +\d+ +\d+)?\s*$/;
const HEAD = /^Processor +Processed +In Queue +Max Depth +Low water +High water/;
const MOST_ROWS = 20_000;

/** Reads what `core show taskprocessors` prints; undefined when it is something else. */
export function readTaskProcessors(text: string): TaskProcessor[] | undefined {
  const lines = text.split('\n', MOST_ROWS);
  const head = lines.findIndex((line) => HEAD.test(line));
  if (head < 0) return undefined;
  return lines.slice(head + 1).flatMap((line) => {
    const [, name, waiting, mostWaited, highWater] = ROW.exec(line) ?? [];
    if (name === undefined) return [];
    return [{ name, waiting: Number(waiting), mostWaited: Number(mostWaited), highWater: Number(highWater) }];
  });
}
