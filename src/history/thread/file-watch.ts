import { stat } from 'node:fs/promises';

/** How often it looks whether the file is still the same one. */
const LOOK_EVERY_MS = 2000;

/** Notices that a file is not the one any more that was opened: it was deleted, moved or replaced while it was open. */
export class FileWatch {
  readonly #path: string;
  readonly #onGone: () => Promise<void>;
  #identity: string | null = null;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** `onGone` opens it anew. */
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

/** Null when there is none, or it cannot be seen. */
async function identityOf(path: string): Promise<string | null> {
  try {
    const { dev, ino } = await stat(path);
    return `${dev} ${ino}`;
  } catch {
    return null;
  }
}
