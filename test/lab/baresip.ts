import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stopWithProcess } from './cleanup.ts';
import { CLIENT_SIP_PORT, type LabCodec, type PlannedPhone } from './lab-plan.ts';
import { makeRunDirectory } from './paths.ts';
import { runInRealTime } from './real-time.ts';

const CONTROL_PORT = 14_444;
const START_TIMEOUT_MS = 60_000;

const MODULES = ['g711', 'g722', 'opus', 'aufile', 'srtp', 'dtls_srtp', 'uuid', 'account', 'menu', 'ctrl_tcp'];
const CODEC_NAMES: Readonly<Record<LabCodec, string>> = {
  ulaw: 'PCMU/8000/1',
  alaw: 'PCMA/8000/1',
  g722: 'G722/16000/1',
  opus: 'opus/48000/2',
};

export interface BaresipOptions {
  readonly phone: PlannedPhone;
  /** Whether its audio runs before ordinary work of the machine. */
  readonly inRealTime: boolean;
  readonly secret: string;
  /** What it says in each call, as WAV of 8 kHz; it hangs up at its end. */
  readonly speechPath: string;
}

/** Debian's baresip as a phone of the lab: registers, answers, speaks, reports what it hears every 5 s. */
export class Baresip {
  readonly #directory: string;
  readonly #child: ChildProcess;
  readonly #forget: () => void;
  #control: Socket | undefined;
  #output = '';
  #token = 0;

  /** Resolves when it is registered. Throws with its last words. */
  static async start(options: BaresipOptions): Promise<Baresip> {
    const phone = new Baresip(options);
    try {
      await phone.#connect(options.phone.sipAddress);
      await phone.#isRegistered();
      const { pid } = phone.#child;
      if (options.inRealTime && pid !== undefined) await runInRealTime({ pid }, 'phone');
      return phone;
    } catch (error) {
      await phone.stop();
      throw new Error(`${String(error)} Its last words:\n${phone.#output}`, { cause: error });
    }
  }

  private constructor(options: BaresipOptions) {
    this.#directory = makeRunDirectory(`baresip-${options.phone.name}`);
    mkdirSync(this.#directory, { recursive: true });
    for (const [name, text] of configFiles(options)) writeFileSync(join(this.#directory, name), text);
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'baresip', '-f', this.#directory], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.#output = (this.#output + chunk.toString()).slice(-4000)));
    this.#forget = stopWithProcess(this);
  }

  get output(): string {
    return this.#output;
  }

  /** A command of its menu, such as `dial`, `hangup`, `hold`, `resume` or `transfer`. */
  command(command: string, params = ''): void {
    this.#token += 1;
    const text = JSON.stringify({ command, params, token: String(this.#token) });
    this.#control?.write(`${Buffer.byteLength(text)}:${text},`);
  }

  /** Presses one key of the call that is up: RFC 4733. */
  press(key: string): void {
    this.command('sndcode', key);
  }

  stop(): Promise<void> {
    this.stopNow();
    this.#forget();
    return Promise.resolve();
  }

  stopNow(): void {
    this.#control?.destroy();
    this.#child.kill('SIGKILL');
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** It may have registered before anybody listened to its events. */
  async #isRegistered(): Promise<void> {
    const deadlineMs = Date.now() + START_TIMEOUT_MS;
    while (!/200 OK .*\[\d+ binding/.test(this.#output)) {
      if (Date.now() > deadlineMs) throw new Error('baresip does not register.');
      await sleep(20);
    }
  }

  async #connect(address: string): Promise<void> {
    const deadlineMs = Date.now() + START_TIMEOUT_MS;
    while (this.#control === undefined) {
      if (this.#child.exitCode !== null) throw new Error('baresip ended.');
      if (Date.now() > deadlineMs) throw new Error('baresip does not listen.');
      this.#control = await tryConnect(address, CONTROL_PORT);
      if (this.#control === undefined) await sleep(20);
    }
    this.#control.on('error', () => undefined);
    // What it tells is not needed: the PBX's own events say more.
    this.#control.resume();
  }
}

function configFiles({ phone, secret, speechPath }: BaresipOptions): Map<string, string> {
  const { name, sipAddress: address, ports, pbxFront } = phone;
  const media = { sdes: ';mediaenc=srtp-mand', dtls: ';mediaenc=dtls_srtp' };
  const encryption = phone.encryption === null ? '' : media[phone.encryption];
  const codecs = phone.codecs.map((codec) => CODEC_NAMES[codec]).join(',');
  const account = `<sip:${name}@${pbxFront}:${CLIENT_SIP_PORT};transport=udp>;auth_user=${name};auth_pass=${secret};answermode=auto;regint=600;audio_codecs=${codecs}${encryption}\n`;
  const config = `module_path /usr/lib/baresip/modules
sip_listen ${address}:${CLIENT_SIP_PORT}
net_interface ${address}
ctrl_tcp_listen ${address}:${CONTROL_PORT}
rtp_ports ${ports.start}-${ports.start + ports.count - 1}
rtcp_mux no
jitter_buffer_type fixed
jitter_buffer_delay 1-5
call_max_calls 4
audio_source aufile,${speechPath}
ausrc_srate 8000
ausrc_channels 1
ausrc_format s16
${MODULES.map((module) => `module ${module}.so\n`).join('')}`;
  return new Map([
    ['config', config],
    ['accounts', account],
    ['contacts', ''],
    ['uuid', '00000000-0000-4000-8000-000000000000'],
  ]);
}

function tryConnect(host: string, port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('error', () => resolve(undefined));
    socket.once('connect', () => resolve(socket));
  });
}
