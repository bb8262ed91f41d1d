/** What a bench tells: lines for people, or one JSON document. */
export interface Output {
  say(line: string): void;
  /** The figures, once, at the end. */
  result(figures: object): void;
}

export function openOutput(isJson: boolean): Output {
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  return isJson
    ? { say: () => {}, result: (figures) => print(JSON.stringify(figures, null, 2)) }
    : { say: print, result: () => {} };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** By nearest rank; 0 when there are no values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
