/** A range of media types in a client's Accept header, with its weight. */
export interface MediaRange {
  readonly type: string;
  readonly parameters: readonly string[];
  readonly weight: number;
}

/** The ranges of an Accept header, in lower case (RFC 9110 §12.5.1). A weight that cannot be read is 0. */
export function mediaRanges(accept: string): MediaRange[] {
  return accept.split(',').map((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    return { type, parameters, weight: weight === undefined ? 1 : Number(weight.slice(2)) || 0 };
  });
}

/** How much a client wants a media type; `types` has the ranges that it falls under, the most specific one first, which counts. */
export function quality(accept: string, types: readonly string[]): number {
  const ranges = mediaRanges(accept);
  for (const wanted of types) {
    const range = ranges.find(({ type }) => type === wanted);
    if (range !== undefined) return range.weight;
  }
  return 0;
}
