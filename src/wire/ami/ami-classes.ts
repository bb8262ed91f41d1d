/** Classes of the AMI user, as `read =` and `write =` in manager.conf give them. */

/** The user reads `call` for channel events and `reporting` for RTCP, and writes `call` to set variables. */
export const NEEDED_READ_CLASSES = ['call', 'reporting'] as const;
export const NEEDED_WRITE_CLASSES = ['call'] as const;

/** For ratings, to read the key that marks a moment and to tell of a rating. Without them the rest goes on. */
export const RATING_CLASSES = ['user'] as const;

/**
 * The event class that tells when a digit is pressed, since a receiver counts a digit's packets as jitter. Everything else works
 * without it.
 */
export const DIGIT_CLASSES = ['dtmf'] as const;

/** The needed classes that a `read =` or `write =` line lacks. */
export function missingClasses(line: string, needed: readonly string[]): string[] {
  const given = new Set(line.toLowerCase().split(/[\s,]+/));
  return given.has('all') ? [] : needed.filter((name) => !given.has(name));
}
