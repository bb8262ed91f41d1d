import {
  DIGIT_CLASSES,
  missingClasses,
  NEEDED_READ_CLASSES,
  NEEDED_WRITE_CLASSES,
  RATING_CLASSES,
} from '../wire/ami/ami-classes.ts';
import {
  type AsteriskConfig,
  type ConfigEntry,
  type ConfigSection,
  isTrue,
  lastEntry,
  sectionsOf,
} from '../wire/asterisk-conf.ts';
import {
  DIGIT_EVENTS,
  ENDPOINT_EVENTS,
  HANGUP_EVENTS,
  HIDE_SCORES,
  hiddenEvents,
  hidesScores,
  NEEDED_EVENTS,
  RATING_EVENTS,
} from './event-filters.ts';
import type { DoctorFacts } from './facts.ts';
import { sectionChanges } from './written-value.ts';
import { addLines, type Change, type Finding, findingsOf, MANAGER_RELOAD, replaceLine, runLines } from './finding.ts';

/** With a shorter timeout Asterisk may drop a client that is busy for a moment. Asterisk's default is 100 ms. */
const LEAST_WRITE_TIMEOUT_MS = 1000;
const GOOD_WRITE_TIMEOUT_MS = 5000;
const DEFAULT_AMI_PORT = 5038;

/** Whether we can log in to the manager. */
export function checkAmi({ ami, settings, files }: DoctorFacts): Finding {
  const { ok, problem } = findingsOf('ami', 'Reports of the media come over AMI and scores go back over it.');
  const at = `${settings.amiHost}:${settings.amiPort}`;
  if (ami.state === 'logged-in') return ok(`The user "${settings.amiUsername}" can log in at ${at}.`);
  const config = files['manager.conf'] ?? [];
  if (isWaitingForReload(ami.state, config, settings)) {
    return problem(
      `${ami.problem ?? 'The login failed'}; manager.conf has what is needed, so Asterisk ${
        ami.state === 'unreachable' ? 'does not run, or ' : ''
      }has not read it yet.`,
      [runLines([MANAGER_RELOAD])],
    );
  }
  const saw = `${ami.problem ?? 'The login failed'}.`;
  if (ami.state === 'unreachable') return problem(saw, listeningChanges(config, settings));
  const user = settings.amiUsername;
  const lines = [
    'secret = (the secret of [ami] in mes.conf)',
    `permit = ${ownAddress(settings.amiHost)}/255.255.255.255`,
  ];
  return problem(saw, [addLines('manager.conf', user, sectionsOf(config, user)[0], lines, MANAGER_RELOAD)]);
}

/** Whether the files already have what is needed, so that Asterisk only has to read them. */
function isWaitingForReload(
  state: DoctorFacts['ami']['state'],
  config: AsteriskConfig,
  settings: DoctorFacts['settings'],
): boolean {
  const hasUser = lastEntry(config, settings.amiUsername, 'secret')?.value === settings.amiSecret;
  if (state === 'refused') return hasUser;
  return hasUser && listeningChanges(config, settings).length === 0;
}

/** The changes where nobody listens. An address that manager.conf already has stays, because other programs may use it. */
function listeningChanges(config: AsteriskConfig, settings: DoctorFacts['settings']): Change[] {
  const { amiHost, amiPort, amiTls } = settings;
  const inGeneral = (...lines: string[]): Change[] =>
    sectionChanges('manager.conf', 'general', config, lines, MANAGER_RELOAD);
  if (amiTls) return inGeneral('enabled = yes', 'tlsenable = yes', `tlsbindaddr = ${amiHost}:${amiPort}`);
  const { entry, host, port, isOn } = listening(config);
  const ours: string[] = [];
  const theirs = ['enabled = yes'];
  if (port !== amiPort) {
    if (entry === undefined) theirs.push(`port = ${amiPort}`);
    else ours.push(`port = ${port}`);
  }
  if (host === null) {
    if (!isOn) theirs.push(`bindaddr = ${amiHost}`);
  } else if (!isReached(host, amiHost)) {
    if (isLoopback(host)) theirs.push(`bindaddr = ${amiHost}`);
    else ours.push(`host = ${host}`);
  }
  const ourChange = ours.length === 0 ? [] : [addLines(settings.file, 'ami', undefined, ours, null)];
  return [...inGeneral(...theirs), ...ourChange];
}

/** Whether manager.conf switches AMI on, and the address that it gives; host null: it gives none. */
function listening(config: AsteriskConfig) {
  const of = (key: string): ConfigEntry | undefined => lastEntry(config, 'general', key);
  const entry = of('port');
  return {
    isOn: isTrue(of('enabled')?.value ?? 'no'),
    host: of('bindaddr')?.value.trim() ?? null,
    port: Number(entry?.value ?? DEFAULT_AMI_PORT),
    entry,
  };
}

/** A host name may be any address. */
function isReached(bindAddress: string, amiHost: string): boolean {
  if (['0.0.0.0', '::', amiHost].includes(bindAddress)) return true;
  if (isLoopback(amiHost)) return isLoopback(bindAddress);
  return !/^[\d.]+$|:/.test(amiHost);
}

