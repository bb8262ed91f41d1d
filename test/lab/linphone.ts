import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stopWithProcess } from './cleanup.ts';
import { CLIENT_SIP_PORT, type PlannedPhone } from './lab-plan.ts';
import { makeRunDirectory } from './paths.ts';
import { runInRealTime } from './real-time.ts';

const START_TIMEOUT_MS = 60_000;

export interface LinphoneOptions {
  readonly phone: PlannedPhone;
  /** Whether its audio runs before ordinary work of the machine. */
  readonly inRealTime: boolean;
  readonly secret: string;
  /** What it says in each call, as WAV. */
  readonly speechPath: string;
}

/** Debian's linphone-cli as a phone of the lab: registers, answers, speaks, reports what it hears. One call at a time. */
export class Linphone {
  readonly #phone: PlannedPhone;
  readonly #directory: string;
  readonly #child: ChildProcess;
  readonly #forget: () => void;
  #output = '';

  /** Resolves when it is registered. Throws with its last words. */
  static async start(options: LinphoneOptions): Promise<Linphone> {
    const phone = new Linphone(options);
    try {
      const deadlineMs = Date.now() + START_TIMEOUT_MS;
      while (!phone.#output.includes('registered, identity=')) {
        if (Date.now() > deadlineMs) throw new Error('Linphone does not register.');
        phone.#say('status register');
        await sleep(250);
      }
      phone.#say('soundcard use files');
      phone.#say(`play ${options.speechPath}`);
      const { pid } = phone.#child;
      if (options.inRealTime && pid !== undefined) await runInRealTime({ pid }, 'phone');
      return phone;
    } catch (error) {
      await phone.stop();
      throw new Error(`${String(error)} Its last words:\n${phone.#output}`, { cause: error });
    }
  }

  private constructor({ phone, secret }: LinphoneOptions) {
    this.#phone = phone;
    this.#directory = makeRunDirectory(`linphone-${phone.name}`);
    // Without it, it never gets as far as registering.
    mkdirSync(join(this.#directory, '.local/share/linphone'), { recursive: true });
    const settings = join(this.#directory, 'rc');
    writeFileSync(settings, settingsOf(phone, secret));
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'linphonec', '-a', '-c', settings], {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      cwd: this.#directory,
      env: { ...process.env, HOME: this.#directory },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.#output = (this.#output + chunk.toString()).slice(-4000)));
    this.#child.stdin?.on('error', () => undefined);
    this.#forget = stopWithProcess(this);
  }

  get output(): string {
    return this.#output;
  }

  dial(extension: string): void {
    this.#say(`call sip:${extension}@${this.#phone.pbxFront}:${CLIENT_SIP_PORT}`);
  }

  hangUp(): void {
    this.#say('terminate');
  }

  /** Its only call. */
  hold(): void {
    this.#say('pause');
  }

  /** Call `number` of this program's life, 1 for the first. */
  resume(number = 1): void {
    this.#say(`resume ${number}`);
  }

  /** Sends the other party of its only call to an extension. */
  transfer(extension: string): void {
    this.#say(`transfer sip:${extension}@${this.#phone.pbxFront}:${CLIENT_SIP_PORT}`);
  }

  /** Joins the other parties of its calls `number` and `toNumber`. */
  join(number: number, toNumber: number): void {
    this.#say(`transfer ${number} --to-call ${toNumber}`);
  }

  /** Presses one key of the call that is up: a line of its own. */
  press(key: string): void {
    this.#say(key);
  }

  stop(): Promise<void> {
    this.stopNow();
    this.#forget();
    return Promise.resolve();
  }

  stopNow(): void {
    this.#child.kill('SIGKILL');
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #say(command: string): void {
    this.#child.stdin?.write(`${command}\n`);
  }
}

function settingsOf({ name, sipPort, ports, pbxFront, codecs, collector }: PlannedPhone, secret: string): string {
  const mimes = { ulaw: 'PCMU', alaw: 'PCMA', g722: 'G722', opus: 'opus' };
  const known = (['ulaw', 'alaw', 'g722', 'opus'] as const).map(
    (codec, index) => `[audio_codec_${index}]
mime=${mimes[codec]}
rate=${codec === 'opus' ? 48_000 : 8000}
channels=${codec === 'opus' ? 2 : 1}
enabled=${codecs.includes(codec) ? 1 : 0}
`,
  );
  return `[sip]
sip_port=${sipPort}
sip_tcp_port=0
sip_tls_port=0
use_ipv6=0
default_proxy=0
[rtp]
audio_rtp_port=${ports.start}
[auth_info_0]
username=${name}
passwd=${secret}
realm=asterisk
[proxy_0]
reg_proxy=<sip:${pbxFront}:${CLIENT_SIP_PORT};transport=udp>
reg_identity=sip:${name}@${pbxFront}
reg_expires=600
reg_sendregister=1
publish=0
${collector === null ? '' : reporting(collector)}${known.join('')}`;
}

function reporting(collector: string): string {
  return `quality_reporting_enabled=1
quality_reporting_collector=sip:mes@${collector};transport=udp
quality_reporting_interval=5
`;
}
