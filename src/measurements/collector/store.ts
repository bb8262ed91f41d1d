import { mkdir, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode } from '../../model/errors/error-code.ts';

export interface StoredFile {
  /** `2026-11-30/0f….age`; letters, digits, dots, dashes and slashes. */
  readonly key: string;
  readonly bytes: number;
}

/** Size and SHA-256 of the bytes to put. */
export interface PutContent {
  readonly bytes: number;
  readonly sha256: string;
}

export interface PresignedPut {
  readonly url: string;
  /** Headers that the request must have; they are signed. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Where a collection server keeps files, and the recipient finds them. Every method rejects with an Error of one sentence. */
export interface Store {
  put(key: string, bytes: Uint8Array): Promise<void>;
  list(): AsyncIterable<StoredFile>;
  get(key: string): Promise<Buffer>;
  remove(key: string): Promise<void>;
  /** Signs an address to which anybody may put exactly these bytes for some minutes. Undefined: this store cannot. */
  readonly presignedPut?: (key: string, content: PutContent) => Promise<PresignedPut>;
}

export class DirectoryStore implements Store {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#directory, key);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(`${path}.new`, bytes, { mode: 0o600 });
    const file = await open(`${path}.new`, 'r');
    // Sync before acknowledging: what is acknowledged outlives a power cut.
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    // Set the file's time to the day in its name. The minute would help to find out who sent it.
    const day = new Date(`${new Date().toISOString().slice(0, 10)}T00:00:00Z`);
    await utimes(`${path}.new`, day, day);
    await rename(`${path}.new`, path);
  }

  async *list(): AsyncIterable<StoredFile> {
    let names: string[];
    try {
      names = await readdir(this.#directory, { recursive: true });
    } catch (error) {
      throw new Error(
        `${this.#directory} cannot be read (${errorCode(error, 'unknown')}); name the directory of a collection server`,
        {
          cause: error,
        },
      );
    }
    for (const key of names.sort()) {
      const { size } = await stat(join(this.#directory, key));
      if (/\.(age|live|token)$/.test(key)) yield { key, bytes: size };
    }
  }

  get(key: string): Promise<Buffer> {
    return readFile(join(this.#directory, key));
  }

  async remove(key: string): Promise<void> {
    await rm(join(this.#directory, key), { force: true });
  }
}
