/** Longer texts are hardly ever the same twice. */
const LONGEST_SHARED_TEXT = 64;

/** The texts of a row of packed numbers, each of the shorter ones once. */
export class TextTable {
  #texts: string[] = [];
  #places = new Map<string, number>();

  get texts(): readonly string[] {
    return this.#texts;
  }

  /** Where the text is among them; NaN when it is null, or none at all in a broken record. */
  placeOf(text: string | null): number {
    if (typeof text !== 'string') return Number.NaN;
    if (text.length > LONGEST_SHARED_TEXT) return this.#texts.push(text) - 1;
    let place = this.#places.get(text);
    if (place === undefined) this.#places.set(text, (place = this.#texts.push(text) - 1));
    return place;
  }

  /** All of them; the table is empty then. */
  take(): readonly string[] {
    const texts = this.#texts;
    this.#texts = [];
    this.#places = new Map();
    return texts;
  }
}

/** NaN stands for null, and for what a broken record does not have. */
export function numberOf(value: number | null): number {
  return value ?? Number.NaN;
}
