import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Reload } from '../../setup/reloads.ts';
import { usesHandler } from '../../wire/ami/handler-uses.ts';

const DEFAULT_DIRECTORY = '/etc/asterisk';
const TIMEOUT_MS = 15_000;
/** Far more than the largest dialplan that was seen. A larger answer is refused. */
const MOST_BYTES = 100 * 1024 ** 2;
/** Bound on the uses in a database that are shown. */
const MOST_USES = 20;

export interface Reloaded {
  readonly command: string;
  /** What Asterisk said; null: it is done. */
  readonly problem: string | null;
}

/** Runs `asterisk -rx` on this machine. */
export class AsteriskConsole {
  readonly #start: readonly string[];

  private constructor(start: readonly string[]) {
    this.#start = start;
  }

  /** The console of the Asterisk that has these files; undefined: none answers on this machine. */
  static async find(directory: string): Promise<AsteriskConsole | undefined> {
    // Where several run on this machine, each has its own control socket, which its asterisk.conf names.
    const config = join(directory, 'asterisk.conf');
    const isOther = directory.replace(/\/$/, '') !== DEFAULT_DIRECTORY;
    if (isOther && !existsSync(config)) return undefined;
    const found = new AsteriskConsole(isOther ? ['-C', config] : []);
    const { text } = await found.#run('core show version');
    return /^Asterisk \S+ /m.test(text) ? found : undefined;
  }

  /**
   * Makes Asterisk read a file again. Returns the command, and what Asterisk said if it failed. `mayBeEmpty`: after a removal a
   * module may have no configuration any more, and Asterisk calls that a failure.
   */
  async reload({ command, module }: Reload, { mayBeEmpty = false } = {}): Promise<Reloaded> {
    const isLoaded = module === null || (await this.#isLoaded(module));
    // A module that is not loaded has nothing to forget.
    if (!isLoaded && mayBeEmpty) return { command, problem: null };
    const run = isLoaded ? command : `module load ${module}`;
    const { isDone, text } = await this.#run(run);
    const failed = /unable to|fail(?:ed|ure)|error|no such|not loaded|declined/i.exec(text);
    if (isDone && failed === null) return { command: run, problem: null };
    // cdr_custom without a mapping has dropped the old ones in spite of the failure. It stays loaded, because unloading it then
    // ends Asterisk 22.10.1 at the next CDR (tried).
    if (mayBeEmpty && /reported a reload failure/.test(text)) return { command: run, problem: null };
    return { command: run, problem: text.trim().split('\n').at(-1) || 'no answer' };
  }

  async #isLoaded(module: string): Promise<boolean> {
    const { text } = await this.#run(`module show like ${module}`);
    return text.split('\n').some((line) => line.startsWith(`${module} `) && !/\bNot Running\b/.test(line));
  }

  /** Uses of the hangup handler that are in no file: a dialplan in AEL or Lua, and options in FreePBX's database. */
  async hiddenUses(): Promise<string[]> {
    const dialplan = (await this.#run('dialplan show')).text
      .split('\n')
      .filter((line) => usesHandler(line) && /\[(?:pbx_ael|pbx_lua|[^\]]*\.(?:ael|lua)[^\]]*)\]\s*$/.test(line))
      .map((line) => `dialplan: ${line.trim().replaceAll(/\s+/g, ' ')}`);
    const database = (await this.#run('database show')).text
      .split('\n')
      .filter((line) => line.startsWith('/') && usesHandler(line))
      .map((line) => `database: ${line.trim().replaceAll(/\s+/g, ' ')}`);
    return [...dialplan, ...database].slice(0, MOST_USES);
  }

  async #run(command: string): Promise<{ readonly isDone: boolean; readonly text: string }> {
    const { promise, resolve } = Promise.withResolvers<{ readonly isDone: boolean; readonly text: string }>();
    const words = [...this.#start, '-rx', command];
    execFile('asterisk', words, { timeout: TIMEOUT_MS, maxBuffer: MOST_BYTES, cwd: '/' }, (error, stdout, stderr) =>
      resolve({ isDone: error === null, text: `${stdout}${stderr}` }),
    );
    return promise;
  }
}
