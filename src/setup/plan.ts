import { ariUrl, isHttpOn, withAri, withChannelVariables } from './ari-part.ts';
import {
  type AsteriskConfig,
  type Includer,
  isFalse,
  isTrue,
  lastEntry,
  readAsteriskConfig,
  sectionsOf,
} from '../wire/asterisk-conf.ts';

export const SETUP_TARGETS = ['vanilla', 'freepbx'] as const;
/** FreePBX writes Asterisk's files itself and leaves files named `…_custom.conf` to people. */
export type SetupTarget = (typeof SETUP_TARGETS)[number];

export interface SetupInput {
  readonly target: SetupTarget;
  /** The present text of one of Asterisk's files; undefined: there is no such file. */
  readonly current: (name: string) => string | undefined;
  /** The files that an `#include` names. */
  readonly include: Includer;
  /** The text of a ready file of `asterisk-conf/`. */
  readonly ready: (name: string) => string;
  /** The present text of mes.conf; undefined: there is none. */
  readonly settings: string | undefined;
  readonly username: string;
  readonly secret: string;
  /** Of ARI's user of the same name. */
  readonly ariPassword: string;
  /** `127.0.0.1:4573` */
  readonly agiBind: string;
  /** What the hangup handler's script ends in. */
  readonly agiSecret: string;
  /** It has just been made up, so that it is to be written into mes.conf. */
  readonly isNewAgiSecret: boolean;
}

/** One file to write. */
export interface PlannedFile {
  /** The name in Asterisk's directory; null: mes.conf, which may be elsewhere. */
  readonly name: string | null;
  readonly text: string;
  /** The lines that are added at the end of somebody else's file; null: the file is ours. */
  readonly added: readonly string[] | null;
  /** Whether it holds the secret. */
  readonly isSecret: boolean;
  /** The file whose owner, group and mode a new file gets. */
  readonly neighbour: string;
}

/** What is known before secrets are chosen. */
export type SetupFacts = Omit<SetupInput, 'secret' | 'ariPassword' | 'agiSecret' | 'isNewAgiSecret'>;

export interface SetupPlan {
  /** Only files that change. */
  readonly files: readonly PlannedFile[];
  /** What is left out and why, one sentence each. */
  readonly notes: readonly string[];
}

/** A ready file that one of Asterisk's files includes. */
interface Part {
  readonly own: string;
  /** The file that includes it; null: none. */
  readonly host: Readonly<Record<SetupTarget, string | null>>;
  /** The file that Asterisk reads, which has or includes the host. */
  readonly root: string;
  /** Why the part is not needed, given the configuration without it; undefined when it is needed. */
  readonly needless: (config: AsteriskConfig, input: SetupInput) => string | undefined;
}

const PLACEHOLDER = 'CHANGE-ME';

const PARTS: readonly Part[] = [
  {
    own: 'manager_mes.conf',
    root: 'manager.conf',
    host: { vanilla: 'manager.conf', freepbx: 'manager_custom.conf' },
    needless: (config, { username }) =>
      sectionsOf(config, username).length > 0
        ? `manager.conf has a user [${username}] already; it stays as it is.`
        : undefined,
  },
  {
    own: 'extensions_mes.conf',
    root: 'extensions.conf',
    host: { vanilla: 'extensions.conf', freepbx: 'extensions_custom.conf' },
    needless: (config) =>
      sectionsOf(config, 'mes-hangup').length > 0
        ? 'The dialplan has [mes-hangup] already; it stays as it is.'
        : undefined,
  },
  {
    own: 'cdr_mes.conf',
    root: 'cdr.conf',
    host: { vanilla: 'cdr.conf', freepbx: null },
    needless: (config) =>
      isFalse(lastEntry(config, 'general', 'endbeforehexten')?.value ?? '')
        ? undefined
        : 'endbeforehexten is yes in cdr.conf, or not set, which means the same; cdr_mes.conf is not needed.',
  },
  {
    own: 'cdr_custom_mes.conf',
    root: 'cdr_custom.conf',
    host: { vanilla: 'cdr_custom.conf', freepbx: null },
    needless: (config) =>
      sectionsOf(config, 'mappings').some(({ entries }) => entries.some(({ value }) => /CDR\(mes\)/i.test(value)))
        ? 'A mapping of cdr_custom.conf has CDR(mes) already; it stays as it is.'
        : undefined,
  },
  {
    own: 'ari_mes.conf',
    root: 'ari.conf',
    host: { vanilla: 'ari.conf', freepbx: 'ari_additional_custom.conf' },
    needless: (config, { username }) =>
      sectionsOf(config, username).length > 0
        ? `ari.conf has a user [${username}] already; it stays as it is. Add channelvars = MES,MES_RX,MES_TX,MES_VERDICT to its [general] yourself.`
        : undefined,
  },
  {
    own: 'http_mes.conf',
    root: 'http.conf',
    host: { vanilla: 'http.conf', freepbx: 'http_custom.conf' },
    needless: (config) =>
      isHttpOn(config) ? "Asterisk's HTTP server is on already; http_mes.conf is not needed." : undefined,
  },
];

