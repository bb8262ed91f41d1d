import { BlockList, isIP } from 'node:net';
import type { Subnet } from '../model/subnet.ts';
import { parseDurationMs } from '../units/duration.ts';

/** A kind of value: which texts are allowed, and what they become. */
export interface ValueType<T> {
  /** Completes "give …" when a value is refused. */
  readonly allowed: string;
  /** True: the value may hold a secret, so a refusal must not show it. */
  readonly secret: boolean;
  /**
   * True of passwords, tokens and keys: an empty environment variable does not delete the file's value. A compose file makes a
   * forgotten variable empty, and that must not open anything to everybody.
   */
  readonly outlastsEmptyVariable?: boolean;
  /** Undefined when the text is not allowed. */
  parse(text: string): T | undefined;
}

/** An address to listen on or to connect to. */
export interface HostAndPort {
  /** A name or an address, IPv6 without its brackets. */
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:4573` or `[::1]:4573`. */
export function hostAndPortText({ host, port }: HostAndPort): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

export interface PortRange {
  readonly lowest: number;
  readonly highest: number;
}

const HOST_NAME = /^(?!-)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*\.?$/;
const HIGHEST_PORT = 65_535;

function isHost(text: string): boolean {
  return isIP(text) !== 0 || (HOST_NAME.test(text) && !/^[0-9.]+$/.test(text));
}

function parseWhole(text: string, lowest: number, highest: number): number | undefined {
  if (!/^[0-9]{1,9}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= lowest && value <= highest ? value : undefined;
}

export function matching(
  allowed: string,
  pattern: RegExp,
  options: Pick<ValueType<string>, 'secret' | 'outlastsEmptyVariable'> = { secret: false },
): ValueType<string> {
  return { allowed, ...options, parse: (value) => (pattern.test(value) ? value : undefined) };
}

/** The same type, for which an empty text counts as not given: null. */
export function optional<T>(type: ValueType<T>): ValueType<T | null> {
  return { ...type, parse: (value) => (value === '' ? null : type.parse(value)) };
}

export function wholeNumber(lowest: number, highest: number): ValueType<number> {
  return {
    allowed: `a whole number from ${lowest} to ${highest}`,
    secret: false,
    parse: (value) => parseWhole(value, lowest, highest),
  };
}

/** A decimal number in a closed range. */
export function decimal(lowest: number, highest: number): ValueType<number> {
  return {
    allowed: `a number from ${lowest} to ${highest}`,
    secret: false,
    parse: (value) => {
      if (!/^-?[0-9]{1,9}(\.[0-9]{1,9})?$/.test(value)) return undefined;
      const number = Number(value);
      return number >= lowest && number <= highest ? number : undefined;
    },
  };
}

export function choice<T extends string>(...names: readonly T[]): ValueType<T> {
  return {
    allowed: `one of ${names.join(', ')}`,
    secret: false,
    parse: (value) => names.find((name) => name === value),
  };
}

/** Asterisk's words for a switch. */
export const YES_NO: ValueType<boolean> = {
  allowed: 'yes or no',
  secret: false,
  parse: (value) => {
    if (/^(yes|true|on|1)$/i.test(value)) return true;
    return /^(no|false|off|0)$/i.test(value) ? false : undefined;
  },
};

/** A span of time, as milliseconds. */
export const DURATION: ValueType<number> = {
  allowed: 'a whole number with its unit, such as 30d, 12h, 90m or 45s',
  secret: false,
  parse: parseDurationMs,
};

const BYTES_PER_UNIT = { kB: 1000, MB: 1_000_000, GB: 1_000_000_000 } as const;

/** An amount of storage, as bytes. */
export const SIZE: ValueType<number> = {
  allowed: 'a whole number with its unit, such as 500 kB, 100 MB or 2 GB',
  secret: false,
  parse: (value) => {
    const match = /^([1-9][0-9]{0,5}) ?(kB|MB|GB)$/.exec(value);
    return match === null ? undefined : Number(match[1]) * BYTES_PER_UNIT[match[2] as keyof typeof BYTES_PER_UNIT];
  },
};

/** Several values separated by commas. A value may not occur twice. Empty: none. */
export function listOf<T>(type: ValueType<T>, allowed: string): ValueType<readonly T[]> {
  return {
    allowed,
    secret: type.secret,
    parse: (value) => {
      if (value === '') return [];
      const values = value.split(',').map((part) => type.parse(part.trim()));
      if (!values.every((one) => one !== undefined) || new Set(values).size < values.length) return undefined;
      return values;
    },
  };
}

export const HOST: ValueType<string> = {
  allowed: 'a host name or an IP address',
  secret: false,
  parse: (value) => (isHost(value) ? value : undefined),
};

/** An address to listen on. Port 0 means any free port. */
export const BIND: ValueType<HostAndPort> = {
  allowed: 'an address and a port, such as 127.0.0.1:8090 or [::1]:8090',
  secret: false,
  parse: (value) => {
    const match = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]+)$/.exec(value);
    if (match === null) return undefined;
    const host = match[1] ?? match[2] ?? '';
    const port = parseWhole(match[3] ?? '', 0, HIGHEST_PORT);
    const hostIsRight = match[1] === undefined ? isHost(host) : isIP(host) === 6;
    return port === undefined || !hostIsRight ? undefined : { host, port };
  },
};

/** As people write it: `URL` would take line ends out of an address without a word. */
function urlIn(text: string): URL | null {
  return /[\s\p{Cc}]/u.test(text) ? null : URL.parse(text);
}

/** A base URL, without a slash at its end. Credentials have keys of their own and are refused here. */
export const HTTP_URL: ValueType<string> = {
  allowed: 'an address such as http://127.0.0.1:8088, without user name, password or query in it',
  secret: true,
  parse: (value) => {
    const url = urlIn(value);
    if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
    if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return undefined;
    return url.href.replace(/\/+$/, '');
  },
};

/** A mail server. Without user name and password, mail is sent without a login. */
export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** True: TLS from the first byte on; false: STARTTLS. */
  readonly isTls: boolean;
  readonly user: string | null;
  readonly password: string | null;
}

const SUBMISSION_PORT = 587;
const SUBMISSIONS_PORT = 465;

export const SMTP_URL: ValueType<SmtpServer> = {
  allowed:
    'smtp://user:password@host:587 (STARTTLS) or smtps://…:465, with @ : / in the password written as %40 %3A %2F',
  secret: true,
  parse: (value) => {
    const url = urlIn(value);
    if (url === null || !/^smtps?:$/.test(url.protocol) || !/^\/?$/.test(url.pathname)) return undefined;
    if (url.search !== '' || url.hash !== '' || (url.username === '') !== (url.password === '')) return undefined;
    const host = url.hostname.replaceAll(/^\[|\]$/g, '');
    if (!isHost(host)) return undefined;
    const isTls = url.protocol === 'smtps:';
    const port = url.port === '' ? (isTls ? SUBMISSIONS_PORT : SUBMISSION_PORT) : Number(url.port);
    const user = decoded(url.username);
    const password = decoded(url.password);
    if (user === undefined || password === undefined) return undefined;
    return { host, port, isTls, user: user || null, password: password || null };
  },
};

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const ADDRESS = /^[^\s@<>,;"()\p{Cc}]{1,64}@[^\s@<>,;"()\p{Cc}]{1,253}$/u;

export const MAIL_ADDRESS: ValueType<string> = {
  allowed: 'a mail address, such as pbx@example.com',
  secret: false,
  parse: (value) => (ADDRESS.test(value) ? value : undefined),
};

/** An address that may have a path and a query: both may be the secret that keeps strangers out. */
export const WEBHOOK_URL: ValueType<string> = {
  allowed: 'an address such as https://example.com/hooks/mes, without user name and password',
  secret: true,
  parse: (value) => {
    const url = urlIn(value);
    if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
    return url.username === '' && url.password === '' && url.hash === '' ? url.href : undefined;
  },
};

export const PORT_RANGE: ValueType<PortRange> = {
  allowed: 'a range of ports, such as 10000-20000',
  secret: false,
  parse: (value) => {
    const [low, high, ...rest] = value.split('-').map((part) => parseWhole(part.trim(), 1, HIGHEST_PORT));
    if (low === undefined || high === undefined || rest.length > 0 || low > high) return undefined;
    return { lowest: low, highest: high };
  },
};

function parseSubnet(text: string): Subnet | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return undefined;
  const bits = version === 4 ? 32 : 128;
  const prefixLength = length === undefined ? bits : parseWhole(length, 0, bits);
  return prefixLength === undefined ? undefined : { address, family: version === 4 ? 'ipv4' : 'ipv6', prefixLength };
}

/** One or more networks, separated by commas. */
export const SUBNETS: ValueType<readonly Subnet[]> = {
  allowed: 'IP addresses or networks with commas in between, such as 127.0.0.1, 192.0.2.0/24',
  secret: false,
  parse: (value) => {
    const subnets = value.split(',').map((part) => parseSubnet(part.trim()));
    return subnets.every((subnet) => subnet !== undefined) ? subnets : undefined;
  },
};

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether only this machine reaches the address. A name other than `localhost` counts as reachable from outside. */
export function isLoopback(host: string): boolean {
  const version = isIP(host);
  if (version === 0) return host.toLowerCase() === 'localhost';
  return LOOPBACK.check(host, version === 4 ? 'ipv4' : 'ipv6');
}

/** Endpoints or numbers, separated by commas; may be empty. */
export const NAMES = listOf(
  matching('an endpoint or a number', /^[^\p{Cc}\s*]{1,128}\*?$|^\*[\d*#]{1,32}$/u),
  'endpoints or numbers with commas in between, such as PJSIP/lift*, 112',
);
