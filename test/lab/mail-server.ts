import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './addresses.ts';
import { stopWithProcess } from './cleanup.ts';

const SCRIPT = join(import.meta.dirname, 'mail-server.py');
const HOST = '127.0.0.1';
const READY_TIMEOUT_MS = 60_000;

export interface ArrivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly isTls: boolean;
  readonly user: string | null;
  /** Header and body as they came. */
  readonly text: string;
}

/** An SMTP server that nobody here wrote (Debian's python3-aiosmtpd), on loopback; it can go away and come back. */
export class MailServer {
  readonly port: number;
  readonly mails: ArrivedMail[] = [];
  readonly #folder: string;
  readonly #mode: 'starttls' | 'plain';
  readonly #forget: () => void;
  #child: ChildProcess | undefined;

  static async start(mode: 'starttls' | 'plain'): Promise<MailServer> {
    const server = new MailServer(await freePort(HOST, 25_025), mode);
    await server.come();
    return server;
  }

  private constructor(port: number, mode: 'starttls' | 'plain') {
    this.port = port;
    this.#mode = mode;
    this.#folder = mkdtempSync(join(tmpdir(), 'mes-mail-'));
    const subject = ['-subj', '/CN=localhost', '-addext', `subjectAltName=IP:${HOST}`];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    const files = ['-keyout', join(this.#folder, 'key.pem'), '-out', join(this.#folder, 'cert.pem')];
    execFileSync('openssl', ['req', '-x509', ...key, ...subject, ...files], { stdio: 'pipe' });
    this.#forget = stopWithProcess({ stop: () => this.stop(), stopNow: () => void this.#child?.kill('SIGKILL') });
  }

  /** Resolves when it takes mails. */
  async come(): Promise<void> {
    const words = [
      SCRIPT,
      String(this.port),
      join(this.#folder, 'cert.pem'),
      join(this.#folder, 'key.pem'),
      this.#mode,
    ];
    // Debian's own Python, not one that is first in PATH.
    const child = spawn('/usr/bin/python3', words, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    let errors = '';
    child.stderr.on('data', (text: Buffer) => (errors = (errors + text.toString()).slice(-2000)));
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no mail server: ${errors}`)), READY_TIMEOUT_MS);
      let rest = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        const lines = `${rest}${text}`.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          if (line !== 'up') {
            this.mails.push(JSON.parse(line) as ArrivedMail);
            continue;
          }
          clearTimeout(timer);
          resolve();
        }
      });
      child.once('exit', () => reject(new Error(`the mail server ended: ${errors}`)));
    });
  }

  /** Nobody answers at its port any more. */
  async go(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  async stop(): Promise<void> {
    await this.go();
    this.#forget();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
