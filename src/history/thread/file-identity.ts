import { stat } from 'node:fs/promises';

/** Time between two looks at the file. */
const LOOK_EVERY_MS = 2000;

/** Notices when an open file was deleted, moved or replaced: its path then leads to another inode, or to none. */
export class FileIdentity {
  readonly #path: string;
  readonly #onGone: () => Promise<void>;
  #identity: string | null = null;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** `onGone` opens the path again. */
  constructor(path: string, onGone: () => Promise<void>) {
    this.#path = path;
    this.#onGone = onGone;
    void this.#look();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const now = await identityOf(this.#path);
    if (this.#stopped) return;
    if (this.#identity !== null && now !== this.#identity) {
      await this.#onGone();
      this.#identity = await identityOf(this.#path);
    } else this.#identity ??= now;
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#look(), LOOK_EVERY_MS).unref();
  }
}

/** Device and inode; null: there is no such file, or it cannot be seen. */
async function identityOf(path: string): Promise<string | null> {
  try {
    const { dev, ino } = await stat(path);
    return `${dev} ${ino}`;
  } catch {
    return null;
  }
}
