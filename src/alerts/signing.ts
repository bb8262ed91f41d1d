import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a link shows: evidence of a call, evidence of a trunk, or the calls of an alert. */
export type SharedKind = 'call' | 'trunk' | 'alert';

export interface Shared {
  readonly kind: SharedKind;
  readonly id: string;
  readonly expiresAtMs: number;
  /** The id by which it is revoked: its own, or that of the alert on whose page the link is. */
  readonly share: string;
}

/** Half of SHA-256: 128 bits cannot be guessed, and the link stays short. */
const MAC_BYTES = 16;
const LONGEST_TOKEN = 600;

function macOf(content: string, key: string): Buffer {
  return createHmac('sha256', key).update(`asterisk-mes share\n${content}`).digest().subarray(0, MAC_BYTES);
}

/** A signed token that shows one thing until it expires. Only who has the key can make or alter one. */
export function shareToken({ kind, id, expiresAtMs, share }: Shared, key: string): string {
  const content = Buffer.from(JSON.stringify([kind, id, Math.floor(expiresAtMs / 1000), share])).toString('base64url');
  return `${content}.${macOf(content, key).toString('base64url')}`;
}

/** What a token shows; undefined when it is not signed with this key or has expired. */
export function readShareToken(token: string, key: string, nowMs: number): Shared | undefined {
  if (token.length > LONGEST_TOKEN) return undefined;
  const dot = token.lastIndexOf('.');
  const content = token.slice(0, Math.max(0, dot));
  const mac = token.slice(dot + 1);
  const given = Buffer.from(mac, 'base64url');
  const padded = Buffer.alloc(MAC_BYTES);
  given.copy(padded);
  // Base64 decoding is lax: other texts decode to the same bytes. Accept only the exact text.
  if (given.length !== MAC_BYTES || given.toString('base64url') !== mac) return undefined;
  if (!timingSafeEqual(padded, macOf(content, key))) return undefined;
  // The signature is right, so this is what we wrote.
  const [kind, id, expiresAtS, share] = JSON.parse(Buffer.from(content, 'base64url').toString()) as [
    SharedKind,
    string,
    number,
    string,
  ];
  const expiresAtMs = expiresAtS * 1000;
  return expiresAtMs > nowMs ? { kind, id, expiresAtMs, share } : undefined;
}

/** The signature of a post by Standard Webhooks 1.0: `v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64. */
export function webhookSignature(key: string, id: string, timestampS: number, body: string): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${timestampS}.${body}`).digest('base64')}`;
}