function isLoopback(host: string): boolean {
  return host.startsWith('127.') || host === 'localhost' || host === '::1';
}

/** The address that Asterisk sees us connect from. */
function ownAddress(amiHost: string): string {
  return isLoopback(amiHost) ? '127.0.0.1' : '(the address of this machine)';
}

/** Whether the user may read the events and set the variables. */
export function checkClasses(facts: DoctorFacts): Finding {
  const { ok, warning, problem, unknown } = findingsOf(
    'ami-classes',
    'The RTCP reports are of class "reporting", channel events of class "call"; write class "call" sets the scores.',
  );
  const { amiUsername: user } = facts.settings;
  const read = facts.ami.read ?? userEntry(facts, 'read')?.value ?? null;
  const write = facts.ami.write ?? userEntry(facts, 'write')?.value ?? null;
  // Without both lines the user is not in manager.conf: its classes come from elsewhere.
  const isWritten = (read ?? '') !== '' || (write ?? '') !== '';
  const lacks = {
    read: isWritten && read !== null ? missingClasses(read, NEEDED_READ_CLASSES) : [],
    write: isWritten && write !== null ? missingClasses(write, NEEDED_WRITE_CLASSES) : [],
  };
  if (facts.ami.mayWrite === false) lacks.write = [...NEEDED_WRITE_CLASSES];
  const keys = (['read', 'write'] as const).filter((key) => lacks[key].length > 0);
  if (keys.length > 0) {
    const lacking = keys.map((key) => `the ${key} class ${lacks[key].join(' and ')}`).join(', and ');
    const given = { read, write };
    const changes = keys.map((key) => setUserValue(facts, key, withClasses(given[key], key)));
    return problem(`The user "${user}" lacks ${lacking}.`, changes);
  }
  if (!isWritten || read === null)
    return unknown(`What the user "${user}" may read is not known: ${whereIsUser(facts)}`);
  const given = { read, write };
  const { usesRatings, sendsAlerts } = facts.settings;
  const wantsUser = { read: usesRatings, write: usesRatings || sendsAlerts };
  const lacksUser = (['read', 'write'] as const).filter(
    (key) => wantsUser[key] && given[key] !== null && missingClasses(given[key], RATING_CLASSES).length > 0,
  );
  if (lacksUser.length > 0) {
    const losses = [
      ...(usesRatings ? ['a key that marks a moment is not read, and nobody is told of ratings'] : []),
      ...(sendsAlerts && lacksUser.includes('write') ? ['no program gets the event MesAlert of alerts'] : []),
    ];
    return warning(
      `The user "${user}" lacks the class user for ${lacksUser.join(' and ')}: ${losses.join('; ')}.`,
      lacksUser.map((key) => setUserValue(facts, key, [withClasses(given[key], key), ...RATING_CLASSES].join(','))),
    );
  }
  if (missingClasses(read, DIGIT_CLASSES).length > 0) {
    return warning(
      `The user "${user}" lacks the class dtmf for read: digits that are pressed in a call count as jitter, so a good call looks bad.`,
      [setUserValue(facts, 'read', [read, ...DIGIT_CLASSES].join(','))],
    );
  }
  return ok(`The user "${user}" has read = ${read}, write = ${write ?? 'not known'}.`);
}

/** The classes that the user has, and those that it needs: ours and the one for digits. */
function withClasses(given: string | null, key: 'read' | 'write'): string {
  const needed: readonly string[] = key === 'read' ? [...NEEDED_READ_CLASSES, ...DIGIT_CLASSES] : NEEDED_WRITE_CLASSES;
  const kept = (given ?? '').split(/[\s,]+/).filter((name) => name !== '' && !needed.includes(name));
  return [...needed, ...kept].join(',');
}

/** Whether our user's event filters hide events that we need. */
export function checkEventFilter(facts: DoctorFacts): Finding {
  const { ok, problem, unknown } = findingsOf(
    'ami-eventfilter',
    'With one eventfilter line, Asterisk sends only the events that are named; without the RTCP events there is nothing to score.',
  );
  const { amiUsername: user } = facts.settings;
  const section = userSection(facts);
  const filters = section === undefined ? filtersFromAmi(facts) : filterLines(section);
  const { events, lines } = hiddenEvents(
    filters,
    facts.settings.usesRatings ? [...NEEDED_EVENTS, ...RATING_EVENTS] : NEEDED_EVENTS,
  );
  if (events.length > 0) {
    const changes = lines.map((entry) => replaceLine(entry, user, [], MANAGER_RELOAD));
    return problem(`The eventfilter lines of [${user}] hide ${events.join(', ')}.`, changes);
  }
  if (section === undefined) {
    return unknown(`Whether [${user}] has lines such as eventfilter(name(…)) is not known: ${whereIsUser(facts)}`);
  }
  if (filters.length === 0) return ok('The user has no eventfilter.');
  const all = `The ${filters.length} eventfilter lines let everything through that is needed`;
  const hidden = (names: readonly string[]): string => hiddenEvents(filters, names).events.join(' and ');
  const [ends, digits, endpoints] = [HANGUP_EVENTS, DIGIT_EVENTS, ENDPOINT_EVENTS].map(hidden);
  return ok(
    [
      `${all}.`,
      ...(ends === '' ? [] : [`They hide ${ends}, so nobody sees who hung up.`]),
      ...(digits === '' ? [] : [`They hide ${digits}, so digits that are pressed in a call count as jitter.`]),
      ...(endpoints === ''
        ? []
        : [`They hide ${endpoints}, so endpoints that cannot be reached are noticed two minutes late.`]),
    ].join(' '),
  );
}

