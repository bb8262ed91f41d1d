/**
 * The load of Asterisk's machine, which the sidecar usually shares. Null: the machine does not tell, or Asterisk runs on another
 * one.
 */
export interface MachineSample {
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
