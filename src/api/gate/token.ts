import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Problem } from '../problem.ts';

/** Before the token, base64url, among a web socket's subprotocols: the only header of it that a page can set. */
const SUBPROTOCOL_PREFIX = 'bearer.';

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function tokenIn(authorization = ''): string {
  return /^Bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '';
}

/** Who may read. The time that an answer takes says nothing of the token. */
export class TokenCheck {
  #expected: Buffer | undefined;
  /** SHA-256 of their tokens in hex → who they are. */
  #readers: ReadonlyMap<string, string> = new Map();
  readonly #file: string;

  /** Without a token everyone who can connect may read. `file`: where the settings are. */
  constructor(token: string | null | undefined, file = 'mes.conf') {
    this.#file = file;
    this.change(token);
  }

  /** Others with tokens of their own, from the next request on. */
  changeReaders(readers: ReadonlyMap<string, string>): void {
    this.#readers = readers;
  }

  /** Whose token a request has that was admitted: null is the main one's, or none is asked for. */
  readerOf({ authorization }: IncomingHttpHeaders): string | null {
    if (this.#readers.size === 0) return null;
    return this.#readers.get(digest(tokenIn(authorization)).toString('hex')) ?? null;
  }

  /** From the next request on. */
  change(token: string | null | undefined): void {
    this.#expected = token ? digest(token) : undefined;
  }

  /** Whether one is asked for. */
  get isSet(): boolean {
    return this.#expected !== undefined || this.#readers.size > 0;
  }

  /** Throws Problem 403 when there is no token: what changes something wants one, also on this machine. */
  assertIsSet(): void {
    if (this.isSet) return;
    throw new Problem('MES_ERR_TOKEN_NOT_SET', 'this needs a token; set token in [http] of mes.conf, and send it');
  }

  /** Throws Problem 401 when the Authorization header (RFC 6750 §2.1) does not carry the token. */
  admit({ authorization }: IncomingHttpHeaders): void {
    this.#compare(tokenIn(authorization));
  }

  /** The same for a web socket, which may carry the token as a subprotocol instead. */
  admitSocket(headers: IncomingHttpHeaders): void {
    const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
    const carrier = offered.find((name) => name.startsWith(SUBPROTOCOL_PREFIX));
    if (carrier === undefined) this.admit(headers);
    else this.#compare(Buffer.from(carrier.slice(SUBPROTOCOL_PREFIX.length), 'base64url').toString());
  }

  #compare(given: string): void {
    if (!this.isSet) return;
    const hash = digest(given);
    if (this.#expected !== undefined && timingSafeEqual(hash, this.#expected)) return;
    if (this.#readers.has(hash.toString('hex'))) return;
    throw new Problem(
      'MES_ERR_TOKEN',
      `a token is needed; send "Authorization: Bearer" and the token of [http] in ${this.#file}`,
    );
  }
}
