import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { REPOSITORY } from './paths.ts';

const ENTRY = join(REPOSITORY, 'src/asterisk-mes.js');
const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;

/** The product's `asterisk-mes fleet`, as a process of its own that ends with this one. */
export class GatewayProcess {
  readonly #config: string;
  readonly #nodeOptions: readonly string[];
  readonly #environment: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;
  #output = '';

  /** Starts it and waits until it listens. Throws with its own last words. */
  static async start(
    config: string,
    { nodeOptions = [], environment = {} }: { nodeOptions?: readonly string[]; environment?: NodeJS.ProcessEnv } = {},
  ): Promise<GatewayProcess> {
    const gateway = new GatewayProcess(config, nodeOptions, environment);
    await gateway.start();
    return gateway;
  }

  private constructor(config: string, nodeOptions: readonly string[], environment: NodeJS.ProcessEnv) {
    this.#config = config;
    this.#nodeOptions = nodeOptions;
    this.#environment = environment;
  }

  get output(): string {
    return this.#output;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Again, after `kill`. */
  async start(): Promise<void> {
    const command = [process.execPath, ...this.#nodeOptions, ENTRY, 'fleet', '--config', this.#config];
    // Ctrl-C is not for it.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.#environment },
      detached: true,
    });
    this.#child = child;
    this.#output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes: Buffer) => (this.#output = (this.#output + bytes.toString()).slice(-20_000)));
    child.once('close', () => {
      if (this.#child === child) this.#child = undefined;
    });
    const untilMs = Date.now() + READY_TIMEOUT_MS;
    while (!this.#output.includes('listens on')) {
      if (!this.isRunning || Date.now() > untilMs) {
        await this.kill();
        throw new Error(`The gateway did not start. Its last words:\n${this.#output.trim()}`);
      }
      await sleep(20);
    }
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    await Promise.race([this.#end('SIGTERM'), sleep(STOP_TIMEOUT_MS, undefined, { ref: false })]);
    await this.kill();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const closed = once(child, 'close');
    child.kill(signal);
    await closed;
  }
}
