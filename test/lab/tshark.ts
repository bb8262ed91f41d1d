/** One line of `tshark -q -z rtp,streams`: the second opinion on what a capture holds. */
export interface TsharkStream {
  /** `source > destination ssrc`, as `streamKey` writes it. */
  readonly key: string;
  /** Duplicates counted, too. */
  readonly packets: number;
  /** Expected minus packets: duplicates hide losses. */
  readonly lost: number;
  readonly jitterMeanMs: number;
  readonly jitterMaxMs: number;
  readonly maxDeltaMs: number;
}

const LINE =
  /^\s*[\d.]+\s+[\d.]+\s+(\S+)\s+(\d+)\s+(\S+)\s+(\d+)\s+(0x[0-9A-Fa-f]+)\s+.*?\s(\d+)\s+(-?\d+) \(-?[\d.]+%\)\s+[\d.]+\s+[\d.]+\s+([\d.]+)\s+[\d.]+\s+([\d.]+)\s+([\d.]+)/;

export function streamKey(source: string, destination: string, ssrc: number): string {
  return `${source} > ${destination} ${ssrc}`;
}

/** Reads the whole table. */
export function readTsharkStreams(table: string): TsharkStream[] {
  return table.split('\n').flatMap((line) => {
    const match = LINE.exec(line);
    if (match === null) return [];
    const [, source, sourcePort, destination, destinationPort, ssrc, packets, lost, maxDelta, jitterMean, jitterMax] =
      match;
    return [
      {
        key: streamKey(`${source}:${sourcePort}`, `${destination}:${destinationPort}`, Number(ssrc)),
        packets: Number(packets),
        lost: Number(lost),
        jitterMeanMs: Number(jitterMean),
        jitterMaxMs: Number(jitterMax),
        maxDeltaMs: Number(maxDelta),
      },
    ];
  });
}
