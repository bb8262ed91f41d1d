import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a link shows: the evidence of a call or of a trunk, or the calls of an alert. */
export type SharedKind = 'call' | 'trunk' | 'alert';

export interface Shared {
  readonly kind: SharedKind;
  readonly id: string;
  readonly expiresAtMs: number;
  /** By which it is taken back: its own id, or that of the alert whose page it is on. */
  readonly share: string;
}

/** Half of SHA-256: nobody guesses 128 bits, and the link stays short. */
const MAC_BYTES = 16;
const LONGEST_TOKEN = 600;

function macOf(content: string, key: string): Buffer {
  return createHmac('sha256', key).update(`asterisk-mes share\n${content}`).digest().subarray(0, MAC_BYTES);
}

/** A token that shows one thing until it expires, and that nobody can change without the key. */
export function shareToken({ kind, id, expiresAtMs, share }: Shared, key: string): string {
  const content = Buffer.from(JSON.stringify([kind, id, Math.floor(expiresAtMs / 1000), share])).toString('base64url');
  return `${content}.${macOf(content, key).toString('base64url')}`;
}

/** What a token shows; undefined for one that was not made with this key, was changed, or is over. */
export function readShareToken(token: string, key: string, nowMs: number): Shared | undefined {
  if (token.length > LONGEST_TOKEN) return undefined;
  const dot = token.lastIndexOf('.');
  const content = token.slice(0, Math.max(0, dot));
  const mac = token.slice(dot + 1);
  const given = Buffer.from(mac, 'base64url');
  const padded = Buffer.alloc(MAC_BYTES);
  given.copy(padded);
  // Decoding forgives much; a link is one text, and no other that comes to the same.
  if (given.length !== MAC_BYTES || given.toString('base64url') !== mac) return undefined;
  if (!timingSafeEqual(padded, macOf(content, key))) return undefined;
  // Ours, so it is what we wrote.
  const [kind, id, expiresAtS, share] = JSON.parse(Buffer.from(content, 'base64url').toString()) as [
    SharedKind,
    string,
    number,
    string,
  ];
  const expiresAtMs = expiresAtS * 1000;
  return expiresAtMs > nowMs ? { kind, id, expiresAtMs, share } : undefined;
}

/** The signature of a post, as Standard Webhooks 1.0 has it: `v1,` and the HMAC-SHA256 of `id.timestamp.body`. */
export function webhookSignature(key: string, id: string, timestampS: number, body: string): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${timestampS}.${body}`).digest('base64')}`;
}
