/** How a journal keeps packed changes: their numbers as bytes, the texts that some of these are places of as JSON. */

export const NUMBER_BYTES = Float64Array.BYTES_PER_ELEMENT;

/** The first `length` numbers, without a copy. */
export function bytesOf({ buffer, byteOffset }: Float64Array, length: number): Buffer {
  return Buffer.from(buffer, byteOffset, length * NUMBER_BYTES);
}

/** Throws RangeError when they are none. */
export function numbersIn(bytes: Buffer): Float64Array {
  if (bytes.length % NUMBER_BYTES !== 0) throw new RangeError(`${bytes.length} bytes are no whole number of numbers`);
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % NUMBER_BYTES === 0 ? bytes : Uint8Array.from(bytes);
  return new Float64Array(buffer, byteOffset, byteLength / NUMBER_BYTES);
}

/** Throws RangeError when they cannot be read. */
export function readTexts(json: string): readonly string[] {
  const texts = parsedJson(json);
  if (!isTexts(texts)) throw new RangeError('its texts cannot be read');
  return texts;
}

/** Null when it is none. */
export function parsedJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
