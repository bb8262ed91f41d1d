/** Bound on the problems in a message: a file that is not mes.conf has one in every line. */
const MOST_SHOWN = 20;

/** Why the settings cannot be used: one sentence per problem, without secrets. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const more = problems.length - MOST_SHOWN;
    super([...problems.slice(0, MOST_SHOWN), ...(more > 0 ? [`and ${more} more like these`] : [])].join('\n'));
    this.problems = problems;
  }
}
