import { missingClasses, NEEDED_READ_CLASSES, NEEDED_WRITE_CLASSES } from '../wire/ami-classes.ts';
import type { AmiLink } from './ami-link.ts';
import { AmiLinkError, where, type AmiConnection } from './ami-socket.ts';

/** Asterisk answered, and trying again cannot help; the message says what to change. */
export class AmiRefusedError extends AmiLinkError {
  override readonly name = 'AmiRefusedError';
}

/** Logs in with no events yet. Throws AmiRefusedError when Asterisk does not accept us. */
export async function logIn(link: AmiLink, to: AmiConnection): Promise<void> {
  const answer = await link.request('Login', [
    ['Username', to.username],
    ['Secret', to.secret],
    ['Events', 'off'],
  ]);
  if (answer.get('Response') !== 'Success') throw new AmiRefusedError(loginRefused(to, answer.get('Message')));
}

/** The sentence for a login that Asterisk refused. It answers the same to a wrong secret and to an address that is not permitted. */
export function loginRefused(to: AmiConnection, message: string | undefined): string {
  return (
    `${where(to)} refused the user "${to.username}" (${message ?? 'no reason given'}); ` +
    `check username and secret in [ami] against manager.conf, and permit and deny there`
  );
}

/**
 * Checks that the user may do what we need. Throws AmiRefusedError naming what is missing.
 * AMI does not tell a user's read classes, but it evaluates global functions for us: `AST_CONFIG` reads manager.conf.
 * Resolves `unknown` when that function is not loaded or the user is not configured there: then we simply go on.
 */
export async function checkPrivileges(link: AmiLink, to: AmiConnection): Promise<'sufficient' | 'unknown'> {
  // Without a variable this does nothing; it is refused for the privilege first.
  const probe = await link.request('Setvar');
  if (isDenied(probe.get('Message'))) throw missing(to, 'write', NEEDED_WRITE_CLASSES);
  if (!/^[\w.@-]+$/.test(to.username)) return 'unknown';
  const write = await configured(link, to.username, 'write');
  // Some write class must be there, or this question would have been refused.
  if (write === '') return 'unknown';
  const lacking = missingClasses(await configured(link, to.username, 'read'), NEEDED_READ_CLASSES);
  if (lacking.length > 0) throw missing(to, 'read', lacking);
  return 'sufficient';
}

/** True for the answer to an action that the user's write classes do not cover. */
export function isDenied(message: string | undefined): boolean {
  return message?.toLowerCase() === 'permission denied';
}

async function configured(link: AmiLink, username: string, key: 'read' | 'write'): Promise<string> {
  // -1 asks for the last of several lines, which is the one that counts when a template gives one too.
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
