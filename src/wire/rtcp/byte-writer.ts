/** Builds big-endian bytes; every number must fit its field. */
export class ByteWriter {
  readonly #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  /** `name` is how the field is called in the error. Throws a RangeError when the value is not a whole number that fits. */
  unsigned(value: number, bytes: 1 | 2 | 4, name: string): this {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** (bytes * 8)) {
      throw new RangeError(`${name} is ${value}; it must be a whole number from 0 to ${2 ** (bytes * 8) - 1}.`);
    }
    for (let shift = (bytes - 1) * 8; shift >= 0; shift -= 8) this.#bytes.push(Math.floor(value / 2 ** shift) & 0xff);
    return this;
  }

  signed8(value: number, name: string): this {
    if (!Number.isInteger(value) || value < -128 || value > 127) {
      throw new RangeError(`${name} is ${value}; it must be a whole number from -128 to 127.`);
    }
    this.#bytes.push(value & 0xff);
    return this;
  }

  append(bytes: Iterable<number>): this {
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  toBytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}
