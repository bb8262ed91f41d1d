import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './addresses.ts';
import { stopWithProcess } from './cleanup.ts';
import { S3_ROOT } from './root-filesystem.ts';

const HOST = '127.0.0.1';
/** It is up within two seconds. */
const READY_TIMEOUT_MS = 60_000;
const STARTS = 3;

/** A real S3 server on loopback that checks signatures: Ceph's radosgw on SQLite, in a mount namespace of its own. */
export class S3Server {
  readonly endpoint: string;
  readonly accessKey = randomBytes(10).toString('hex');
  readonly secretKey = randomBytes(20).toString('hex');
  readonly #data: string;
  readonly #child: ChildProcess;
  readonly #forget: () => void;

  /** Rejects with what it said last when it is not up after three starts. Needs root. */
  static async start(): Promise<S3Server> {
    if (!existsSync(S3_ROOT)) throw new Error('The S3 server is not built; run "node test/lab/prepare.ts".');
    let said = 'nothing';
    for (let starts = 0; starts < STARTS; starts += 1) {
      const server = new S3Server(await freePort(HOST, 35_930));
      if (await server.#isUp()) return server;
      const log = join(S3_ROOT, server.#data, 'rgw.log');
      if (existsSync(log)) said = readFileSync(log, 'utf8').slice(-2000);
      await server.stop();
    }
    throw new Error(`the S3 server is not up after ${STARTS} starts; it said: ${said}`);
  }

  async #isUp(): Promise<boolean> {
    const endsAtMs = performance.now() + READY_TIMEOUT_MS;
    while (performance.now() < endsAtMs) {
      // It refuses whoever does not sign, which shows that it is up.
      if ((await fetch(this.endpoint).catch(() => undefined)) !== undefined) return true;
      await sleep(100);
    }
    return false;
  }

  private constructor(port: number) {
    this.endpoint = `http://${HOST}:${port}`;
    this.#data = `/rgw-${randomBytes(6).toString('hex')}`;
    mkdirSync(join(S3_ROOT, this.#data));
    const settings = [
      '[global]',
      'rgw_backend_store = dbstore',
      'rgw_config_store = dbstore',
      `dbstore_config_uri = file:${this.#data}/config.db`,
      `dbstore_db_dir = ${this.#data}`,
      `rgw_data = ${this.#data}`,
      `rgw_frontends = beast endpoint=${HOST}:${port}`,
      `log_file = ${this.#data}/rgw.log`,
      'auth_client_required = none',
      'keyring = /dev/null',
    ];
    writeFileSync(join(S3_ROOT, this.#data, 'ceph.conf'), `${settings.join('\n')}\n`);
    // radosgw-admin hangs at its end now and then. It prints the user, to the last brace, once the user is stored.
    const script =
      'mount --rbind /dev "$1/dev" || exit; chroot "$1" radosgw-admin --no-mon-config -c "$2/ceph.conf" user create ' +
      '--uid mes --display-name mes --access-key "$3" --secret-key "$4" > "$1$2/user.json" 2> "$1$2/user.err" & ' +
      'until grep -qs "^}" "$1$2/user.json"; do kill -0 $! || grep -qs "^}" "$1$2/user.json" || exit; sleep 0.05; done; kill -9 $!; ' +
      'exec chroot "$1" radosgw --no-mon-config -c "$2/ceph.conf" -n client.rgw -f';
    const words = ['--mount', 'sh', '-c', script, 'sh', S3_ROOT, this.#data, this.accessKey, this.secretKey];
    this.#child = spawn('unshare', words, { stdio: 'ignore', detached: true });
    this.#forget = stopWithProcess({ stop: () => this.stop(), stopNow: () => this.#kill() });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = new Promise((resolve) => this.#child.once('exit', resolve));
      this.#kill();
      await ended;
    }
    this.#forget();
    rmSync(join(S3_ROOT, this.#data), { recursive: true, force: true });
  }
  /** With the radosgw-admin that it may be waiting for: they are one process group. */
  #kill(): void {
    if (this.#child.pid !== undefined && this.#child.exitCode === null) process.kill(-this.#child.pid, 'SIGKILL');
  }
}
