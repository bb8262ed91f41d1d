import { endpointFiles } from './endpoints-part.ts';
import type { SetupFacts } from './input.ts';
import { STUB_SIGN, withoutOwnLines } from './own-lines.ts';
import { PARTS, USER_FILES } from './parts.ts';
import { type AsteriskConfig, readAsteriskConfig } from '../wire/asterisk-conf.ts';
import { handlerUses } from '../wire/ami/handler-uses.ts';

const DIALPLAN = 'extensions_mes.conf';
const CHOWN = 'freepbx_chown.conf';
/** Keys of mes.conf that setup sets. A file that differs in no other key has no settings of the user's. */
const SET_BY_SETUP: readonly string[] = [
  'ami.username',
  'ami.secret',
  'ari.url',
  'ari.username',
  'ari.password',
  'agi.bind',
  'agi.secret',
  'http.bind',
  'http.token',
];

export interface RemovalInput extends Pick<SetupFacts, 'directory' | 'current' | 'include' | 'ready' | 'settings'> {
  /** What a file was before setup first changed it; undefined: there is no backup. A null name is mes.conf. */
  readonly backup: (name: string | null) => string | undefined;
  /** Lines that use the handler outside of files: dialplan in AEL or Lua, FreePBX's database. */
  readonly usesElsewhere: readonly string[];
}

/** What happens to one file. */
export interface Removal {
  /** The name in Asterisk's directory; null: mes.conf. */
  readonly name: string | null;
  /** `keep`: our file has lines of the user's, so it is kept under another name. */
  readonly action: 'remove' | 'write' | 'keep';
  /** The new text of `write`. */
  readonly text: string;
  /** Whether the file is again, byte for byte, what it was before setup. */
  readonly isAsBefore: boolean;
  /** Whether no line of ours is left in it. */
  readonly isFinal: boolean;
}

export interface RemovalPlan {
  readonly files: readonly Removal[];
  /** The lines that still use the handler: `/etc/asterisk/extensions.conf line 12: …`. */
  readonly uses: readonly string[];
  readonly notes: readonly string[];
}

/** Plans how to take back what setup did: its files and its lines, but nothing that others have changed since. */
export function planRemoval(input: RemovalInput): RemovalPlan {
  const hosts = hostNames(input);
  const uses = usesLeft(input, hosts);
  const keeps = uses.length > 0 && input.current(DIALPLAN) !== undefined;
  const files: Removal[] = [];
  for (const { own } of PARTS) {
    const text = input.current(own);
    if (text === undefined) continue;
    if (own === DIALPLAN && keeps) {
      const stub = stubDialplan(uses);
      if (stub !== text) files.push({ name: own, action: 'write', text: stub, isAsBefore: false, isFinal: false });
    } else {
      const action = hasOthersLines(own, text, input) ? 'keep' : 'remove';
      files.push({ name: own, action, text, isAsBefore: false, isFinal: true });
    }
  }
  for (const name of hosts) {
    const text = input.current(name);
    const taken = text === undefined ? undefined : withoutOwnLines(text, keeps ? [DIALPLAN] : []);
    if (text === undefined || taken === undefined || taken === text) continue;
    files.push(asBefore(name, taken, input.backup(name)));
  }
  const settings = removeSettings(input);
  return {
    files: [...files, ...settings.files],
    uses,
    notes: settings.notes,
  };
}

/** Files of Asterisk that may have lines of ours. */
function hostNames(input: RemovalInput): string[] {
  const named = PARTS.flatMap(({ host }) => [host.vanilla, host.freepbx].filter((name) => name !== null));
  const endpoints = endpointFiles(input).own.map(({ name }) => name);
  return [...new Set([...named, ...endpoints, CHOWN])];
}

/** What happens to a file without our lines. It counts as before also where setup ended its last line with a line break. */
function asBefore(name: string, taken: string, backup: string | undefined): Removal {
  if (backup === undefined && taken.trim() === '') {
    return { name, action: 'remove', text: '', isAsBefore: true, isFinal: true };
  }
  const isSame = backup !== undefined && (taken === backup || taken === `${backup}\n`);
  const isFinal = withoutOwnLines(taken) === taken;
  return { name, action: 'write', text: isSame ? backup : taken, isAsBefore: isSame, isFinal };
}

