/** Classes of the AMI user, as `read =` and `write =` in manager.conf give them. */

/** What the user needs: `call` for the channels' lives, `reporting` for RTCP, `call` to set variables. */
export const NEEDED_READ_CLASSES = ['call', 'reporting'] as const;
export const NEEDED_WRITE_CLASSES = ['call'] as const;

/** Which of the needed classes a `read =` or `write =` line does not give. */
export function missingClasses(line: string, needed: readonly string[]): string[] {
  const given = new Set(line.toLowerCase().split(/[\s,]+/));
  return given.has('all') ? [] : needed.filter((name) => !given.has(name));
}
