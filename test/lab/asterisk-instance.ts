import { chownSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AmiAddress, AmiClient } from './ami-client.ts';
import { stopWithProcess } from './cleanup.ts';
import { type Confined, spawnConfined } from './confined.ts';
import { makeRunDirectory } from './paths.ts';
import { runInRealTime } from './real-time.ts';
import type { RootFilesystem } from './root-filesystem.ts';
import type { ConfigFiles } from './shared-config.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;

/** Folders that Asterisk writes to, below its run directory. */
const FOLDERS = ['etc', 'lib', 'run', 'log/cdr-custom', 'log/cdr-csv', 'spool', 'cache', 'speech'];

/** Sounds that make up what a phone says, in the root file system's English set. */
export const SPEECH = ['demo-instruct', 'priv-callee-options', 'demo-congrats', 'basic-pbx-ivr-main', 'demo-echotest'];

export interface InstanceOptions {
  readonly name: string;
  readonly rootFilesystem: RootFilesystem;
  readonly files: ConfigFiles;
  /** An AMI user with every privilege. */
  readonly ami: AmiAddress;
  /** Whether it runs before all other work of the machine once it has booted. */
  readonly inRealTime: boolean;
}

/** One running Asterisk, confined so that it can leave nothing behind. */
export class AsteriskInstance {
  readonly options: InstanceOptions;
  /** On the host: `etc`, `lib`, `run`, `log`, `spool`. */
  readonly runDirectory: string;
  #confined: Confined | undefined;
  #ami: AmiClient | undefined;
  readonly #forget: () => void;

  /** Starts Asterisk and waits until it is fully booted. Throws with Asterisk's own last words. */
  static async start(options: InstanceOptions): Promise<AsteriskInstance> {
    const instance = new AsteriskInstance(options);
    try {
      instance.#layOut();
      await instance.start();
      return instance;
    } catch (error) {
      await instance.stop();
      throw error;
    }
  }

  private constructor(options: InstanceOptions) {
    this.options = options;
    this.runDirectory = makeRunDirectory(options.name);
    this.#forget = stopWithProcess(this);
  }

  /** The connection of the all-powerful AMI user. Throws when Asterisk is down. */
  get ami(): AmiClient {
    if (this.#ami === undefined) throw new Error(`The lab's ${this.options.name} is down.`);
    return this.#ami;
  }

  /** Host pid of Asterisk itself, undefined when it is down. */
  get pid(): number | undefined {
    return this.#confined?.children()[0];
  }

  /** Starts Asterisk again after `kill` or `shutDown`, with the files that it had. */
  async start(): Promise<void> {
    const { rootFilesystem, name } = this.options;
    const script = [
      'set -e',
      'mount --rbind /dev "$1/dev"',
      'mount -t proc proc "$1/proc"',
      'mount --bind "$2" "$1/mnt"',
      'chroot "$1" asterisk -f -n -U asterisk -G asterisk -C /mnt/etc/asterisk.conf',
    ].join('\n');
    const confined = spawnConfined(script, [rootFilesystem.path, this.runDirectory]);
    this.#confined = confined;
    let output = '';
    for (const stream of [confined.process.stdout, confined.process.stderr]) {
      stream?.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-2000)));
    }
    let hasEnded = false;
    void confined.ended.then(() => (hasEnded = true));
    const deadlineMs = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      const problem = await this.#tryAmi();
      if (problem === undefined) break;
      if (hasEnded || Date.now() > deadlineMs) {
        const words = `${this.#lastLogLines()}\n${output}`.trim();
        throw new Error(
          `The lab's ${name} ${hasEnded ? 'ended' : 'did not boot'}: ${problem}. Its last words:\n${words}`,
        );
      }
      await sleep(50);
    }
    // Not earlier: its boot would delay the calls of other labs.
    if (this.options.inRealTime && this.pid !== undefined) await runInRealTime({ pid: this.pid }, 'asterisk');
  }

  /** As a crash would: nothing is written any more. Resolves when it is gone, its sockets and mounts too. */
  async kill(): Promise<void> {
    this.#ami?.close();
    this.#ami = undefined;
    this.#confined?.kill();
    await this.#confined?.ended;
    this.#confined = undefined;
  }

  /** As `core stop now` would: calls end, billing rows are written. */
  async shutDown(): Promise<void> {
    const pid = this.pid;
    if (pid !== undefined) {
      process.kill(pid, 'SIGTERM');
      await Promise.race([this.#confined?.ended, sleep(STOP_TIMEOUT_MS, undefined, { ref: false })]);
    }
    await this.kill();
  }

  async restart(): Promise<void> {
    await this.shutDown();
    await this.start();
  }

  /** Kills Asterisk and removes its run directory. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.runDirectory, { recursive: true, force: true });
    this.#forget();
  }

  /** The same from a process that is about to exit, without waiting. */
  stopNow(): void {
    this.#confined?.kill();
    rmSync(this.runDirectory, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
  }

  #layOut(): void {
    const { rootFilesystem, files } = this.options;
    for (const folder of FOLDERS) mkdirSync(join(this.runDirectory, folder), { recursive: true });
    for (const [name, text] of files) writeFileSync(join(this.runDirectory, 'etc', name), text);
    const sounds = '/usr/share/asterisk/sounds/en_US_f_Allison';
    const there = new Set(readdirSync(join(rootFilesystem.path, sounds)));
    for (const sound of SPEECH.filter((name) => there.has(`${name}.gsm`))) {
      symlinkSync(`${sounds}/${sound}.gsm`, join(this.runDirectory, 'speech', `${sound}.gsm`));
    }
    chownTree(this.runDirectory, rootFilesystem.uid, rootFilesystem.gid);
  }

  /** Why AMI does not answer as fully booted yet; undefined when it does. */
  async #tryAmi(): Promise<string | undefined> {
    let client: AmiClient | undefined;
    try {
      client = await AmiClient.connect(this.options.ami);
      await client.waitFor((event) => event['Event'] === 'FullyBooted', { since: 0, timeoutMs: START_TIMEOUT_MS });
      this.#ami = client;
      return undefined;
    } catch (error) {
      client?.close();
      return error instanceof Error ? error.message : String(error);
    }
  }

  #lastLogLines(): string {
    try {
      return readFileSync(join(this.runDirectory, 'log/full'), 'utf8').trim().split('\n').slice(-15).join('\n');
    } catch {
      return '';
    }
  }
}

function chownTree(path: string, uid: number, gid: number): void {
  chownSync(path, uid, gid);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) chownTree(child, uid, gid);
    else if (entry.isFile()) chownSync(child, uid, gid);
  }
}
