import { ariUrl, withAri, withChannelVariables } from './ari-part.ts';
import { planEndpoints } from './endpoints-part.ts';
import type { PlannedFile, SetupFacts, SetupInput, SetupPlan } from './input.ts';
import { includesFile, STUB_SIGN, withChownItems, withInclude } from './own-lines.ts';
import { type Part, PARTS, SECRET_FILES, USER_FILES } from './parts.ts';
import { escaped, withSetting } from './settings-text.ts';
import { withNewClasses, withNewContexts } from './older-files.ts';
import { withCode } from './ratings-part.ts';
import {
  type AsteriskConfig,
  isFalse,
  isTrue,
  lastEntry,
  readAsteriskConfig,
  sectionsOf,
} from '../wire/asterisk-conf.ts';
import { usesHandler } from '../wire/ami/handler-uses.ts';

const PLACEHOLDER = 'CHANGE-ME';
const AT_THE_END = 'at its end';

/** Plans what to write. Existing lines stay, and a second run has nothing to write. */
export function planSetup(input: SetupInput): SetupPlan {
  // Two parts may go into one file: the second adds to what the first has made of it.
  const files = new Map<string | null, PlannedFile>();
  const add = (file: PlannedFile): void => {
    const before = files.get(file.name);
    const added = before?.added && file.added ? [...before.added, ...file.added] : file.added;
    files.set(file.name, { ...file, added });
  };
  const current = (name: string): string | undefined => files.get(name)?.text ?? input.current(name);
  const settings = planSettings(input);
  if (settings !== undefined) add(settings);
  const notes: string[] = [];
  const toDo: string[] = [];
  for (const part of PARTS) {
    const planned = planPart(part, { ...input, current });
    for (const file of planned.files) add(file);
    notes.push(...planned.notes);
    toDo.push(...planned.toDo);
  }
  const endpoints = planEndpoints(input);
  for (const file of [...endpoints.files, ...planChown(input)]) add(file);
  return {
    files: [...files.values()],
    notes: [...notes, ...endpoints.notes],
    toDo: [...toDo, ...switchedOff(input)],
  };
}

/** Says that AMI is off. Setup switches it on only when asked to, because the owner of manager.conf decides that. */
function switchedOff(input: SetupInput): string[] {
  const notes: string[] = [];
  if (isAmiOff(input) && !input.choices.enablesAmi) {
    notes.push(
      'AMI is off: write enabled = yes in [general] of manager.conf; with bindaddr = 127.0.0.1 only this machine reaches it.',
    );
  }
  const ari = lastEntry(configWithout('ari_mes.conf', 'ari.conf', input), 'general', 'enabled')?.value;
  if (isFalse(ari ?? '')) notes.push('ARI is off: write enabled = yes in [general] of ari.conf.');
  return notes;
}

/** Whether AMI is off. What our own file says counts, otherwise what the other files say. */
export function isAmiOff(input: SetupFacts): boolean {
  const own = lastEntry(readAlone('manager_mes.conf', input.current('manager_mes.conf')), 'general', 'enabled');
  const config = configWithout('manager_mes.conf', 'manager.conf', input);
  return !isTrue((own ?? lastEntry(config, 'general', 'enabled'))?.value ?? 'no');
}

/** The secret that mes.conf or the AMI user already has; undefined when there is none. */
export function knownSecret(input: SetupFacts): string | undefined {
  return knownValue(input, { section: 'ami', own: 'manager_mes.conf', root: 'manager.conf', key: 'secret' });
}

/** ARI's password that ari.conf or mes.conf already has; undefined: there is none. */
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

/** mes.conf, where it is missing or lacks what setup has to set; undefined: it has everything. */
function planSettings(input: SetupInput): PlannedFile | undefined {
  const before = input.settings;
  let text = withSecret(before ?? withUser(input.ready('mes.conf'), input), input.secret);
  text = withAri(text, readAlone('mes.conf', text), {
    url: ariUrl(configWithout('http_mes.conf', 'http.conf', input)),
    username: input.username,
    password: escaped(input.ariPassword),
  });
  // A hangup handler that somebody wrote would not know the secret.
  if (input.isNewAgiSecret && hasOwnHandler(input)) text = withSetting(text, 'agi', 'secret', input.agiSecret);
  if (input.isNewAgiBind) text = withSetting(text, 'agi', 'bind', input.agiBind);
  const { http } = input.choices;
  if (http !== null) text = withSetting(withSetting(text, 'http', 'bind', http.bind), 'http', 'token', http.token);
  if (text === before) return undefined;
  return { name: null, text, added: null, place: '', isSecret: true, neighbour: 'manager.conf' };
}

/** Whether the hangup handler is, or will be, the one in our own file. */
function hasOwnHandler(input: SetupInput): boolean {
  const without = configWithout('extensions_mes.conf', 'extensions.conf', input);
  return sectionsOf(without, 'mes-hangup').length === 0;
}

/** The lines of our scripts with this installation's address. A host name stays, and gets the new port. */
function withAddress(text: string, bind: string): string {
  const port = bind.slice(bind.lastIndexOf(':') + 1);
  const reachable = bind.replace(/^(?:0\.0\.0\.0|\[::\]):/, '127.0.0.1:');
  return text.replaceAll(/(?<=agi:\/\/)([^/\s),]+)(?=\/)/g, (address) => {
    const host = address.replace(/:\d+$/, '');
    if (/[a-z]/i.test(host) && !host.startsWith('[')) return `${host}:${port}`;
    const isWildcard = reachable !== bind;
    return isWildcard && address.endsWith(`:${port}`) ? address : reachable;
  });
}

