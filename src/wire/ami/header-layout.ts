import type { AmiMessage, EventLayout, EventMatch, HeaderValues } from './ami.ts';

/** A header whose value is wanted, one that is skipped (`- Name`), or a list of headers that come together or not at all. */
type Part = string | readonly string[];
type NameOf<P> = P extends `- ${string}`
  ? never
  : P extends string
    ? P
    : P extends readonly (infer Each)[]
      ? Each
      : never;
/** The place of each header's value in `HeaderValues`. */
type Places<Parts extends readonly Part[]> = Readonly<Record<NameOf<Parts[number]>, number>>;

const UNWANTED = '- ';
/** A match begins with the whole text; its groups follow. */
const FIRST_GROUP = 1;

/**
 * Headers in the order in which Asterisk prints them, so that one pattern reads them all: a search for each header takes three
 * times as long. An event with other headers is read header by header.
 */
export class HeaderLayout<const Parts extends readonly Part[]> {
  readonly places: Places<Parts>;
  readonly #names: readonly string[];
  readonly #pattern: RegExp;

  constructor(parts: Parts) {
    this.#names = namesOf(parts);
    this.places = placesOf(parts, FIRST_GROUP);
    this.#pattern = new RegExp(linesOf(parts));
  }

  read(message: AmiMessage): HeaderValues {
    return message.match(this.#pattern) ?? [undefined, ...this.#names.map((name) => message.get(name))];
  }
}

/** All headers of an event, from the first to the last. An event with other headers is not recognised and is read header by header. */
export class WholeEventLayout<const Parts extends readonly Part[]> implements EventLayout {
  readonly places: Places<Parts>;
  readonly #names: readonly string[];
  readonly #pattern: RegExp;

  /** `parts`: what comes after the header `Event`. */
  constructor(events: readonly string[], parts: Parts) {
    this.#names = namesOf(parts);
    this.places = placesOf(parts, FIRST_GROUP + 1);
    this.#pattern = new RegExp(`\\r\\nEvent: (${events.join('|')})${linesOf(parts)}(?=\\r\\n\\r\\n)`, 'y');
  }

  matchAt(text: string, from: number): EventMatch | null {
    this.#pattern.lastIndex = from;
    return this.#pattern.exec(text) as EventMatch | null;
  }

  read(message: AmiMessage): HeaderValues {
    return message.matchOf(this) ?? [undefined, message.event, ...this.#names.map((name) => message.get(name))];
  }
}

function namesOf(parts: readonly Part[]): readonly string[] {
  return parts.flat().filter((name) => !name.startsWith(UNWANTED));
}

function placesOf<Parts extends readonly Part[]>(parts: Parts, first: number): Places<Parts> {
  return Object.fromEntries(namesOf(parts).map((name, index) => [name, first + index])) as Places<Parts>;
}

function linesOf(parts: readonly Part[]): string {
  return parts.map((part) => (typeof part === 'string' ? lineOf(part) : `(?:${part.map(lineOf).join('')})?`)).join('');
}

function lineOf(part: string): string {
  const isUnwanted = part.startsWith(UNWANTED);
  return `\\r\\n${isUnwanted ? part.slice(UNWANTED.length) : part}: ${isUnwanted ? '[^\\r]*' : '([^\\r]*)'}`;
}
