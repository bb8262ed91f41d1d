import { missingClasses, NEEDED_READ_CLASSES, NEEDED_WRITE_CLASSES } from '../../wire/ami/ami-classes.ts';
import type { AmiLink } from './ami-link.ts';
import { AmiLinkError, where, type AmiConnection } from './ami-socket.ts';

/** Thrown when Asterisk refuses and trying again cannot help. The message says what to change. */
export class AmiRefusedError extends AmiLinkError {
  override readonly name = 'AmiRefusedError';
}

/** Logs in without events. Throws AmiRefusedError when Asterisk refuses. */
export async function logIn(link: AmiLink, to: AmiConnection): Promise<void> {
  const answer = await link.request('Login', [
    ['Username', to.username],
    ['Secret', to.secret],
    ['Events', 'off'],
  ]);
  if (answer.get('Response') !== 'Success') throw new AmiRefusedError(loginRefused(to, answer.get('Message')));
}

/** The sentence for a refused login. Asterisk answers the same for a wrong secret and for an address that is not permitted. */
export function loginRefused(to: AmiConnection, message: string | undefined): string {
  return (
    `${where(to)} refused the user "${to.username}" (${message ?? 'no reason given'}); ` +
    `check username and secret in [ami] against manager.conf, and permit and deny there`
  );
}

/**
 * Checks that the user may do what we need. Throws AmiRefusedError naming what is missing.
 * AMI does not tell a user's read classes, but it evaluates global functions for us: `AST_CONFIG` reads manager.conf.
 * Resolves `unknown` when that function is not loaded or manager.conf does not have the user; then we go on.
 */
export async function checkPrivileges(link: AmiLink, to: AmiConnection): Promise<'sufficient' | 'unknown'> {
  // Without a variable this does nothing, but Asterisk checks the privilege first.
  const probe = await link.request('Setvar');
  if (isDenied(probe.get('Message'))) throw missing(to, 'write', NEEDED_WRITE_CLASSES);
  if (!/^[\w.@-]+$/.test(to.username)) return 'unknown';
  const write = await configured(link, to.username, 'write');
  // The user has some write class, or Asterisk would have refused this question.
  if (write === '') return 'unknown';
  const lacking = missingClasses(await configured(link, to.username, 'read'), NEEDED_READ_CLASSES);
  if (lacking.length > 0) throw missing(to, 'read', lacking);
  return 'sufficient';
}

/** Whether Asterisk refused an action for lack of a write class. */
export function isDenied(message: string | undefined): boolean {
  return message?.toLowerCase() === 'permission denied';
}

async function configured(link: AmiLink, username: string, key: 'read' | 'write'): Promise<string> {
  // -1 asks for the last of several lines: it wins over a template's line.
  const answer = await link.request('Getvar', [['Variable', `AST_CONFIG(manager.conf,${username},${key},-1)`]]);
  return answer.get('Value') ?? '';
}

function missing(to: AmiConnection, key: 'read' | 'write', classes: readonly string[]): AmiRefusedError {
  const needed = key === 'read' ? NEEDED_READ_CLASSES : NEEDED_WRITE_CLASSES;
  return new AmiRefusedError(
    `The user "${to.username}" of ${where(to)} lacks the ${key} class ${classes.join(' and ')}; ` +
      `in manager.conf, section [${to.username}], write "${key} = ${needed.join(',')}" and reload the manager`,
  );
}
