/** Classes of the AMI user, as `read =` and `write =` in manager.conf give them. */

/** The user reads `call` for channel events and `reporting` for RTCP, and writes `call` to set variables. */
export const NEEDED_READ_CLASSES = ['call', 'reporting'] as const;
export const NEEDED_WRITE_CLASSES = ['call'] as const;

/** The needed classes that a `read =` or `write =` line lacks. */
export function missingClasses(line: string, needed: readonly string[]): string[] {
  const given = new Set(line.toLowerCase().split(/[\s,]+/));
  return given.has('all') ? [] : needed.filter((name) => !given.has(name));
}
