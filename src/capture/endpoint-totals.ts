import type { ArrivalBin } from '../model/capture.ts';
import type { StreamSummary } from './stream-summary.ts';

/** What the streams from one address went through, summed. */
export interface EndpointTotals {
  /** Without the port. */
  readonly address: string;
  readonly streams: number;
  readonly outOfOrder: number;
  readonly fills: number;
  readonly arrivalHistogram: readonly ArrivalBin[];
}

/** Seed 000's counts for each sender: packets out of order, gaps filled, intervals between arrivals. */
export function endpointTotals(streams: readonly StreamSummary[]): EndpointTotals[] {
  const byAddress = Map.groupBy(streams, ({ source }) => source.slice(0, source.lastIndexOf(':')));
  return Array.from(byAddress, ([address, own]) => ({
    address,
    streams: own.length,
    outOfOrder: own.reduce((sum, { outOfOrder }) => sum + outOfOrder, 0),
    fills: own.reduce((sum, { fills }) => sum + fills, 0),
    arrivalHistogram: addHistograms(own.map(({ arrivalHistogram }) => arrivalHistogram)),
  }));
}

function addHistograms(histograms: readonly (readonly ArrivalBin[])[]): ArrivalBin[] {
  const bins = new Map<number, ArrivalBin>();
  for (const bin of histograms.flat()) {
    bins.set(bin.fromMs, { ...bin, count: bin.count + (bins.get(bin.fromMs)?.count ?? 0) });
  }
  return [...bins.values()].toSorted((one, other) => one.fromMs - other.fromMs);
}
