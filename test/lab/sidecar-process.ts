import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stopWithProcess } from './cleanup.ts';
import type { Lab } from './lab.ts';
import { REPOSITORY, makeRunDirectory } from './paths.ts';
import { runInRealTime } from './real-time.ts';

const ENTRY = join(REPOSITORY, 'src/asterisk-mes.js');
const SET_CLOCK = join(REPOSITORY, 'test/lab/set-clock.ts');
const SLOW_DISK = join(REPOSITORY, 'test/lab/slow-disk.ts');
/** On a quiet machine it takes one. */
const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;

/** The Asterisk that a sidecar works for, real or simulated; a lab has one. */
export interface SidecarTarget {
  readonly pbx: {
    readonly host: string;
    readonly amiPort: number;
    readonly amiUser: string;
    readonly amiSecret: string;
    /** Where the sidecar is to listen for its hangup handlers. */
    readonly agiPort: number;
    readonly ariUrl: string;
    readonly ariUser: string;
    readonly ariPassword: string;
  };
  /** Whether the sidecar runs before ordinary work once it is ready, as the lab's audio does: hang-ups wait 50 ms for it. */
  readonly plan?: { readonly inRealTime: boolean };
}

export interface SidecarOptions {
  readonly httpHost: string;
  readonly httpPort: number;
  /** Where its database is kept; a folder of its own that is removed with it when not given. */
  readonly dataDirectory?: string;
  /** False leaves ARI out. */
  readonly ari?: boolean;
  /** Puts the database on a disk of its own of this size, which is removed at the end. Needs root. */
  readonly diskKilobytes?: number;
  /** True lets a file make its writes to the database slow: see `slow-disk.ts`. */
  readonly diskMaySlow?: boolean;
  /** True lets signals set its clock: see `set-clock.ts`. */
  readonly clockBySignal?: boolean;
  /** More lines for mes.conf, with their section heads. */
  readonly extraConfig?: string;
  /** An installed `asterisk-mes`; the repository's own when not given. */
  readonly entry?: string;
  /** What REST asks for; nothing when not given. */
  readonly token?: string;
  /** More variables of its environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** More options for Node itself. */
  readonly nodeOptions?: readonly string[];
  /**
   * False for a test that times the sidecar's end: on a new checkout Node then writes its compile cache, hundreds of files in a
   * shared folder, which takes seconds on a busy machine.
   */
  readonly compileCache?: boolean;
}

/** The product's `asterisk-mes run`, as a process of its own, set up for a lab. */
export class SidecarProcess {
  /** `http://127.0.0.1:8090` */
  readonly url: string;
  readonly databasePath: string;
  readonly #directory: string;
  /** Its mes.conf. */
  readonly configPath: string;
  readonly #command: readonly string[];
  readonly #environment: NodeJS.ProcessEnv;
  readonly #inRealTime: boolean;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #forget: () => void;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #output = '';

  /** Starts it and waits until it says that it is ready. Throws with its own last words. */
  static async start(lab: SidecarTarget, options: SidecarOptions): Promise<SidecarProcess> {
    const sidecar = new SidecarProcess(lab, options);
    try {
      await sidecar.start();
      return sidecar;
    } catch (error) {
      await sidecar.stop();
      throw error;
    }
  }

