import { execFile } from 'node:child_process';
import { readdirSync, readlinkSync, rmSync, rmdirSync } from 'node:fs';
import { freemem } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { stopWithProcess } from './cleanup.ts';
import { type Confined, spawnConfined } from './confined.ts';
import { makeRunDirectory } from './paths.ts';

const run = promisify(execFile);

/** A file system in memory that only the lab sees. Podman allows its run directory 50 characters. */
const RUN_ROOT = '/mnt';
/** With this much free memory, images stay in memory, too: 2 GB that no disk has to write and delete. */
const ENOUGH_MEMORY_BYTES = 6e9;
const START_TIMEOUT_MS = 60_000;
const CGROUPS = '/sys/fs/cgroup';
/** Explicit, because podman's own are more than some machines allow. */
const LIMITS = ['--ulimit', 'nofile=4096:4096', '--ulimit', 'nproc=4096:4096'];

/** What a command that failed said, and its exit status. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly status: number | null;
  readonly stderr: string;

  constructor(words: readonly string[], status: number | null, stderr: string) {
    super(`${words.join(' ')} ended with ${status}:\n${stderr.slice(-4000)}`);
    this.status = status;
    this.stderr = stderr;
  }
}

/**
 * Podman in process, mount and network namespaces of its own: whatever happens to this process, no container, mount or socket is
 * left, and its images go with it. The containers share one loopback that nobody else can reach; builds see the machine's network.
 */
export class ContainerLab {
  readonly #directory = makeRunDirectory('containers');
  readonly #storage = join(freemem() > ENOUGH_MEMORY_BYTES ? RUN_ROOT : this.#directory, 'storage');
  readonly #forget: () => void;
  readonly #confined: Confined;
  #holder = 0;

  /** `names` are what containers call each other. */
  static async start(names: readonly string[]): Promise<ContainerLab> {
    const lab = new ContainerLab(names);
    try {
      await lab.#open();
      return lab;
    } catch (error) {
      await lab.stop();
      throw error;
    }
  }

  private constructor(names: readonly string[]) {
    this.#forget = stopWithProcess(this);
    const script = [
      'set -e',
      'mount -t tmpfs tmpfs /dev/shm',
      // Podman would leave the timers of health checks with the machine's systemd; here they run when they are asked for.
      '[ ! -e /run/systemd/private ] || mount --bind /dev/null /run/systemd/private',
      `mount -t tmpfs -o size=4g tmpfs ${RUN_ROOT}`,
      `echo "127.0.0.1 localhost $2" >${RUN_ROOT}/hosts`,
      'unshare --net sh -c "ip link set lo up && exec sleep infinity"',
    ];
    this.#confined = spawnConfined(script.join('\n'), [this.#directory, names.join(' ')]);
  }

  /** Part of the command line of every process here. */
  get directory(): string {
    return this.#directory;
  }

  /**
   * Builds a Dockerfile, politely to whatever else runs: each `ARG` it is given by name, folders of the machine by where the build
   * sees them.
   */
  async build(what: {
    readonly context: string;
    readonly dockerfile: string;
    readonly image: string;
    readonly args: Readonly<Record<string, string>>;
    readonly folders?: Readonly<Record<string, string>>;
  }): Promise<void> {
    const how = ['--isolation', 'chroot', '--format', 'docker', '--pull-never', '--layers=false', ...LIMITS];
    const args = Object.entries(what.args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
    const folders = Object.entries(what.folders ?? {}).flatMap(([inside, outside]) => [
      '--volume',
      `${outside}:${inside}`,
    ]);
    const words = ['build', ...how, ...args, ...folders, '--file', what.dockerfile, '--tag', what.image, what.context];
    await this.#enter(['nice', '-n', '19', ...this.#command(words)]);
  }

  /** `podman run`, in the containers' common network. Resolves with what it printed; rejects with CommandError. */
  async run(...words: string[]): Promise<string> {
    const hosts = ['--volume', `${RUN_ROOT}/hosts:/etc/hosts:ro`];
    const parent = ['--cgroup-parent', basename(this.#directory)];
    return this.podman('run', '--network', 'host', ...parent, ...LIMITS, ...hosts, ...words);
  }

  /** Any other command of podman's. Resolves with what it printed; rejects with CommandError. */
  async podman(...words: string[]): Promise<string> {
    return this.#enter(this.#command(words), '--net');
  }

  async stop(): Promise<void> {
    if (this.#holder !== 0) await this.podman('rm', '--all', '--force', '--time', '0').catch(() => undefined);
    this.#confined.kill();
    await this.#confined.ended;
    this.#sweep();
    this.#forget();
  }

  stopNow(): void {
    this.#confined.kill();
    this.#sweep();
  }

  #command(words: readonly string[]): string[] {
    const runtime = ['--runtime', 'runc', '--cgroup-manager', 'cgroupfs', '--events-backend', 'none'];
    const places = ['--root', this.#storage, '--runroot', RUN_ROOT, '--tmpdir', `${RUN_ROOT}/tmp`];
    return ['podman', ...places, '--storage-driver', 'overlay', ...runtime, ...words];
  }

  async #enter(words: readonly string[], ...namespaces: string[]): Promise<string> {
    const enter = ['--target', String(this.#holder), '--mount', '--pid', ...namespaces, '--', ...words];
    try {
      const env = { ...process.env, TMPDIR: RUN_ROOT };
      return (await run('nsenter', enter, { maxBuffer: 10_000_000, env })).stdout;
    } catch (error) {
      const { code, stderr } = error as { code?: unknown; stderr?: string };
      throw new CommandError(words, typeof code === 'number' ? code : null, stderr ?? String(error));
    }
  }

  /** Waits until the process that holds the network has its loopback. */
  async #open(): Promise<void> {
    const own = readlinkSync('/proc/self/ns/net');
    const deadlineMs = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      this.#holder = this.#confined.children().find((pid) => networkOf(pid) !== own) ?? 0;
      const links = this.#holder === 0 ? '' : await this.#enter(['ip', 'link', 'show', 'lo'], '--net').catch(() => '');
      if (links.includes('LOOPBACK,UP')) break;
      if (Date.now() > deadlineMs) throw new Error('No namespaces of its own could be had for podman.');
      await sleep(20);
    }
  }

  /** Empty cgroups are the one thing that outlives the namespaces. */
  #sweep(): void {
    for (const hierarchy of ['', ...readdirSync(CGROUPS)])
      removeCgroup(join(CGROUPS, hierarchy, basename(this.#directory)));
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** The network namespace of a process; that of this one where it has gone. */
function networkOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return readlinkSync('/proc/self/ns/net');
  }
}

function removeCgroup(path: string): void {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory()) removeCgroup(join(path, entry.name));
    }
    rmdirSync(path);
  } catch {
    // Not there, or not empty yet.
  }
}
