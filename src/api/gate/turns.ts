/** Longest time that such work may hold the event loop; a hang-up that comes meanwhile waits for it. */
export const PART_MS = 4;

let waiting: (() => void)[] = [];
let next = 0;
let isArmed = false;

function arm(): void {
  if (isArmed) return;
  isArmed = true;
  setImmediate(turn);
}

function turn(): void {
  isArmed = false;
  const work = waiting[next++];
  if (next >= waiting.length) {
    waiting = [];
    next = 0;
  } else arm();
  work?.();
}

/**
 * Does pieces of work one by one, each in a turn of the event loop of its own: one queue for all that is done over HTTP.
 * All that is ready in the same turn (what Asterisk sends, a hangup handler's connection) is done between two of them,
 * however many wait.
 */
export function takeTurn(work: () => void): void {
  waiting.push(work);
  arm();
}

/** Resolves when it is its turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    takeTurn(resolve);
  });
}

/** Makes something of each item, and lets other work go in between every few milliseconds. */
export async function inParts<Item, Made>(items: Iterable<Item>, make: (item: Item) => Made): Promise<Made[]> {
  const made: Made[] = [];
  let startedAtMs = performance.now();
  for (const item of items) {
    made.push(make(item));
    if (performance.now() - startedAtMs < PART_MS) continue;
    await nextTurn();
    startedAtMs = performance.now();
  }
  return made;
}