  private constructor(lab: SidecarTarget, options: SidecarOptions) {
    this.url = `http://${options.httpHost}:${options.httpPort}`;
    this.#directory = makeRunDirectory('sidecar');
    const { token } = options;
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const secret = token === undefined ? {} : { MES_HTTP_TOKEN: token };
    this.#environment = { ...cleanEnvironment(options), ...secret, ...options.environment };
    this.#inRealTime = lab.plan?.inRealTime ?? false;
    this.#forget = stopWithProcess(this);
    const folder = options.dataDirectory ?? this.#directory;
    const disk = join(folder, 'disk');
    this.databasePath = join(options.diskKilobytes === undefined ? folder : disk, 'mes.sqlite');
    this.configPath = join(this.#directory, 'mes.conf');
    writeFileSync(this.configPath, mesConf(lab, options, this.databasePath), { mode: 0o600 });
    const first = [
      ...(options.clockBySignal === true ? ['--import', SET_CLOCK] : []),
      ...(options.diskMaySlow === true ? ['--import', SLOW_DISK] : []),
      ...(options.nodeOptions ?? []),
    ];
    const run = [process.execPath, ...first, options.entry ?? ENTRY, 'run', '--config', this.configPath];
    this.#command = options.diskKilobytes === undefined ? run : onDiskOfItsOwn(disk, options.diskKilobytes, run);
  }

  /** What it has written to its standard output and error lately. */
  get output(): string {
    return this.#output;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Host pid, undefined when it is down. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it again with the same settings and database, after `kill` or `shutDown`. */
  async start(): Promise<void> {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...this.#command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: this.#environment,
      // Ctrl-C is not for it.
      detached: true,
    });
    this.#child = child;
    this.#output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (this.#output = (this.#output + chunk.toString()).slice(-20_000)));
    }
    this.#ended = new Promise((resolve) => {
      child.once('close', () => {
        if (this.#child === child) this.#child = undefined;
        resolve();
      });
      child.once('error', () => resolve());
    });
    const deadlineMs = Date.now() + READY_TIMEOUT_MS;
    while (!(await this.#isReady())) {
      if (this.#child === undefined || Date.now() > deadlineMs) {
        const state = this.#child === undefined ? 'ended' : 'is not ready';
        throw new Error(
          `The sidecar ${state}. Its last words:\n${this.#output.trim().split('\n').slice(-8).join('\n')}`,
        );
      }
      await sleep(50);
    }
    if (this.#inRealTime && child.pid !== undefined) await runInRealTime({ pid: child.pid }, 'sidecar');
  }

  /** What REST answers at a path, as JSON. Throws on any other status than 200. */
  async get<T>(path: string): Promise<T> {
    const answer = await fetch(`${this.url}${path}`, { headers: this.#headers, signal: AbortSignal.timeout(30_000) });
    if (!answer.ok) throw new Error(`GET ${path} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  /** As a crash would. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  /** Asks it to end, and kills it when it does not within 20 s. */
  async shutDown(): Promise<void> {
    this.#child?.kill('SIGTERM');
    await Promise.race([this.#ended, sleep(STOP_TIMEOUT_MS, undefined, { ref: false })]);
    await this.kill();
  }

  /** Ends it and removes its temporary files. */
  async stop(): Promise<void> {
    await this.shutDown();
    rmSync(this.#directory, { recursive: true, force: true });
    this.#forget();
  }

  stopNow(): void {
    this.#child?.kill('SIGKILL');
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/readyz`, { headers: this.#headers, signal: AbortSignal.timeout(1000) })).ok;
    } catch {
      return false;
    }
  }
}

/** The lines of mes.conf with which a sidecar captures the packets of a lab's PBX. */
export function captureConfig({ plan: { pbxPorts } }: Lab, more = ''): string {
  return `[capture]\nenabled = yes\nports = ${pbxPorts.start}-${pbxPorts.start + pbxPorts.count - 1}\n${more}\n`;
}

/** The same process throughout, so that a signal to it reaches the program; its mount nobody else sees. */
function onDiskOfItsOwn(folder: string, kilobytes: number, command: readonly string[]): string[] {
  const script = `mkdir -p "$1" && mount -t tmpfs -o size=${kilobytes}k tmpfs "$1" && shift && exec "$@"`;
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', folder, ...command];
}

/** The settings with which a sidecar works for a lab's PBX. */
function mesConf(lab: SidecarTarget, options: SidecarOptions, databasePath: string): string {
  const { pbx } = lab;
  const ari = `[ari]\nurl = ${pbx.ariUrl}\nusername = ${pbx.ariUser}\npassword = ${pbx.ariPassword}\n`;
  return `[ami]
host = ${pbx.host}
port = ${pbx.amiPort}
username = ${pbx.amiUser}
secret = ${pbx.amiSecret}
${options.ari === false ? '' : ari}[agi]
bind = ${pbx.host}:${pbx.agiPort}
[http]
bind = ${options.httpHost}:${options.httpPort}
[history]
path = ${databasePath}
${options.extraConfig ?? ''}`;
}

/** Without the caller's own MES_… settings, which would win over the file. */
function cleanEnvironment({ compileCache = true }: SidecarOptions): NodeJS.ProcessEnv {
  const isWanted = (name: string): boolean =>
    !name.startsWith('MES_') && (compileCache || name !== 'NODE_COMPILE_CACHE');
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => isWanted(name)));
}
