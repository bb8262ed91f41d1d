import { createHash, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { type ConfSection, parseConf } from '../config/conf-file.ts';
import { SettingReader } from '../config/setting-reader.ts';
import { type FleetAlertSettings, isAlertSection, readFleetAlerts } from './alerts/settings.ts';
import type { PbxFilter } from './read/scope.ts';
import type { QueryBounds } from './store.ts';

/** The settings of the gateway, from `fleet.conf`. */
export interface FleetSettings {
  /** Where the gateway listens for PBXs. */
  readonly bind: HostAndPort;
  readonly database: string;
  readonly cluster: string | null;
  readonly isReplicated: boolean;
  /** Addresses by shard, then by replica. */
  readonly shards: readonly (readonly string[])[];
  readonly username: string;
  readonly password: string;
  readonly bounds: QueryBounds;
  readonly keepDays: number;
  /** Where REST and the page are served, and the token for all PBXs; null: no token is needed. */
  readonly http: { readonly bind: HostAndPort; readonly token: string | null };
  readonly pbxs: readonly FleetPbx[];
  readonly readers: readonly FleetReader[];
  readonly alerts: FleetAlertSettings;
}

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** A reader with a token of its own, who sees only PBXs that pass both lists. */
export interface FleetReader extends PbxFilter {
  readonly name: string;
  readonly tokenSha256: string;
}

export interface FleetPbx {
  readonly name: string;
  /** SHA-256 of its token, in hex. */
  readonly tokenSha256: string;
  readonly site: string;
}

/** What is wrong with fleet.conf, one sentence for each problem. */
export class FleetSettingsError extends Error {
  override readonly name = 'FleetSettingsError';
}

const PBX_SECTION = /^pbx:([\w.-]{1,64})$/;
const READER_SECTION = /^reader:([\w.-]{1,64})$/;
const PBX_PATTERN = /^[\w.-]{0,64}\*?$/;
const SITE = /^[\w. -]{1,64}$/;
const NAME = /^[A-Za-z_]\w{0,63}$/;
const KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ['gateway', ['bind']],
  ['http', ['bind', 'token']],
  [
    'store',
    [
      'shards',
      'database',
      'cluster',
      'replicated',
      'username',
      'password',
      'keep_days',
      'query_seconds',
      'query_memory_mb',
      'query_rows',
    ],
  ],
]);
const PBX_KEYS = ['token_sha256', 'site'];
const READER_KEYS = ['token_sha256', 'pbxs', 'sites'];
const ADDRESS = /^(?:\[[0-9A-Fa-f:.]+\]|[^:\s]+):\d{1,5}$/;

/** Reads fleet.conf. Throws FleetSettingsError with every problem, one sentence a line. */
export function readFleetSettings(text: string, fileName: string): FleetSettings {
  const file = parseConf(text);
  const { sections, problems: broken } = file;
  const problems = broken.map(({ line, sentence }) => `${fileName} line ${line}: ${sentence}`);
  const values = new Map<string, string>();
  const pbxs: FleetPbx[] = [];
  const readers: FleetReader[] = [];
  const ofAlerts = sections.filter(({ name }) => isAlertSection(name));
  const alertReader = new SettingReader({ ...file, problems: [] }, fileName, {});
  const alerts = readFleetAlerts(alertReader, ofAlerts);
  problems.push(...alertReader.problems.map(({ sentence }) => sentence));
  for (const section of sections) {
    if (ofAlerts.includes(section)) continue;
    const name = PBX_SECTION.exec(section.name)?.[1];
    const reader = READER_SECTION.exec(section.name)?.[1];
    const known = name !== undefined ? PBX_KEYS : reader !== undefined ? READER_KEYS : KEYS.get(section.name);
    if (known === undefined) {
      problems.push(
        `${fileName} line ${section.line}: unknown section "${section.name}"; known are gateway, http, store, alerts, pbx:NAME, reader:NAME, alert:NAME`,
      );
      continue;
    }
    for (const { key, line } of section.entries) {
      if (!known.includes(key)) {
        problems.push(
          `${fileName} line ${line}: unknown key "${key}" in [${section.name}]; known are ${known.join(', ')}`,
        );
      }
    }
    if (name !== undefined) pbxs.push(pbxOf(section, name, fileName, problems));
    else if (reader !== undefined) readers.push(readerOf(section, reader, fileName, problems));
    else for (const { key, value } of section.entries) values.set(`${section.name} ${key}`, value);
  }
  const given = (name: string, usual: string): string => values.get(name) || usual;
  const check = (name: string, usual: string, pattern: RegExp, allowed: string): string => {
    const value = given(name, usual);
    if (!pattern.test(value)) problems.push(`${fileName}: [${name.replace(' ', '] ')} is not allowed; give ${allowed}`);
    return value;
  };
  const bindOf = (section: string, usual: string): HostAndPort => {
    const bind = check(`${section} bind`, usual, ADDRESS, 'an address and a port');
    return {
      host: bind.slice(0, bind.lastIndexOf(':')).replaceAll(/[[\]]/g, ''),
      port: Number(bind.slice(bind.lastIndexOf(':') + 1)),
    };
  };
  const count = (name: string, usual: string): number =>
    Number(check(`store ${name}`, usual, /^[1-9]\d{0,12}$/, 'a whole number'));
  const shards = given('store shards', 'http://127.0.0.1:8123')
    .split(/\s+/)
    .map((shard) => shard.split(',').filter((url) => url !== ''));
  if (!shards.flat().every((url) => /^https?:$/.test(URL.parse(url)?.protocol ?? ''))) {
    problems.push(
      `${fileName}: [store] shards is not allowed; give an address a shard with blanks between, replicas with commas`,
    );
  }
  const settings: FleetSettings = {
    bind: bindOf('gateway', '127.0.0.1:8091'),
    http: { bind: bindOf('http', '127.0.0.1:8090'), token: given('http token', '') || null },
    database: check('store database', 'mes', NAME, 'a name of letters, digits and underscores'),
    cluster:
      given('store cluster', '') === ''
        ? null
        : check('store cluster', '', NAME, 'the cluster’s name in ClickHouse’s configuration'),
    isReplicated: check('store replicated', 'no', /^(?:yes|no)$/, 'yes or no') === 'yes',
    shards,
    username: given('store username', 'default'),
    password: given('store password', ''),
    bounds: {
      seconds: count('query_seconds', '10'),
      memoryBytes: count('query_memory_mb', '2000') * 1_000_000,
      rows: count('query_rows', '2000000000'),
    },
    keepDays: Number(check('store keep_days', '400', /^[1-9]\d{0,4}$/, 'a number of days')),
    pbxs,
    readers,
    alerts,
  };
  if (shards.length > 1 && settings.cluster === null) {
    problems.push(
      `${fileName}: several shards need [store] cluster, the name that ClickHouse's configuration gives them`,
    );
  }
  if (!isLoopbackHost(settings.bind.host) && pbxs.length === 0) {
    problems.push(`${fileName}: no PBX is known; run "asterisk-mes fleet add-pbx NAME"`);
  }
  if (settings.http.token === null && readers.length === 0 && !isLoopbackHost(settings.http.bind.host)) {
    problems.push(`${fileName}: [http] bind is not loopback, so it needs [http] token, or a reader with a token`);
  }
  const hashes = [...pbxs, ...readers].map(({ tokenSha256 }) => tokenSha256);
  if (new Set(hashes).size < hashes.length) {
    problems.push(`${fileName}: two sections have the same token_sha256; give each PBX and reader a token of its own`);
  }
  if (problems.length > 0) throw new FleetSettingsError(problems.join('\n'));
  return settings;
}

