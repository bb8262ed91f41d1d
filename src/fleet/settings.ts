import { createHash, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { type ConfSection, parseConf } from '../config/conf-file.ts';

/** `fleet.conf`, as the gateway reads it. */
export interface FleetSettings {
  readonly bind: { readonly host: string; readonly port: number };
  readonly database: string;
  readonly cluster: string | null;
  readonly isReplicated: boolean;
  /** Addresses by shard, and of its replicas. */
  readonly shards: readonly (readonly string[])[];
  readonly username: string;
  readonly password: string;
  /** What REST wants of people and dashboards; null: REST is not served. */
  readonly token: string | null;
  readonly keepDays: number;
  readonly pbxs: readonly FleetPbx[];
}

export interface FleetPbx {
  readonly name: string;
  /** SHA-256 of its token, in hex. */
  readonly tokenSha256: string;
  readonly site: string;
}

/** What is wrong with fleet.conf, a sentence each. */
export class FleetSettingsError extends Error {
  override readonly name = 'FleetSettingsError';
}

const PBX_SECTION = /^pbx:([\w.-]{1,64})$/;
const NAME = /^[A-Za-z_]\w{0,63}$/;
const KEYS: Readonly<Record<string, readonly string[]>> = {
  gateway: ['bind', 'token'],
  store: ['shards', 'database', 'cluster', 'replicated', 'username', 'password', 'keep_days'],
};
const PBX_KEYS = ['token_sha256', 'site'];

/** Reads fleet.conf. Throws FleetSettingsError with every problem, one sentence a line. */
export function readFleetSettings(text: string, fileName: string): FleetSettings {
  const { sections, problems: broken } = parseConf(text);
  const problems = broken.map(({ line, sentence }) => `${fileName} line ${line}: ${sentence}`);
  const values = new Map<string, string>();
  const pbxs: FleetPbx[] = [];
  for (const section of sections) {
    const name = PBX_SECTION.exec(section.name)?.[1];
    const known = name === undefined ? KEYS[section.name] : PBX_KEYS;
    if (known === undefined) {
      problems.push(
        `${fileName} line ${section.line}: unknown section "${section.name}"; known are gateway, store, pbx:NAME`,
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
    else for (const { key, value } of section.entries) values.set(`${section.name} ${key}`, value);
  }
  const given = (name: string, usual: string): string => values.get(name) || usual;
  const check = (name: string, usual: string, pattern: RegExp, allowed: string): string => {
    const value = given(name, usual);
    if (!pattern.test(value)) problems.push(`${fileName}: [${name.replace(' ', '] ')} is not allowed; give ${allowed}`);
    return value;
  };
  const bind = check(
    'gateway bind',
    '127.0.0.1:8091',
    /^(?:\[[0-9A-Fa-f:.]+\]|[^:\s]+):\d{1,5}$/,
    'an address and a port',
  );
  const shards = given('store shards', 'http://127.0.0.1:8123')
    .split(/\s+/)
    .map((shard) => shard.split(',').filter((url) => url !== ''));
  if (!shards.flat().every((url) => /^https?:$/.test(URL.parse(url)?.protocol ?? ''))) {
    problems.push(
      `${fileName}: [store] shards is not allowed; give an address a shard with blanks between, replicas with commas`,
    );
  }
  const settings: FleetSettings = {
    bind: {
      host: bind.slice(0, bind.lastIndexOf(':')).replaceAll(/[[\]]/g, ''),
      port: Number(bind.slice(bind.lastIndexOf(':') + 1)),
    },
    database: check('store database', 'mes', NAME, 'a name of letters, digits and underscores'),
    cluster:
      given('store cluster', '') === ''
        ? null
        : check('store cluster', '', NAME, 'the cluster’s name in ClickHouse’s configuration'),
    isReplicated: check('store replicated', 'no', /^(?:yes|no)$/, 'yes or no') === 'yes',
    shards,
    username: given('store username', 'default'),
    password: given('store password', ''),
    token: given('gateway token', '') || null,
    keepDays: Number(check('store keep_days', '400', /^[1-9]\d{0,4}$/, 'a number of days')),
    pbxs,
  };
  if (shards.length > 1 && settings.cluster === null) {
    problems.push(
      `${fileName}: several shards need [store] cluster, the name that ClickHouse's configuration gives them`,
    );
  }
  if (settings.token === null && !isLoopbackHost(settings.bind.host) && pbxs.length === 0) {
    problems.push(`${fileName}: no PBX is known; run "asterisk-mes fleet add-pbx NAME"`);
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

export interface NewPbx {
  /** To be shown once and written nowhere but into the PBX's mes.conf. */
  readonly token: string;
  /** To be added to fleet.conf. */
  readonly lines: string;
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
