import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Side } from '../model/people/rating.ts';

/** The content of a link to rate a call. */
export interface LinkContent {
  readonly linkedid: string;
  readonly uniqueid: string;
  readonly side: Side;
  readonly expiresAtMs: number;
}

/** Half of SHA-256: 128 bits cannot be guessed, and the link stays short. */
const MAC_BYTES = 16;
/** Asterisk's ids have at most 150 characters. */
const LONGEST_TOKEN = 800;

/** The token of `/r/TOKEN`: content and authentication code, both base64url. Nobody can alter it without the key. */
export function linkToken({ linkedid, uniqueid, side, expiresAtMs }: LinkContent, key: string): string {
  const content = Buffer.from(
    JSON.stringify([linkedid, uniqueid, side === 'caller' ? 0 : 1, Math.floor(expiresAtMs / 1000)]),
  ).toString('base64url');
  return `${content}.${macOf(content, key).toString('base64url')}`;
}

/** The content of a token; undefined when it is not signed with this key or has expired. All cases take the same time. */
export function readLinkToken(token: string, key: string, nowMs: number): LinkContent | undefined {
  if (token.length > LONGEST_TOKEN) return undefined;
  const dot = token.lastIndexOf('.');
  const content = token.slice(0, Math.max(0, dot));
  const mac = token.slice(dot + 1);
  const given = Buffer.from(mac, 'base64url');
  const expected = macOf(content, key);
  // Compare at one length, so that a short code is not answered sooner.
  const padded = Buffer.alloc(MAC_BYTES);
  given.copy(padded);
  // Base64 decoding is lax: other texts decode to the same bytes.
  const isExact = given.length === MAC_BYTES && given.toString('base64url') === mac;
  const isOurs = timingSafeEqual(padded, expected) && isExact;
  const read = isOurs ? contentOf(content) : undefined;
  return read !== undefined && read.expiresAtMs > nowMs ? read : undefined;
}

function macOf(content: string, key: string): Buffer {
  return createHmac('sha256', key).update(`rate a call\n${content}`).digest().subarray(0, MAC_BYTES);
}

/** Call it only after the authentication code was checked. */
function contentOf(content: string): LinkContent | undefined {
  try {
    const parsed = JSON.parse(Buffer.from(content, 'base64url').toString('utf8')) as unknown;
    if (!Array.isArray(parsed)) return undefined;
    const [linkedid, uniqueid, side, expiresAtS] = parsed as readonly unknown[];
    if (typeof linkedid !== 'string' || typeof uniqueid !== 'string' || typeof expiresAtS !== 'number')
      return undefined;
    return { linkedid, uniqueid, side: side === 0 ? 'caller' : 'callee', expiresAtMs: expiresAtS * 1000 };
  } catch {
    return undefined;
  }
}
