import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { askDialOptions } from './dial-options.ts';
import { AmiInquiry } from '../../asterisk/ami/ami-inquiry.ts';
import { AmiRefusedError } from '../../asterisk/ami/ami-login.ts';
import { readConfigFile } from '../../asterisk/config-files.ts';
import type { Settings } from '../../config/settings.ts';
import { isLoopback } from '../../config/value-types.ts';
import {
  type AmiFacts,
  CONFIG_FILES,
  CONFIG_VALUES,
  type ConfigFileName,
  type DoctorFacts,
  type EndpointFacts,
  MODULES,
  type SipPeerFacts,
} from '../facts.ts';
import { type AsteriskConfig, isFalse, isTrue, lastEntry, sectionsOf } from '../../wire/asterisk-conf.ts';
import { errorText } from '../../units/error-text.ts';

const DEFAULT_DIRECTORY = '/etc/asterisk';
/** Bound on the filters that are asked for. */
const MOST_FILTERS = 100;
/** A name that is safe as an argument of a dialplan function. */
const PLAIN_NAME = /^[\w.@+-]+$/;

type AsteriskFacts = Pick<
  DoctorFacts,
  | 'ami'
  | 'asteriskVersion'
  | 'isFreePbx'
  | 'files'
  | 'values'
  | 'modules'
  | 'dialplan'
  | 'endpoints'
  | 'sipPeers'
  | 'ownDialOptions'
> & { readonly clock: Pick<DoctorFacts['clock'], 'aheadMs' | 'asteriskOffsetMinutes'> };

interface FailedInquiry {
  readonly isRefused: boolean;
  readonly problem: string;
}

/** Connects to AMI, or says in one sentence why it cannot. */
export async function openInquiry(settings: Settings): Promise<AmiInquiry | FailedInquiry> {
  try {
    return await AmiInquiry.open(settings.ami);
  } catch (error) {
    const problem = errorText(error);
    return { isRefused: error instanceof AmiRefusedError, problem };
  }
}

/** Asks Asterisk, with no more rights than the sidecar has, and reads its files. */
export async function asteriskFacts(
  inquiry: AmiInquiry | FailedInquiry,
  settings: Settings,
  directory: string | undefined,
): Promise<AsteriskFacts> {
  if (!(inquiry instanceof AmiInquiry)) {
    return factsOfFiles(inquiry, directory ?? localDirectory(settings, DEFAULT_DIRECTORY));
  }
  const exists = async (context: string): Promise<boolean | null> =>
    toBoolean(await inquiry.variable(`DIALPLAN_EXISTS(${context},s,1)`));
  const { files, isFreePbx: isWrittenByFreePbx } = await filesOf(inquiry, settings, directory);
  const devices = await inquiry.devices();
  // Extensions have devices of the same name.
  const extensions = ['PJSIP/', 'SIP/'].flatMap((technology) => plainNames(devices ?? [], technology));
  return {
    ami: await userFacts(inquiry, settings.ami.username),
    asteriskVersion: (await inquiry.variable('VERSION()')) || null,
    files,
    isFreePbx: isWrittenByFreePbx,
    values: await askEach(inquiry, CONFIG_VALUES, ([file, section, key]) => `AST_CONFIG(${file},${section},${key},-1)`),
    modules: mapNames(await askEach(inquiry, keyed(MODULES), (name) => `IFMODULE(${name}.so)`), (loaded) =>
      toBoolean(loaded),
    ),
    dialplan: { hasMes: await exists('mes'), hasMesHangup: await exists('mes-hangup') },
    endpoints: devices && (await askEndpoints(inquiry, plainNames(devices, 'PJSIP/'))),
    sipPeers: await askSipPeers(inquiry, files['sip.conf'], plainNames(devices ?? [], 'SIP/')),
    ownDialOptions: isWrittenByFreePbx ? await askDialOptions(inquiry, extensions) : [],
    clock: {
      aheadMs: await inquiry.clockAheadMs(Date.now),
      asteriskOffsetMinutes: offsetMinutes(await inquiry.variable('STRFTIME(,,%z)')),
    },
  };
}

/** The facts that need no Asterisk. */
function factsOfFiles({ isRefused, problem }: FailedInquiry, directory: string | undefined): AsteriskFacts {
  const files = readFiles(directory);
  const unasked = { read: null, write: null, mayWrite: null, writeTimeout: null, filters: null };
  return {
    ami: { state: isRefused ? 'refused' : 'unreachable', problem, ...unasked },
    asteriskVersion: null,
    isFreePbx: isFreePbx(directory),
    files,
    values: mapNames(CONFIG_VALUES, () => null),
    modules: mapNames(keyed(MODULES), () => null),
    dialplan: { hasMes: null, hasMesHangup: null },
    endpoints: endpointsOf(files['pjsip.conf']),
    sipPeers: null,
    ownDialOptions: null,
    clock: { aheadMs: null, asteriskOffsetMinutes: null },
  };
}

async function userFacts(inquiry: AmiInquiry, username: string): Promise<AmiFacts> {
  const ask = async (key: string): Promise<string | null> =>
    PLAIN_NAME.test(username) ? inquiry.variable(`AST_CONFIG(manager.conf,${username},${key},-1)`) : null;
  return {
    state: 'logged-in',
    problem: null,
    read: await ask('read'),
    write: await ask('write'),
    mayWrite: await inquiry.mayWrite(),
    writeTimeout: await ask('writetimeout'),
    filters: await askFilters(inquiry, username),
  };
}

/** Asks for the filters one by one, until there is none. */
async function askFilters(inquiry: AmiInquiry, username: string): Promise<string[] | null> {
  if (!PLAIN_NAME.test(username)) return null;
  const filters: string[] = [];
  for (;;) {
    const value = await inquiry.variable(`AST_CONFIG(manager.conf,${username},eventfilter,${filters.length})`);
    if (value === null || value === '' || filters.length === MOST_FILTERS) return filters;
    filters.push(value);
  }
}

