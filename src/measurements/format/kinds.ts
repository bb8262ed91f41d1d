/** What a field of a measurement may hold. Strangers write documents, so each kind says exactly what it takes. */
export interface Kind {
  /** In words, for people: `0-4.5`. */
  readonly words: string;
  readonly takes: (value: unknown) => boolean;
}

/** A number in a closed range. */
export function range(lowest: number, highest: number): Kind {
  return {
    words: `${lowest}-${highest}`,
    takes: (value) => typeof value === 'number' && value >= lowest && value <= highest,
  };
}

export function count(highest = 1_000_000_000): Kind {
  return {
    words: 'a count',
    takes: (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= highest,
  };
}

export function oneOf(...names: readonly string[]): Kind {
  return { words: names.join(', '), takes: (value) => typeof value === 'string' && names.includes(value) };
}

export function text(words: string, pattern: RegExp): Kind {
  return { words, takes: (value) => typeof value === 'string' && pattern.test(value) };
}

export function constant(wanted: number): Kind {
  return { words: String(wanted), takes: (value) => value === wanted };
}

export function truth(): Kind {
  return { words: 'true or false', takes: (value) => typeof value === 'boolean' };
}

/** At most `most` values of one kind. */
export function list(of: Kind, most: number): Kind {
  return {
    words: `at most ${most} of: ${of.words}`,
    takes: (value) => Array.isArray(value) && value.length <= most && value.every((one) => of.takes(one)),
  };
}