/** The lines that ask the sidecar, with this installation's secret. Their address stays. */
function withScript(text: string, secret: string): string {
  return text.replaceAll(
    /(agi:\/\/[^/\s)]+\/(?:hangup|rate|best))(?:\/[\w-]*)?(?=[\s),])/g,
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

function planPart(part: Part, input: SetupInput): SetupPlan {
  const { own, root, needless } = part;
  const host = part.host[input.target];
  if (host === null) return { files: [], notes: [], toDo: [] };
  const without = configWithout(own, root, input);
  const reason = needless(without, input);
  if (reason !== undefined) {
    return { files: [], notes: [reason], toDo: [] };
  }
  const toDo = part.leavesOut === true ? leftOut(input.ready(own), without, root) : [];
  const files: PlannedFile[] = [];
  const ownBefore = input.current(own);
  // What people have changed in our file stays.
  const ownText = ownTextOf(part, input, ownBefore, without);
  if (!/^\[/m.test(ownText)) return { files: [], notes: [], toDo };
  if (ownText !== ownBefore) {
    const isSecret = SECRET_FILES.includes(own);
    files.push({ name: own, text: ownText, added: null, place: '', isSecret, neighbour: root });
  }
  const hostBefore = input.current(host) ?? '';
  if (!includesFile(hostBefore, own)) {
    const host_ = withInclude(hostBefore, own);
    files.push({ name: host, ...host_, place: AT_THE_END, isSecret: false, neighbour: root });
  }
  return { files, notes: [], toDo };
}

/** What the user has to do in contexts that he made himself and that are therefore left out. */
function leftOut(ready: string, without: AsteriskConfig, root: string): string[] {
  return contextsOf(ready).flatMap((name) => {
    const theirs = without.filter((section) => section.name === name);
    const isDone = theirs.some(({ entries }) => entries.some(({ value }) => usesHandler(value)));
    if (theirs.length === 0 || isDone) return [];
    return [`${root} has [${name}] already; it stays as it is. Put Gosub(mes,s,1) at its beginning yourself.`];
  });
}

function contextsOf(text: string): string[] {
  return [...text.matchAll(/^\[([^\]]+)\]/gm)].map(([, name = '']) => name);
}

/** The text of our file, with the address and the secrets of mes.conf. */
function ownTextOf(part: Part, input: SetupInput, before: string | undefined, without: AsteriskConfig): string {
  const { own } = part;
  const isThere = before !== undefined && !before.includes(STUB_SIGN);
  const text = isThere ? before : ownPart(part, input, without);
  const has = (name: string): boolean => without.some((section) => section.name === name);
  if (own === 'extensions_mes.conf') {
    const whole = withNewContexts(text, ownPart(part, input, without), has);
    return withCode(withScript(withAddress(whole, input.agiBind), input.agiSecret), input.settings);
  }
  if (part.leavesOut === true) return withNewContexts(text, ownPart(part, input, without), has);
  if (own === 'manager_mes.conf') {
    const whole = withNewClasses(text, input.ready(own));
    return withAmi(withValue(whole, 'secret', input.secret), input, without);
  }
  return own === 'ari_mes.conf' ? withValue(text, 'password', input.ariPassword) : text;
}

function withValue(text: string, key: 'secret' | 'password', value: string): string {
  return text.replace(new RegExp(`^(${key}\\s*=\\s*).*$`, 'm'), (_, start: string) => `${start}${escaped(value)}`);
}

/** Switches AMI on in our own file. It comes last, and the last line of a key counts. */
function withAmi(text: string, input: SetupInput, without: AsteriskConfig): string {
  if (!input.choices.enablesAmi || !isAmiOff(input) || /^enabled\s*=/m.test(text)) return text;
  const heading = without.some(({ name }) => name === 'general') ? '[general](+)' : '[general]';
  const lines = ['; AMI was off. For this machine only:', heading, 'enabled = yes', 'bindaddr = 127.0.0.1', '', ''];
  return text.replace(/^\[/m, () => `${lines.join('\n')}[`);
}

function ownPart({ own, leavesOut }: Part, input: SetupInput, without: AsteriskConfig): string {
  const ready = input.ready(own).replace(/^\[mes\]$/m, () => `[${USER_FILES.includes(own) ? input.username : 'mes'}]`);
  const text = own === 'ari_mes.conf' ? withChannelVariables(ready, without) : ready;
  const has = (name: string): boolean => without.some((section) => section.name === name);
  if (leavesOut === true) {
    return text.replaceAll(/^\[([^\]]+)\]\n(?:(?!\[).*\n)*/gm, (context, name: string) => (has(name) ? '' : context));
  }
  // Asterisk refuses a whole file that adds to a missing section.
  return text.replaceAll(/^\[(\w+)\]\(\+\)$/gm, (heading, name: string) => (has(name) ? heading : `[${name}]`));
}

/** FreePBX's blacklist with our files: without it `fwconsole chown` opens all files of /etc/asterisk to their group. */
function planChown(input: SetupInput): PlannedFile[] {
  if (input.target !== 'freepbx') return [];
  const paths = [input.settingsPath, ...SECRET_FILES.map((name) => `${input.directory}/${name}`)];
  const name = 'freepbx_chown.conf';
  const changed = withChownItems(input.current(name) ?? '', paths);
  if (changed === undefined) return [];
  return [{ name, ...changed, place: 'to [blacklist]', isSecret: false, neighbour: 'manager.conf' }];
}
