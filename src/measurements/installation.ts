import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../model/errors/error-code.ts';
import type { Sender } from './format/document.ts';

export const INSTALLATION_FILE = 'installation.json';
const HASH_DIGITS = 32;
const KEY_BYTES = 32;
const TOKEN_BYTES = 16;
/** Months whose tokens are kept, so that what was sent then can be taken back. */
const MOST_TOKENS = 60;

/** Who an installation is this month. */
interface Month {
  /** `2026-11` */
  readonly month: string;
  readonly installation: string;
  /** With which calls are hashed; it never leaves. */
  readonly key: string;
  /** Shown to the collection server when what was sent is to be deleted. */
  readonly token: string;
}

interface StoredInstallation {
  readonly now: Month;
  /** Tokens of what was sent before. */
  readonly earlierTokens: readonly string[];
}

/** The identity that a call keeps from its first to its last segment. */
export interface Identity {
  readonly sender: Sender;
  /** The keyed hash by which the legs of a call meet. */
  callHash(linkedid: string): string;
}

/** Random, of this month, and kept in the spool for nobody but us. */
export class Installation {
  readonly #path: string;
  #stored: StoredInstallation;
  #identity: Identity;
  /** While it is above 0, what is on the disk may be older than what we know. */
  #writing = 0;

  /** Reads who we are, or makes it up. Rejects when the directory cannot be used. */
  static async open(spool: string, nowMs: number): Promise<Installation> {
    await mkdir(spool, { recursive: true, mode: 0o700 });
    const path = join(spool, INSTALLATION_FILE);
    const stored = await read(path);
    const installation = new Installation(path, stored ?? { now: newMonth(nowMs), earlierTokens: [] });
    if (stored === null) await installation.#write();
    return installation;
  }

  private constructor(path: string, stored: StoredInstallation) {
    this.#path = path;
    this.#stored = stored;
    this.#identity = identityOf(stored.now);
  }

  /** Who we are now. A new month begins with a new identity; it is stored in the background. */
  identity(nowMs: number): Identity {
    if (this.#stored.now.month !== monthOf(nowMs)) void this.reset(nowMs).catch(() => undefined);
    return this.#identity;
  }

  /** Another identity from now on. */
  async reset(nowMs: number): Promise<void> {
    const { now, earlierTokens } = this.#stored;
    this.#take({ now: newMonth(nowMs), earlierTokens: [now.token, ...earlierTokens].slice(0, MOST_TOKENS) });
    await this.#write();
  }

  /** Takes over what a command has written meanwhile. */
  async reload(): Promise<void> {
    if (this.#writing > 0) return;
    const stored = await read(this.#path);
    if (this.#writing === 0 && stored !== null && stored.now.token !== this.#stored.now.token) this.#take(stored);
  }

  /** Of all that was sent as far as it is remembered, this month's first. */
  get tokens(): readonly string[] {
    return [this.#stored.now.token, ...this.#stored.earlierTokens];
  }

  /** These need not be remembered any more. */
  async forgetTokens(tokens: readonly string[], nowMs: number): Promise<void> {
    const earlierTokens = this.#stored.earlierTokens.filter((token) => !tokens.includes(token));
    this.#take({ now: newMonth(nowMs), earlierTokens });
    await this.#write();
  }

  #take(stored: StoredInstallation): void {
    this.#stored = stored;
    this.#identity = identityOf(stored.now);
  }

  async #write(): Promise<void> {
    const written = `${this.#path}.${randomBytes(4).toString('hex')}`;
    this.#writing += 1;
    try {
      await writeFile(written, JSON.stringify(this.#stored), { mode: 0o600 });
      await rename(written, this.#path);
    } finally {
      this.#writing -= 1;
    }
  }
}

/** What a document carries of a token: whoever knows the document cannot show the token. */
export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('hex').slice(0, HASH_DIGITS);
}

export const DELETION_TOKEN = /^[0-9a-f]{32}$/;

function newMonth(nowMs: number): Month {
  return {
    month: monthOf(nowMs),
    installation: randomUUID(),
    key: randomBytes(KEY_BYTES).toString('hex'),
    token: randomBytes(TOKEN_BYTES).toString('hex'),
  };
}

function monthOf(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 7);
}

function identityOf({ installation, key, token }: Month): Identity {
  const secret = Buffer.from(key, 'hex');
  return {
    sender: { installation, forget: tokenHash(token) },
    callHash: (linkedid) => createHmac('sha256', secret).update(linkedid).digest('hex').slice(0, HASH_DIGITS),
  };
}

/** Null when there is none, or none that can be read: then another one begins. */
async function read(path: string): Promise<StoredInstallation | null> {
  try {
    const stored = JSON.parse(await readFile(path, 'utf8')) as StoredInstallation;
    const isWhole = [
      stored.now.month,
      stored.now.installation,
      stored.now.key,
      stored.now.token,
      ...stored.earlierTokens,
    ].every((text) => typeof text === 'string');
    return isWhole && stored.now.key.length === 2 * KEY_BYTES ? stored : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
