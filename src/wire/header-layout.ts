import type { AmiMessage } from './ami.ts';

/** Values of headers, each at its place; undefined is not there. */
export type HeaderValues = readonly (string | undefined)[];

/** A header whose value is wanted, one that stands there and is not (`- Name`), or those that are there together or not at all. */
type Part = string | readonly string[];
type NameOf<P> = P extends `- ${string}`
  ? never
  : P extends string
    ? P
    : P extends readonly (infer Each)[]
      ? Each
      : never;

const UNWANTED = '- ';

/**
 * Headers in the order in which Asterisk prints them, so that one pattern reads them all: of the 27 of a report that we ask
 * for, each search takes three times as long as its share of the pattern. What is printed otherwise is read header by header.
 */
export class HeaderLayout<const Parts extends readonly Part[]> {
  /** Where a header's value stands in what `read` returns. */
  readonly places: Readonly<Record<NameOf<Parts[number]>, number>>;
  readonly #names: readonly string[];
  readonly #pattern: RegExp;

  /** `extent`: these are the whole event from its first header to its last, or a part of it that stands together. */
  constructor(extent: 'event' | 'part', parts: Parts) {
    this.#names = parts.flat().filter((name) => !name.startsWith(UNWANTED));
    // In front of a pattern's groups stands what all of it matched.
    const places = Object.fromEntries(this.#names.map((name, index) => [name, index + 1]));
    this.places = places as typeof this.places;
    const lines = parts.map((part) => (typeof part === 'string' ? lineOf(part) : `(?:${part.map(lineOf).join('')})?`));
    this.#pattern = new RegExp(extent === 'event' ? `^${lines.join('')}$` : lines.join(''));
  }

  read(message: AmiMessage): HeaderValues {
    return message.match(this.#pattern) ?? [undefined, ...this.#names.map((name) => message.get(name))];
  }
}

function lineOf(part: string): string {
  const isUnwanted = part.startsWith(UNWANTED);
  return `\\r\\n${isUnwanted ? part.slice(UNWANTED.length) : part}: ${isUnwanted ? '[^\\r]*' : '([^\\r]*)'}`;
}