function filtersFromAmi({ ami }: DoctorFacts): ConfigEntry[] {
  const place = { key: 'eventfilter', file: 'manager.conf', line: null };
  return (ami.filters ?? []).map((value) => ({ ...place, value, text: `eventfilter = ${value}` }));
}

/** How long Asterisk waits for us before it closes the connection. */
export function checkWriteTimeout(facts: DoctorFacts): Finding {
  const { ok, warning, unknown } = findingsOf(
    'ami-writetimeout',
    'Asterisk disconnects a client that is busy for longer than this, and the reports until it is back are lost.',
  );
  const text = facts.ami.writeTimeout ?? userEntry(facts, 'writetimeout')?.value ?? null;
  if (text === null && userSection(facts) === undefined)
    return unknown(`writetimeout is not known: ${whereIsUser(facts)}`);
  const timeoutMs = text === null || text === '' ? 100 : Number(text);
  if (timeoutMs >= LEAST_WRITE_TIMEOUT_MS) return ok(`writetimeout is ${timeoutMs} ms.`);
  return warning(`writetimeout is ${text === null || text === '' ? "Asterisk's default, 100" : text} ms.`, [
    setUserValue(facts, 'writetimeout', String(GOOD_WRITE_TIMEOUT_MS)),
  ]);
}

/** Whether other users get an event for each score that we write. */
export function checkOtherClients(facts: DoctorFacts): Finding {
  const { ok, warning, unknown } = findingsOf(
    'ami-clients',
    'Every client that reads class "dialplan" gets a VarSet event for each score that is written: up to 16 per report.',
  );
  const { writesCdr, writesVariables, amiUsername } = facts.settings;
  if (!writesCdr && !writesVariables) return ok('Scores are not written back, so nobody gets an event for them.');
  const config = facts.files['manager.conf'];
  if (config === null) return unknown(`The other users of manager.conf are not known: ${howToLook(facts)}`);
  const flooded = otherUsers(config, amiUsername).filter(
    (section) =>
      missingClasses(lastOf(section, 'read')?.value ?? '', ['dialplan']).length === 0 &&
      !hidesScores(filterLines(section)),
  );
  if (flooded.length === 0) return ok('No other user of manager.conf gets an event for each score.');
  const names = flooded.map(({ name }) => `"${name}"`).join(', ');
  return warning(
    `The users ${names} of manager.conf get an event for each score.`,
    flooded.map((section) => addLines(section.file, section.name, section, [HIDE_SCORES], MANAGER_RELOAD)),
  );
}

function otherUsers(config: AsteriskConfig, own: string): ConfigSection[] {
  return config.filter(({ name, isTemplate }) => !isTemplate && name !== 'general' && name !== own);
}

function userSection({ files, settings }: DoctorFacts): ConfigSection | undefined {
  return sectionsOf(files['manager.conf'] ?? [], settings.amiUsername).at(-1);
}

function userEntry({ files, settings }: DoctorFacts, key: string): ConfigEntry | undefined {
  return lastEntry(files['manager.conf'] ?? [], settings.amiUsername, key);
}

function lastOf({ entries }: ConfigSection, key: string): ConfigEntry | undefined {
  return entries.findLast((entry) => entry.key.toLowerCase() === key);
}

function filterLines({ entries }: ConfigSection): ConfigEntry[] {
  return entries.filter(({ key }) => /^eventfilter\b/i.test(key));
}

function setUserValue(facts: DoctorFacts, key: string, value: string): Change {
  const { amiUsername: user } = facts.settings;
  const line = `${key} = ${value}`;
  const entry = userEntry(facts, key);
  if (entry !== undefined) return replaceLine(entry, user, [line], MANAGER_RELOAD);
  return addLines('manager.conf', user, userSection(facts), [line], MANAGER_RELOAD);
}

/** Completes "… is not known:" for a line of the user. */
function whereIsUser(facts: DoctorFacts): string {
  if (facts.files['manager.conf'] === null) return howToLook(facts);
  return `manager.conf has no section [${facts.settings.amiUsername}].`;
}

/** Completes "… is not known:" with how to make it known. */
export function howToLook({ ami }: DoctorFacts): string {
  const files = "run doctor as root, or name the directory of Asterisk's files with --asterisk-dir";
  return ami.state === 'logged-in' ? `${files}.` : `fix "ami" first, or ${files}.`;
}
