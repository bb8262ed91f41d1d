import { type AsteriskConfig, entriesOf, sectionsOf } from '../wire/asterisk-conf.ts';
import { usesHandler } from '../wire/ami/handler-uses.ts';
import { howToLook } from './ami-checks.ts';
import { checkHangupHandler } from './dialplan-checks.ts';
import type { DoctorFacts, OwnDialOptions } from './facts.ts';
import { type Change, type Finding, findingsOf, runLines } from './finding.ts';

/** The contexts that FreePBX calls on the caller's channel, and what it dials after each. */
const CALLER_HOOKS: Readonly<Record<string, string>> = {
  'macro-dialout-one-predial-hook': 'extensions',
  'macro-dialout-trunk-predial-hook': 'trunks',
  'macro-dial-ringall-predial-hook': 'ring groups',
  'macro-dial-hunt-predial-hook': 'hunt groups',
};
/** The context that FreePBX runs on each channel that it dials. */
const CALLEE_CONTEXT = 'func-apply-sipheaders';
/** How many numbers a sentence shows. */
const NUMBERS_SHOWN = 5;
const SETUP: readonly Change[] = [runLines(['asterisk-mes setup --write'], 'asterisk -rx "dialplan reload"')];
const SECRETS = ['manager_mes.conf', 'ari_mes.conf', 'extensions_mes.conf'];

/** Whether callers and called channels get the hangup handler. */
export function checkFreePbxHandler(facts: DoctorFacts): Finding[] {
  const config = facts.files['extensions.conf'];
  const own = findingsOf(
    'freepbx-handler',
    'A channel without it lacks what happened after its last report; FreePBX calls these contexts of yours before it dials.',
  );
  const contexts = checkHangupHandler(facts);
  const isThere = contexts.status === 'ok' || /no line of extensions\.conf/.test(contexts.saw);
  if (!isThere) return [contexts];
  if (config === null) return [contexts, own.unknown(`FreePBX's hooks are not known: ${howToLook(facts)}`)];
  const handler = findingsOf('hangup-handler', contexts.why).ok('The dialplan has [mes] and [mes-hangup].');
  const hooks = Object.keys(CALLER_HOOKS).filter((name) => !isHooked(config, name));
  // B(…) in the dial options reaches the caller as well, unless an extension or trunk has options of its own.
  const options = globalOptions(config);
  const byOptions = options.every(reachesCaller);
  const missing = byOptions ? [] : hooks.map((name) => CALLER_HOOKS[name]);
  const isCalleeMissing = !isHooked(config, CALLEE_CONTEXT);
  const useless = options.some(reachesNobody);
  if (missing.length === 0 && !isCalleeMissing) {
    const twice = byOptions && hooks.length < Object.keys(CALLER_HOOKS).length;
    return [
      handler,
      own.ok(
        `Callers and those who are called have it${twice ? '; callers from two places, which does no harm' : ''}.`,
      ),
    ];
  }
  const sentences = [
    ...(missing.length > 0 ? [`Callers to ${missing.join(', ')} do not have it`] : []),
    ...(isCalleeMissing ? ['nobody who is called has it'] : []),
    ...(useless ? ['b(mes^s^1) in the dial options does nothing, since FreePBX appends a b() of its own'] : []),
  ];
  const saw = sentences.join('; ');
  return [handler, own.warning(`${saw[0]?.toUpperCase()}${saw.slice(1)}.`, SETUP)];
}

/**
 * Whether the context's first priority uses the handler. Of several lines with one priority, the first that Asterisk reads
 * counts.
 */
function isHooked(config: AsteriskConfig, context: string): boolean {
  const first = sectionsOf(config, context).find(({ entries }) =>
    entries.some(({ value }) => /^s\s*,\s*1\s*,/.test(value)),
  );
  // Somebody's own hook may call it further down, but FreePBX's empty hooks return at once.
  return first?.entries.some(({ value }) => usesHandler(value)) === true;
}

function globalOptions(config: AsteriskConfig): string[] {
  return ['DIAL_OPTIONS', 'TRUNK_OPTIONS'].map((name) => optionText(config, name));
}

function reachesCaller(options: string): boolean {
  return /B\([^)]*mes[^)]*\)/.test(options);
}

function reachesNobody(options: string): boolean {
  return /b\([^)]*mes[^)]*\)/.test(options);
}

/** Whether an extension or trunk has dial options of its own, so that the handler in the global ones does not reach it. */
export function checkDialOptions({ ownDialOptions: own, files }: DoctorFacts): Finding {
  const { ok, warning, unknown } = findingsOf(
    'freepbx-dial-options',
    'Dial options of an extension or a trunk count instead of the global ones, also where they are empty.',
  );
  const config = files['extensions.conf'];
  if (own === null || config === null) return unknown('AstDB is not known: fix "ami" first.');
  if (own.length === 0) return ok('No extension and no trunk has dial options of its own.');
  const isByOptions = globalOptions(config).some(reachesCaller);
  const without = own.filter(({ kind, options }) => {
    const hook = kind === 'trunk' ? 'macro-dialout-trunk-predial-hook' : 'macro-dialout-one-predial-hook';
    return isByOptions && !isHooked(config, hook) && !reachesCaller(options ?? '');
  });
  if (without.length > 0) {
    const isKnown = without.every(({ options }) => options !== null);
    const saw = `The handler is in the global dial options, and these have their own ${isKnown ? 'without it' : '(what they are only root can see)'}: ${numbersOf(without)}.`;
    return warning(saw, SETUP);
  }
  const useless = own.filter(({ options }) => reachesNobody(options ?? ''));
  if (useless.length > 0) {
    const saw = `b(mes^s^1) in the dial options of ${numbersOf(useless)} does nothing, since FreePBX appends a b() of its own.`;
    return warning(saw, SETUP);
  }
  return ok(`These have dial options of their own, on which the handler does not depend: ${numbersOf(own)}.`);
}

function numbersOf(own: readonly OwnDialOptions[]): string {
  const names = own.slice(0, NUMBERS_SHOWN).map(({ kind, number }) => (kind === 'trunk' ? `trunk ${number}` : number));
  return own.length > NUMBERS_SHOWN ? `${names.join(', ')} and ${own.length - NUMBERS_SHOWN} more` : names.join(', ');
}

function optionText(config: AsteriskConfig, name: string): string {
  return entriesOf(config, 'globals', name.toLowerCase()).at(-1)?.value ?? '';
}

/** Whether `fwconsole chown` leaves the files with secrets alone. */
export function checkFreePbxChown({ files, settings }: DoctorFacts): Finding {
  const { ok, warning, unknown } = findingsOf(
    'freepbx-chown',
    '"fwconsole chown" opens every file of /etc/asterisk to its group, with the secrets in it.',
  );
  const config = files['freepbx_chown.conf'];
  if (config === null) return unknown('freepbx_chown.conf cannot be read; run doctor as root.');
  const listed = entriesOf(config, 'blacklist', 'item').map(({ value }) => value);
  const wanted = [settings.file.split('/').at(-1) ?? '', ...SECRETS];
  const missing = wanted.filter((name) => !listed.some((path) => path.endsWith(`/${name}`)));
  if (missing.length === 0) return ok('freepbx_chown.conf keeps our secrets as they are.');
  return warning(`freepbx_chown.conf does not name ${missing.join(', ')} in [blacklist].`, [
    runLines(['asterisk-mes setup --write']),
  ]);
}
