/** Something that must not outlive this process. */
export interface Leftover {
  /** Stops it in an orderly way. */
  stop(): Promise<void>;
  /** Stops it from an exiting process, without waiting. */
  stopNow(): void;
}

const leftovers = new Set<Leftover>();
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Stops `leftover` when this process exits, throws, or gets a signal; the result takes it off the list. */
export function stopWithProcess(leftover: Leftover): () => void {
  if (leftovers.size === 0) {
    process.on('exit', stopAllNow);
    for (const signal of SIGNALS) process.on(signal, stopAllAndDie);
  }
  leftovers.add(leftover);
  return () => {
    leftovers.delete(leftover);
    if (leftovers.size > 0) return;
    process.off('exit', stopAllNow);
    for (const signal of SIGNALS) process.off(signal, stopAllAndDie);
  };
}

function stopAllNow(): void {
  for (const leftover of leftovers) leftover.stopNow();
}

/** Does nothing when somebody else handles the signal: they decide, and `exit` follows anyway. */
function stopAllAndDie(signal: NodeJS.Signals): void {
  if (process.listeners(signal).some((listener) => listener !== stopAllAndDie)) return;
  void stopAll().finally(() => {
    process.off(signal, stopAllAndDie);
    process.kill(process.pid, signal);
  });
}

async function stopAll(): Promise<void> {
  await Promise.allSettled(Array.from(leftovers, (leftover) => leftover.stop()));
}