/** Ours that hold a secret. */
const SECRET_FILES: readonly string[] = ['manager_mes.conf', 'ari_mes.conf'];
const WITH_SECRET: readonly string[] = [...SECRET_FILES, 'extensions_mes.conf'];

/** Plans what to write. Existing lines stay, and a second run has nothing to write. */
export function planSetup(input: SetupInput): SetupPlan {
  const parts = PARTS.map((part) => planPart(part, input));
  return {
    files: [planSettings(input) ?? [], ...parts.map(({ files }) => files)].flat(),
    notes: [...parts.flatMap(({ notes }) => notes), ...switchedOff(input)],
  };
}

/** Setup does not switch AMI on: the owner of manager.conf decides that. */
function switchedOff(input: SetupInput): string[] {
  const notes: string[] = [];
  const enabled = lastEntry(configWithout('manager_mes.conf', 'manager.conf', input), 'general', 'enabled')?.value;
  if (!isTrue(enabled ?? 'no')) {
    notes.push(
      'AMI is off: write enabled = yes in [general] of manager.conf; with bindaddr = 127.0.0.1 only this machine reaches it.',
    );
  }
  const ari = lastEntry(configWithout('ari_mes.conf', 'ari.conf', input), 'general', 'enabled')?.value;
  if (isFalse(ari ?? '')) notes.push('ARI is off: write enabled = yes in [general] of ari.conf.');
  return notes;
}

/** The secret that mes.conf or the AMI user already has; undefined when there is none. */
export function knownSecret(input: SetupFacts): string | undefined {
  return knownValue(input, { section: 'ami', own: 'manager_mes.conf', root: 'manager.conf', key: 'secret' });
}

/** The same of ARI. */
export function knownAriPassword(input: SetupFacts): string | undefined {
  return knownValue(input, { section: 'ari', own: 'ari_mes.conf', root: 'ari.conf', key: 'password' });
}

function knownValue(
  input: SetupFacts,
  at: { readonly section: string; readonly own: string; readonly root: string; readonly key: string },
): string | undefined {
  const { current, settings, username } = input;
  return [
    lastEntry(readAlone('mes.conf', settings), at.section, at.key),
    lastEntry(readAlone(at.own, current(at.own)), username, at.key),
    lastEntry(configWithout(at.own, at.root, input), username, at.key),
  ]
    .map((entry) => entry?.value ?? '')
    .find((value) => value !== '' && value !== PLACEHOLDER);
}

function readAlone(name: string, text: string | undefined): AsteriskConfig {
  return readAsteriskConfig(name, text ?? '', () => []);
}

/** Asterisk's file and its includes, without one of our files. */
function configWithout(own: string, name: string, { current, include }: SetupFacts): AsteriskConfig {
  return readAsteriskConfig(name, current(name) ?? '', (pattern) =>
    include(pattern).filter(({ file }) => file.split('/').at(-1) !== own),
  );
}

/** Writes mes.conf if there is none, if it still has the placeholder for the secret, or nothing of ARI. */
function planSettings(input: SetupInput): PlannedFile | undefined {
  const before = input.settings;
  const chosen = withSecret(before ?? withUser(input.ready('mes.conf'), input), input.secret);
  const withOurAri = withAri(chosen, readAlone('mes.conf', chosen), {
    url: ariUrl(configWithout('http_mes.conf', 'http.conf', input)),
    username: input.username,
    password: escaped(input.ariPassword),
  });
  // Where the dialplan has a handler of its own, that would not know the secret.
  const isAsked = input.isNewAgiSecret && hasOwnHandler(input);
  const text = isAsked ? withAgiSecret(withOurAri, input.agiSecret) : withOurAri;
  if (text === before) return undefined;
  return { name: null, text, added: null, isSecret: true, neighbour: 'manager.conf' };
}