/** Lines of others that call [mes] or [mes-hangup]. If these were missing, Asterisk would end the call. */
function usesLeft(input: RemovalInput, hosts: readonly string[]): string[] {
  const { directory, current, include, usesElsewhere } = input;
  const ours = new Set(PARTS.map(({ own }) => own));
  const clean = (file: string, text: string): string => {
    const name = file.replace(`${directory.replace(/\/$/, '')}/`, '');
    return hosts.includes(name) ? withoutOwnLines(text) : text;
  };
  // Line numbers are those after the removal.
  const read = (name: string): AsteriskConfig =>
    readAsteriskConfig(`${directory.replace(/\/$/, '')}/${name}`, clean(name, current(name) ?? ''), (pattern) =>
      include(pattern)
        .filter(({ file }) => !ours.has(file.split('/').at(-1) ?? ''))
        .map(({ file, text }) => ({ file, text: clean(file, text) })),
    );
  const entries = ['extensions.conf', 'pjsip.conf', 'sip.conf'].flatMap((name) => handlerUses(read(name)));
  return [...entries.map(({ file, line, text }) => `${file} line ${line}: ${text}`), ...usesElsewhere];
}

/** Two contexts that do nothing, so that calls go on where the dialplan names them. */
function stubDialplan(uses: readonly string[]): string {
  return [
    `; extensions_mes.conf - ${STUB_SIGN}, because these lines still use it:`,
    ...uses.map((line) => `;   ${line}`),
    '; Take them out and run "asterisk-mes setup --remove" again: then this file goes, too.',
    '',
    '[mes]',
    'exten => s,1,Return()',
    '',
    '[mes-hangup]',
    'exten => s,1,Return()',
    '',
  ].join('\n');
}

/** Whether one of our files has settings that setup did not write. */
function hasOthersLines(own: string, text: string, { ready }: RemovalInput): boolean {
  if (text.includes(STUB_SIGN)) return false;
  const known = new Set(settingsIn(own, ready(own)));
  return settingsIn(own, text).some((line) => !known.has(line));
}

/** The file's settings as `section.key=value`, without those that differ between installations. */
function settingsIn(own: string, text: string): string[] {
  return readAsteriskConfig(own, text, () => []).flatMap(({ name, entries }) =>
    entries.flatMap(({ key, value }) => {
      const section = USER_FILES.includes(own) && name !== 'general' ? 'user' : name;
      if (/^(?:secret|password|channelvars)$/.test(key)) return [];
      if (own === 'manager_mes.conf' && name === 'general' && /^(?:enabled|bindaddr)$/.test(key)) return [];
      return [`${section}.${key}=${value.replace(/agi:\/\/[^/]+\/(\w+)[^),]*/, 'agi://$1')}`];
    }),
  );
}

/** mes.conf becomes what it was before setup, or is removed, unless it has settings of the user's. */
function removeSettings({ settings, backup, ready }: RemovalInput): {
  readonly files: readonly Removal[];
  readonly notes: readonly string[];
} {
  if (settings === undefined) return { files: [], notes: [] };
  const before = backup(null);
  const set = (text: string): string =>
    readAsteriskConfig('mes.conf', text, () => [])
      .flatMap(({ name, entries }) => entries.map(({ key, value }) => [`${name}.${key}`, value]))
      .filter(([key = '']) => !SET_BY_SETUP.includes(key))
      .map((pair) => pair.join('='))
      .toSorted()
      .join('\n');
  const isOurs = before !== undefined || settings.startsWith(ready('mes.conf').split('\n', 1)[0] ?? '');
  const made = before !== undefined && /^\s*[^;\s]/m.test(before) ? before : ready('mes.conf');
  if (!isOurs || set(settings) !== set(made)) {
    return { files: [], notes: ['mes.conf has settings that are not from setup; it stays, with its secrets.'] };
  }
  if (before === settings) return { files: [], notes: [] };
  const action = before === undefined ? 'remove' : 'write';
  return { files: [{ name: null, action, text: before ?? '', isAsBefore: true, isFinal: true }], notes: [] };
}