function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function pbxOf(section: ConfSection, name: string, fileName: string, problems: string[]): FleetPbx {
  const value = (key: string): string => section.entries.find((entry) => entry.key === key)?.value ?? '';
  const tokenSha256 = value('token_sha256').toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(tokenSha256)) {
    problems.push(
      `${fileName} line ${section.line}: [${section.name}] has no token_sha256 of 64 hexadecimal digits; "asterisk-mes fleet add-pbx ${name}" writes one`,
    );
  }
  return { name, tokenSha256, site: value('site') };
}

function readerOf(section: ConfSection, name: string, fileName: string, problems: string[]): FleetReader {
  const value = (key: string): string => section.entries.find((entry) => entry.key === key)?.value ?? '';
  const refuse = (why: string): void =>
    void problems.push(`${fileName} line ${section.line}: [${section.name}] ${why}`);
  const tokenSha256 = value('token_sha256').toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(tokenSha256))
    refuse(`has no token_sha256 of 64 hexadecimal digits; "asterisk-mes fleet add-reader ${name}" writes one`);
  const list = (key: string, pattern: RegExp): string[] | undefined => {
    const words = value(key)
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== '');
    if (!words.every((word) => pattern.test(word))) refuse(`${key} is not allowed; give names with commas between`);
    return words.length === 0 ? undefined : words;
  };
  const pbxs = list('pbxs', PBX_PATTERN);
  const sites = list('sites', SITE);
  // Without this check a misspelt key would show all PBXs.
  if (pbxs === undefined && sites === undefined) refuse('says neither pbxs nor sites; give pbxs = * for all');
  return { name, tokenSha256, pbxs, sites };
}

export interface NewPbx {
  /** Show it once. It belongs into the PBX's mes.conf and nowhere else. */
  readonly token: string;
  /** Lines to add to fleet.conf. */
  readonly lines: string;
}

/** A reader's section with a new token. */
export function newReader(name: string, { pbxs = [], sites = [] }: PbxFilter): NewPbx {
  const token = randomBytes(24).toString('base64url');
  const lists = [
    ...(pbxs.length === 0 ? [] : [`pbxs = ${pbxs.join(', ')}`]),
    ...(sites.length === 0 ? [] : [`sites = ${sites.join(', ')}`]),
  ];
  return { token, lines: [`[reader:${name}]`, `token_sha256 = ${sha256(token)}`, ...lists, ''].join('\n') };
}

/** A PBX's section with a new token. */
export function newPbx(name: string, site: string): NewPbx {
  const token = randomBytes(24).toString('base64url');
  const lines = [`[pbx:${name}]`, `token_sha256 = ${sha256(token)}`, ...(site === '' ? [] : [`site = ${site}`]), ''];
  return { token, lines: lines.join('\n') };
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
