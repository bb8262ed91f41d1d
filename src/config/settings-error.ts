/** Problems in the message; a file that is none of ours has one in every line. */
const MOST_SHOWN = 20;

/** Why the settings cannot be used: one plain sentence a problem, none of them with a secret in it. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const more = problems.length - MOST_SHOWN;
    super([...problems.slice(0, MOST_SHOWN), ...(more > 0 ? [`and ${more} more like these`] : [])].join('\n'));
    this.problems = problems;
  }
}
