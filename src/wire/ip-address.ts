/** Addresses as 32-bit words in network order, and as people write them. */

import { readUnsigned } from './number-text.ts';

const MAX_PORT = 65_535;

/** Writes an IPv4 (1 word) or IPv6 (4 words, RFC 5952) address. */
export function formatAddress(words: ArrayLike<number>): string {
  if (words.length === 1) {
    const word = words[0] ?? 0;
    return [24, 16, 8, 0].map((shift) => (word >>> shift) & 0xff).join('.');
  }
  const groups: number[] = [];
  for (let index = 0; index < 4; index += 1) {
    const word = words[index] ?? 0;
    groups.push(word >>> 16, word & 0xffff);
  }
  const { start, length } = longestZeroRun(groups);
  const hex = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  if (length < 2) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

/** `192.0.2.1:5004` or `[2001:db8::1]:5004`. */
export function formatAddressAndPort(words: ArrayLike<number>, port: number): string {
  const address = formatAddress(words);
  return words.length === 1 ? `${address}:${port}` : `[${address}]:${port}`;
}

/** An address as the ends of an IP packet have it, and a port. `host` is in brackets when it is IPv6. */
export interface AddressAndPort {
  readonly host: string;
  readonly port: number;
}

const ADDRESS_AND_PORT = /^(?:\[([0-9a-f:.]{2,45})(?:%[\w.-]+)?\]|([0-9.]{7,15})):(\d{1,5})$/i;
const MAPPED_IPV4 = /^::ffff:([0-9.]{7,15})$/;

/**
 * Reads `192.0.2.1:5004` or `[2001:db8::1]:5004` as Asterisk prints it; an IPv4 address that is written as IPv6 becomes
 * IPv4, as its packets are. Undefined when it is neither.
 */
export function parseAddressAndPort(text: string): AddressAndPort | undefined {
  const [, six, four, digits] = ADDRESS_AND_PORT.exec(text) ?? [];
  const port = Number(digits);
  if (!(port >= 1 && port <= MAX_PORT)) return undefined;
  if (six === undefined) return { host: four ?? '', port };
  const address = six.toLowerCase();
  return { host: MAPPED_IPV4.exec(address)?.[1] ?? `[${address}]`, port };
}

/** The port of `192.0.2.1:5004` or `[2001:db8::1]:5004`; null when it has none. The address is not looked at. */
export function portOf(addressAndPort: string): number | null {
  const digits = addressAndPort.slice(addressAndPort.lastIndexOf(':') + 1);
  const port = digits.length === addressAndPort.length ? undefined : readUnsigned(digits, MAX_PORT);
  return port === undefined || port === 0 ? null : port;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  groups.forEach((group, index) => {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  });
  return best;
}

/** One end of a channel's RTP, so written that equal ones are equal texts; null for a wildcard, which is nobody's. */
export function mediaEnd(text: string | undefined): string | null {
  const parsed = text === undefined ? undefined : parseAddressAndPort(text);
  if (parsed === undefined || parsed.host === '0.0.0.0' || parsed.host === '[::]') return null;
  return `${parsed.host}:${parsed.port}`;
}