/** Whether the hangup handler is, or will be, that of our own file. */
function hasOwnHandler(input: SetupInput): boolean {
  const without = configWithout('extensions_mes.conf', 'extensions.conf', input);
  return sectionsOf(without, 'mes-hangup').length === 0;
}

/** Set in the section [agi]: at the place that the ready file has for it, at its beginning, or in a new one at the end. */
function withAgiSecret(text: string, secret: string): string {
  const line = `secret = ${secret}`;
  const section = /^\[agi\][^\n]*\n(?:(?!\[)[^\n]*(?:\n|$))*/m.exec(text);
  if (section === null) return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}\n[agi]\n${line}\n`;
  const [before] = section;
  const after = /^;secret =.*$/m.test(before)
    ? before.replace(/^;secret =.*$/m, () => line)
    : before.replace(/^\[agi\][^\n]*\n/, (heading) => `${heading}${line}\n`);
  return text.slice(0, section.index) + after + text.slice(section.index + before.length);
}

/** The hangup handler's line with this installation's secret; the address in it stays. */
function withScript(text: string, secret: string): string {
  return text.replaceAll(
    /(agi:\/\/[^/\s)]+\/hangup)(?:\/[\w-]*)?(?=[\s),])/g,
    (_, script: string) => `${script}/${secret}`,
  );
}

function withUser(text: string, { username }: SetupInput): string {
  return text.replace(/^username = mes$/m, () => `username = ${username}`);
}

function withSecret(text: string, secret: string): string {
  return text.replace(
    new RegExp(`^(secret\\s*=\\s*)${PLACEHOLDER}\\s*$`, 'm'),
    (_, key: string) => `${key}${escaped(secret)}`,
  );
}

/** A semicolon would begin a comment. */
function escaped(value: string): string {
  return value.replaceAll(';', '\\;');
}

function planPart(part: Part, input: SetupInput): SetupPlan {
  const { own, root, needless } = part;
  const host = part.host[input.target];
  if (host === null) return { files: [], notes: [] };
  const without = configWithout(own, root, input);
  const reason = needless(without, input);
  if (reason !== undefined) return { files: [], notes: [reason] };
  const files: PlannedFile[] = [];
  const ownBefore = input.current(own);
  // Keep what people have changed in our file.
  const ownText = ownTextOf(input, own, ownBefore, without);
  if (ownText !== ownBefore) {
    files.push({ name: own, text: ownText, added: null, isSecret: WITH_SECRET.includes(own), neighbour: root });
  }
  const hostBefore = input.current(host);
  if (!includes(hostBefore ?? '', own)) {
    const added = [`; asterisk-mes:`, `#include ${own}`];
    const start =
      hostBefore === undefined || hostBefore === '' || hostBefore.endsWith('\n')
        ? (hostBefore ?? '')
        : `${hostBefore}\n`;
    files.push({ name: host, text: `${start}${added.join('\n')}\n`, added, isSecret: false, neighbour: root });
  }
  return { files, notes: [] };
}

/** Our file, with the secret that mes.conf has. */
function ownTextOf(input: SetupInput, own: string, before: string | undefined, without: AsteriskConfig): string {
  const text = before ?? ownPart(input, own, without);
  if (own === 'extensions_mes.conf') return withScript(text, input.agiSecret);
  if (own === 'manager_mes.conf') return withValue(text, 'secret', input.secret);
  return own === 'ari_mes.conf' ? withValue(text, 'password', input.ariPassword) : text;
}

function withValue(text: string, key: 'secret' | 'password', value: string): string {
  return text.replace(new RegExp(`^(${key}\\s*=\\s*).*$`, 'm'), (_, start: string) => `${start}${escaped(value)}`);
}

function ownPart(input: SetupInput, own: string, without: AsteriskConfig): string {
  const ready = input
    .ready(own)
    .replace(/^\[mes\]$/m, () => `[${SECRET_FILES.includes(own) ? input.username : 'mes'}]`);
  const text = (own === 'ari_mes.conf' ? withChannelVariables(ready, without) : ready).replaceAll(
    'agi://127.0.0.1:4573/',
    `agi://${input.agiBind}/`,
  );
  // Asterisk refuses a whole file that adds to a missing section.
  return text.replaceAll(/^\[(\w+)\]\(\+\)$/gm, (heading, name: string) =>
    without.some((section) => section.name === name) ? heading : `[${name}]`,
  );
}

function includes(text: string, own: string): boolean {
  return text.split('\n').some((line) => /^\s*#(?:try)?include\b/.test(line) && line.includes(own));
}
