import { randomBytes } from 'node:crypto';
import { rename as renameFile, writeFile } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../model/errors/error-code.ts';
import { framed, splitSegments } from './format/segments.ts';
import { LIVE, LiveJournal } from './live-journal.ts';

/** Ending of a file that is ready to be sent. */
export const READY = '.age';
/** What follows the name of a file until it is whole. */
const UNFINISHED = '.new';
const NAME_BYTES = 16;
const PRIVATE = { mode: 0o600 };

export interface SpoolCounters {
  readonly waiting_files: number;
  readonly waiting_bytes: number;
  /** Files that were dropped because the spool was full, the oldest first. */
  readonly dropped: number;
  /** Files of legs that were up when a sidecar ended. */
  readonly recovered: number;
}

/** The directory of files that wait to be sent. All but the identity is encrypted. */
export class Spool {
  readonly #directory: string;
  readonly #maxBytes: number;
  /** Ready files and their sizes, the oldest first. */
  readonly #ready = new Map<string, number>();
  #readyBytes = 0;
  readonly #journal: LiveJournal;
  #dropped = 0;
  #recovered = 0;

  constructor(directory: string, maxBytes: number) {
    this.#directory = directory;
    this.#maxBytes = maxBytes;
    this.#journal = new LiveJournal(directory);
  }

  static newName(): string {
    return randomBytes(NAME_BYTES).toString('hex');
  }

  get counters(): SpoolCounters {
    return {
      waiting_files: this.#ready.size,
      waiting_bytes: this.#readyBytes + this.#journal.bytes,
      dropped: this.#dropped,
      recovered: this.#recovered,
    };
  }

  /** Reads the directory, and takes over files that a crash left behind. Only one sidecar may use a spool. */
  async open(): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await this.#takeOverJournal();
    const found: { readonly name: string; readonly bytes: number; readonly atMs: number }[] = [];
    for (const entry of await readdir(this.#directory)) {
      const name = entry.slice(0, entry.lastIndexOf('.'));
      if (entry.endsWith(`${READY}${UNFINISHED}`)) await rm(join(this.#directory, entry), { force: true });
      // Earlier builds left a file for each live leg.
      if (entry.endsWith(LIVE)) {
        if (!(await this.#takeOver(name))) continue;
        this.#recovered += 1;
      } else if (!entry.endsWith(READY)) continue;
      const { size, mtimeMs } = await stat(this.#path(name, READY));
      found.push({ name, bytes: size, atMs: mtimeMs });
    }
    for (const { name, bytes } of found.sort((a, b) => a.atMs - b.atMs)) this.#add(name, bytes);
    await this.#bound();
  }

  /** Keeps all of a live leg so far for the next `flush`, in place of what was appended before. */
  async append(name: string, segment: Uint8Array): Promise<void> {
    // When the spool is full, drop waiting files first. With none left, do not write the new segment.
    await this.#bound(segment.length);
    if (this.#readyBytes + this.#journal.bytes + segment.length > this.#maxBytes) this.#dropped += 1;
    else this.#journal.put(name, segment);
  }

  /** Whether a live leg has to be appended again, so that an old file can go. */
  isBehind(name: string): boolean {
    return this.#journal.isBehind(name);
  }

  /** Writes what was appended. */
  flush(nowMs?: number): Promise<void> {
    return this.#journal.flush(nowMs);
  }

  /** The leg has ended: `segment` has all of it and replaces what was appended before. */
  async finish(name: string, segment: Uint8Array): Promise<void> {
    try {
      await this.#writeWhole(this.#path(name, READY), segment);
    } catch (error) {
      // The leg does not come again, so its place in the journal would stay taken.
      this.#dropped += 1;
      this.#journal.end(name);
      throw error;
    }
    this.#journal.end(name);
    this.#add(name, segment.length);
    await this.#bound();
  }

  /** The name of a random waiting file, so that the order of sending hides the order of calls; null: none waits. */
  pick(random: () => number): string | null {
    const names = [...this.#ready.keys()];
    return names[Math.floor(random() * names.length)] ?? null;
  }

  /** The content of a file; null: it is gone. */
  async read(name: string): Promise<Buffer | null> {
    try {
      return await readFile(this.#path(name, READY));
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      this.#forget(name);
      return null;
    }
  }

  async remove(name: string): Promise<void> {
    this.#forget(name);
    // Otherwise the next start would take the leg, which was sent, for one that was up.
    await this.#journal.flush().catch(() => {});
    await rm(this.#path(name, READY), { force: true });
  }

  /** Makes a file of each leg that was up, unless the sidecar had just made one when it ended. */
  async #takeOverJournal(): Promise<void> {
    const there = new Set(await readdir(this.#directory));
    for (const [name, segment] of await this.#journal.left()) {
      if (there.has(`${name}${READY}`)) continue;
      await this.#writeWhole(this.#path(name, READY), segment);
      this.#recovered += 1;
    }
    await this.#journal.forgetLeft();
  }

  /** Cuts off an unfinished last segment and makes the file ready. Resolves with false when nothing is left. */
  async #takeOver(name: string): Promise<boolean> {
    const { segments, tornBytes } = splitSegments(await readFile(this.#path(name, LIVE)));
    if (segments.length === 0) {
      await rm(this.#path(name, LIVE), { force: true });
      return false;
    }
    if (tornBytes > 0) await this.#writeWhole(this.#path(name, LIVE), Buffer.concat(segments.map(framed)));
    await rename(this.#path(name, LIVE), this.#path(name, READY));
    return true;
  }

  #add(name: string, bytes: number): void {
    this.#ready.set(name, bytes);
    this.#readyBytes += bytes;
  }

  #forget(name: string): void {
    this.#readyBytes -= this.#ready.get(name) ?? 0;
    this.#ready.delete(name);
  }

  async #bound(moreBytes = 0): Promise<void> {
    for (const name of this.#ready.keys()) {
      if (this.#readyBytes + this.#journal.bytes + moreBytes <= this.#maxBytes) return;
      this.#dropped += 1;
      await this.remove(name);
    }
  }

  async #writeWhole(path: string, bytes: Uint8Array): Promise<void> {
    await done((then) => writeFile(`${path}${UNFINISHED}`, bytes, PRIVATE, then));
    await done((then) => renameFile(`${path}${UNFINISHED}`, path, then));
  }

  #path(name: string, kind: string): string {
    return join(this.#directory, `${name}${kind}`);
  }
}

/**
 * A promise for callbacks of `node:fs`. `node:fs/promises` makes a FileHandle for each file, which takes twice the time, and this
 * runs some hundred times a second.
 */
function done(work: (then: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    work((error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}
