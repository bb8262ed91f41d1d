import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../model/errors/error-code.ts';
import type { Sender } from './format/document.ts';

export const INSTALLATION_FILE = 'installation.json';
const HASH_DIGITS = 32;
const KEY_BYTES = 32;
const TOKEN_BYTES = 16;
/** Months whose tokens are kept, so that what was sent in them can be deleted. */
const MOST_TOKENS = 60;

/** The identity of an installation in one month. */
interface Month {
  /** `2026-11` */
  readonly month: string;
  readonly installation: string;
  /** The key that calls are hashed with; it never leaves. */
  readonly key: string;
  /** Sent to the collection server only to have documents deleted. */
  readonly token: string;
}

interface StoredInstallation {
  readonly now: Month;
  /** Tokens of earlier months. */
  readonly earlierTokens: readonly string[];
}

/** The identity of a call's sender, the same in all segments of the call. */
export interface Identity {
  readonly sender: Sender;
  /** The keyed hash of a call, which all its legs have. */
  callHash(linkedid: string): string;
}

/** The identity of this installation: random, new each month, stored in the spool. */
export class Installation {
  readonly #path: string;
  #stored: StoredInstallation;
  #identity: Identity;
  /** Writes under way. While above 0, the disk may be older than memory. */
  #writing = 0;

  /** Reads the identity, or makes a new one. Rejects when the directory cannot be used. */
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

  /** The present identity. With a new month comes a new one, which is stored in the background. */
  identity(nowMs: number): Identity {
    if (this.#stored.now.month !== monthOf(nowMs)) void this.reset(nowMs).catch(() => undefined);
    return this.#identity;
  }

  /** Makes a new identity. */
  async reset(nowMs: number): Promise<void> {
    const { now, earlierTokens } = this.#stored;
    this.#take({ now: newMonth(nowMs), earlierTokens: [now.token, ...earlierTokens].slice(0, MOST_TOKENS) });
    await this.#write();
  }

  /** Reads the identity again, in case a command has changed it. */
  async reload(): Promise<void> {
    if (this.#writing > 0) return;
    const stored = await read(this.#path);
    if (this.#writing === 0 && stored !== null && stored.now.token !== this.#stored.now.token) this.#take(stored);
  }

  /** The known tokens, this month's first. */
  get tokens(): readonly string[] {
    return [this.#stored.now.token, ...this.#stored.earlierTokens];
  }

  /** Drops tokens. */
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

/** The hash of a token, which documents carry. Nobody can find the token from it. */
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

/** The stored identity; null: there is none that can be read, so a new one begins. */
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
