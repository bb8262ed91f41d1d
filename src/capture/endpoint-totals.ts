import type { ArrivalBin } from '../model/capture.ts';
import type { StreamSummary } from './streams/stream-summary.ts';

/** Sums over the streams from one address. */
export interface EndpointTotals {
  /** Without the port. */
  readonly address: string;
  readonly streams: number;
  readonly outOfOrder: number;
  readonly fills: number;
  readonly arrivalHistogram: readonly ArrivalBin[];
}

/** RedPhone's call quality metrics for each sender: packets out of order, gaps filled, intervals between arrivals. */
export function endpointTotals(streams: Iterable<StreamSummary>): EndpointTotals[] {
  const byAddress = new Map<string, EndpointTotals>();
  for (const { source, outOfOrder, fills, arrivalHistogram } of streams) {
    const address = source.slice(0, source.lastIndexOf(':'));
    const sum = byAddress.get(address);
    byAddress.set(address, {
      address,
      streams: 1 + (sum?.streams ?? 0),
      outOfOrder: outOfOrder + (sum?.outOfOrder ?? 0),
      fills: (fills ?? 0) + (sum?.fills ?? 0),
      arrivalHistogram: addHistograms(arrivalHistogram, sum?.arrivalHistogram ?? []),
    });
  }
  return [...byAddress.values()];
}

function addHistograms(one: readonly ArrivalBin[], other: readonly ArrivalBin[]): readonly ArrivalBin[] {
  if (other.length === 0) return one;
  const bins = new Map<number, ArrivalBin>();
  for (const bin of [...one, ...other]) {
    bins.set(bin.fromMs, { ...bin, count: bin.count + (bins.get(bin.fromMs)?.count ?? 0) });
  }
  return [...bins.values()].toSorted((a, b) => a.fromMs - b.fromMs);
}
