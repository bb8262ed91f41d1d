import { close, open, write } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const openFile = promisify(open);
const closeFile = promisify(close);

/** Files of the journal: `1.live`, `2.live`, … */
export const LIVE = '.live';
/** A new file is begun after this time; old ones go when each of their legs has ended or is in a newer one. */
const ROTATE_MS = 30_000;
const NAME_LENGTH_BYTES = 1;
const LENGTH_BYTES = 4;
/** A leg's name becomes the name of a file. */
const NAME = /^\w{1,64}$/;

/**
 * Reads the legs that were up, for the next start after a SIGKILL. A record is `[length of the name, 8 bit][name][length, 32 bit,
 * big endian][an age file]` and has all of its leg so far. The last record of a leg counts. One without bytes says that the leg
 * has ended. From the first record on that is torn or has no name, everything is ignored, because a loss of power may leave
 * anything there.
 */
export function readJournal(bytes: Buffer): (readonly [name: string, segment: Buffer])[] {
  const records: (readonly [string, Buffer])[] = [];
  for (let at = 0; at < bytes.length;) {
    const nameEnd = at + NAME_LENGTH_BYTES + bytes.readUInt8(at);
    const from = nameEnd + LENGTH_BYTES;
    if (from > bytes.length) break;
    const end = from + bytes.readUInt32BE(nameEnd);
    const name = bytes.toString('latin1', at + NAME_LENGTH_BYTES, nameEnd);
    if (end > bytes.length || !NAME.test(name)) break;
    records.push([name, bytes.subarray(from, end)]);
    at = end;
  }
  return records;
}

function recordOf(name: string, segment: Uint8Array): Buffer {
  const head = Buffer.alloc(NAME_LENGTH_BYTES + name.length + LENGTH_BYTES);
  head.writeUInt8(name.length);
  head.write(name, NAME_LENGTH_BYTES, 'latin1');
  head.writeUInt32BE(segment.length, NAME_LENGTH_BYTES + name.length);
  return Buffer.concat([head, segment]);
}

interface Gathered {
  readonly name: string;
  readonly record: Buffer;
  readonly isEnd: boolean;
}

interface JournalFile {
  readonly path: string;
  readonly begunAtMs: number;
  descriptor: number | null;
  bytes: number;
}

/**
 * Keeps the legs that are up on the disk, with one write for all that have changed. A file for each leg took a third of the
 * sidecar's time.
 */
export class LiveJournal {
  readonly #directory: string;
  /** The oldest first; the last one is written to. */
  readonly #files: JournalFile[] = [];
  /** The file that has the newest record of each live leg. */
  readonly #legs = new Map<string, JournalFile>();
  #gathered: Gathered[] = [];
  #flushing: Promise<void> = Promise.resolve();
  #lastNumber = 0;
  #nowMs = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The size of the files and of what waits to be written. */
  get bytes(): number {
    const gathered = this.#gathered.reduce((sum, { record }) => sum + record.length, 0);
    return this.#files.reduce((sum, { bytes }) => sum + bytes, gathered);
  }

  /** Whether a leg is in it, but not in the file that is written to. */
  isBehind(name: string): boolean {
    const file = this.#legs.get(name);
    return file !== undefined && file !== this.#files.at(-1);
  }

  /** Takes what an ended process left: the legs that were up, each with its last segment. `forgetLeft` removes them. */
  async left(): Promise<ReadonlyMap<string, Buffer>> {
    const legs = new Map<string, Buffer>();
    for (const path of await this.#leftFiles()) {
      for (const [name, segment] of readJournal(await readFile(path))) {
        if (segment.length === 0) legs.delete(name);
        else legs.set(name, segment);
      }
    }
    return legs;
  }

  async forgetLeft(): Promise<void> {
    for (const path of await this.#leftFiles()) await rm(path, { force: true });
  }

  /** Keeps the whole of a leg so far, for the next `flush`. */
  put(name: string, segment: Uint8Array): void {
    this.#gathered.push({ name, record: recordOf(name, segment), isEnd: false });
  }

  /** The leg is kept elsewhere now. */
  end(name: string): void {
    this.#gathered.push({ name, record: recordOf(name, new Uint8Array()), isEnd: true });
  }

  /** Writes what was put. Resolves when all of it is in the file. */
  flush(nowMs = this.#nowMs): Promise<void> {
    this.#nowMs = nowMs;
    if (this.#gathered.length === 0) return this.#flushing;
    const flushing = this.#flushing.then(() => this.#write(nowMs));
    this.#flushing = flushing.catch(() => {});
    return flushing;
  }

  async #write(nowMs: number): Promise<void> {
    const gathered = this.#gathered;
    if (gathered.length === 0) return;
    this.#gathered = [];
    try {
      await this.#append(await this.#current(nowMs), gathered);
    } catch (error) {
      // A live leg is put again; an end is not, and without it the files of its leg would stay.
      const ends = gathered.filter(({ name, isEnd }) => isEnd && this.#legs.has(name));
      this.#gathered.unshift(...ends);
      throw error;
    }
    await this.#dropOld();
  }

  async #append(file: JournalFile, gathered: readonly Gathered[]): Promise<void> {
    const bytes = Buffer.concat(gathered.map(({ record }) => record));
    try {
      await writeAll(file.descriptor ?? -1, bytes);
    } catch (error) {
      // Nothing behind a torn record can be read, so the next write begins another file.
      await finished(file);
      throw error;
    }
    file.bytes += bytes.length;
    for (const { name, isEnd } of gathered) {
      if (isEnd) this.#legs.delete(name);
      else this.#legs.set(name, file);
    }
  }

  async #current(nowMs: number): Promise<JournalFile> {
    const last = this.#files.at(-1);
    if (last !== undefined && last.descriptor !== null && Math.abs(nowMs - last.begunAtMs) < ROTATE_MS) return last;
    if (last !== undefined) await finished(last);
    const path = join(this.#directory, `${++this.#lastNumber}${LIVE}`);
    const file = { path, begunAtMs: nowMs, descriptor: await openFile(path, 'w', 0o600), bytes: 0 };
    this.#files.push(file);
    return file;
  }

  /** Goes from the oldest on, so that no file goes before one about whose legs its ends are. */
  async #dropOld(): Promise<void> {
    const used = new Set(this.#legs.values());
    for (let [oldest] = this.#files; oldest !== undefined && !used.has(oldest); [oldest] = this.#files) {
      if (this.#files.length === 1 && this.#legs.size > 0) return;
      this.#files.shift();
      await finished(oldest);
      await rm(oldest.path, { force: true });
    }
  }

  async #leftFiles(): Promise<string[]> {
    const numbers = (await readdir(this.#directory)).flatMap((name) => {
      const [, number] = /^(\d{1,9})\.live$/.exec(name) ?? [];
      return number === undefined ? [] : [Number(number)];
    });
    return numbers.toSorted((a, b) => a - b).map((number) => join(this.#directory, `${number}${LIVE}`));
  }
}

async function finished(file: JournalFile): Promise<void> {
  const { descriptor } = file;
  file.descriptor = null;
  if (descriptor !== null) await closeFile(descriptor);
}

function writeAll(descriptor: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, (error, written) => {
      if (error !== null) reject(error);
      else if (written < bytes.length) resolve(writeAll(descriptor, bytes.subarray(written)));
      else resolve();
    });
  });
}