/** Reads the named directory, or Asterisk's own if it is on this machine; otherwise asks AMI. */
async function filesOf(
  inquiry: AmiInquiry,
  settings: Settings,
  directory: string | undefined,
): Promise<Pick<DoctorFacts, 'files' | 'isFreePbx'>> {
  const place = directory ?? localDirectory(settings, (await inquiry.variable('ASTETCDIR')) || DEFAULT_DIRECTORY);
  const files = readFiles(place);
  // This machine may have the files of another Asterisk, as a container's host does, and they would mislead.
  const { username, secret } = settings.ami;
  const isTheirs =
    directory !== undefined || lastEntry(files['manager.conf'] ?? [], username, 'secret')?.value === secret;
  if (isTheirs) return { files, isFreePbx: isFreePbx(place) };
  const asked = readFiles(undefined);
  for (const name of CONFIG_FILES) asked[name] = await inquiry.config(name);
  return { files: asked, isFreePbx: false };
}

/** Whether FreePBX is there: it generates a dialplan file of this name. */
function isFreePbx(directory: string | undefined): boolean {
  return directory !== undefined && existsSync(join(directory, 'extensions_additional.conf'));
}

/** Undefined when Asterisk is on another machine, or its directory cannot be seen. */
function localDirectory(settings: Settings, directory: string): string | undefined {
  return isLoopback(settings.ami.host) && existsSync(join(directory, 'manager.conf')) ? directory : undefined;
}

function readFiles(directory: string | undefined): Record<ConfigFileName, AsteriskConfig | null> {
  return mapNames(keyed(CONFIG_FILES), (name) => (directory === undefined ? null : readConfigFile(directory, name)));
}

/** The names of one technology's devices. */
function plainNames(devices: readonly string[], technology: string): string[] {
  return devices.flatMap((device) => {
    const name = device.startsWith(technology) ? device.slice(technology.length) : '';
    return PLAIN_NAME.test(name) ? [name] : [];
  });
}

/**
 * Asks for each peer's own lines, because the parsed values (SIPshowpeer) need more rights than the sidecar has. `names`: the
 * peers with a device state. Null: there are none, and sip.conf cannot be read.
 */
async function askSipPeers(
  inquiry: AmiInquiry,
  config: AsteriskConfig | null,
  names: readonly string[],
): Promise<SipPeerFacts[] | null> {
  const known = [...new Set([...names, ...peersOf(config)])];
  if (config === null && known.length === 0) return null;
  const own = (key: string): Promise<(string | null)[]> =>
    inquiry.variables(known.map((name) => `AST_CONFIG(sip.conf,${name},${key},-1)`));
  const [values, older] = [await own('directmedia'), await own('canreinvite')];
  return known.map((name, index) => ({ name, directMedia: values[index] || older[index] || '' }));
}

/** The peers in sip.conf, whether registered or not. */
function peersOf(config: AsteriskConfig | null): string[] {
  return (config ?? []).flatMap((section) => {
    const type = lastEntry([section], section.name, 'type')?.value ?? '';
    return /^(?:peer|friend)$/i.test(type) && PLAIN_NAME.test(section.name) ? [section.name] : [];
  });
}

async function askEndpoints(inquiry: AmiInquiry, names: readonly string[]): Promise<EndpointFacts[]> {
  const values = await inquiry.variables(names.map((name) => `PJSIP_ENDPOINT(${name},direct_media)`));
  return names.flatMap((name, index) => {
    const value = values[index] ?? '';
    return value === '' ? [] : [{ name, directMedia: isTrue(value) || value === 'true' }];
  });
}

/** The endpoints in pjsip.conf, where direct media is the default. */
function endpointsOf(config: AsteriskConfig | null): EndpointFacts[] | null {
  if (config === null) return null;
  const named = new Set(config.map(({ name }) => name));
  return [...named].flatMap((name) => {
    const own = sectionsOf(config, name).filter((section) => lastEntry([section], name, 'type')?.value === 'endpoint');
    return own.length === 0
      ? []
      : [{ name, directMedia: !isFalse(lastEntry(own, name, 'direct_media')?.value ?? 'yes') }];
  });
}

async function askEach<Name extends string, Item>(
  inquiry: AmiInquiry,
  items: Readonly<Record<Name, Item>>,
  question: (item: Item) => string,
): Promise<Record<Name, string | null>> {
  const answers = await inquiry.variables(Object.values<Item>(items).map(question));
  const byName = Object.keys(items).map((name, index) => [name, answers[index] ?? null]);
  return Object.fromEntries(byName) as Record<Name, string | null>;
}

function mapNames<Name extends string, From, To>(
  items: Readonly<Record<Name, From>>,
  change: (item: From) => To,
): Record<Name, To> {
  const changed = Object.entries<From>(items).map(([name, item]) => [name, change(item)]);
  return Object.fromEntries(changed) as Record<Name, To>;
}

function keyed<Name extends string>(names: readonly Name[]): Record<Name, Name> {
  return Object.fromEntries(names.map((name) => [name, name])) as Record<Name, Name>;
}

/** Reads 1 or 0 of a dialplan function; null: it gave nothing, as a function that is not loaded does. */
function toBoolean(value: string | null): boolean | null {
  if (value === '1') return true;
  return value === '0' ? false : null;
}

/** Reads `+0130` as minutes. */
function offsetMinutes(zone: string | null): number | null {
  const [, sign, hours, minutes] = /^([+-])(\d\d)(\d\d)$/.exec(zone ?? '') ?? [];
  if (sign === undefined) return null;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}
