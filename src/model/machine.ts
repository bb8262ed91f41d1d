/** Time between two looks into Asterisk: each is in its verbose log. */
export const ASTERISK_LOOK_MS = 60_000;

/** What keeps Asterisk's threads waiting; null is not known. */
export interface AsteriskInside {
  /** What its audio is timed by: `timerfd`, `kqueue`, `dahdi`, `pthread`, or `none`. */
  readonly timingSource: string | null;
  /** Tasks that waited at most in one of its queues (task processors). */
  readonly taskQueueMost: number | null;
  /** Queues that reached their high water mark, from which on PJSIP takes no new requests. */
  readonly taskQueuesOver: number | null;
}

/**
 * The load of Asterisk's machine, which the sidecar usually shares. Null: the machine does not tell, or Asterisk runs on another
 * one.
 */
export interface MachineSample extends AsteriskInside {
  /** Epoch milliseconds: the end of the ten seconds that the percentages cover. */
  readonly atMs: number;
  /** All processors together. */
  readonly cpuPercent: number | null;
  /** Processes that ran or waited for a processor, as a mean over a minute, divided by the number of processors. */
  readonly loadPerProcessor: number;
  /** Memory that is available to programs. */
  readonly memoryAvailablePercent: number | null;
  /** In percent of one processor, so it can be above 100. */
  readonly asteriskCpuPercent: number | null;
  readonly asteriskThreads: number | null;
  /** Channels that are up. */
  readonly channels: number;
}

/** The worst of several samples. */
export interface MachinePeak extends Omit<MachineSample, 'atMs'> {
  readonly samples: number;
}
