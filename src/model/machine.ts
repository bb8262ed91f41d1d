/** How the machine was that Asterisk, as it is usual, shares with us. Null everywhere: it does not tell, or Asterisk is elsewhere. */
export interface MachineSample {
  /** Epoch milliseconds: the end of the ten seconds that the percentages are of. */
  readonly atMs: number;
  /** Of all processors together. */
  readonly cpuPercent: number | null;
  /** Processes that ran or waited for a processor, mean of a minute, for each processor. */
  readonly loadPerProcessor: number;
  /** Memory that programs can still have. */
  readonly memoryAvailablePercent: number | null;
  /** Of one processor, so it can be above 100. */
  readonly asteriskCpuPercent: number | null;
  readonly asteriskThreads: number | null;
  /** Channels that are up. */
  readonly channels: number;
}

/** The worst of several samples. */
export interface MachinePeak extends Omit<MachineSample, 'atMs'> {
  readonly samples: number;
}
