import type { AsteriskConsole } from '../../app/setup/asterisk-console.ts';
import type { SetupTarget } from '../../setup/input.ts';

/** What follows `asterisk-mes setup` on the command line. */
export interface SetupWords {
  readonly target?: SetupTarget;
  readonly config?: string;
  readonly asteriskDir: string;
  readonly write?: true;
  readonly pjsip?: true;
  readonly remove?: true;
  readonly yes?: true;
}

/** The console of the Asterisk that is set up; undefined where none answers. */
export async function consoleOf(directory: string): Promise<AsteriskConsole | undefined> {
  return (await import('../../app/setup/asterisk-console.ts')).AsteriskConsole.find(directory);
}
