import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stopWithProcess } from './cleanup.ts';
import { CLIENT_SIP_PORT, type PlannedPhone } from './lab-plan.ts';
import { makeRunDirectory } from './paths.ts';
import { runInRealTime } from './real-time.ts';
import { captureOf } from './speech.ts';

/** Its calls use other ports than those that it answers. */
const CALLING_SIP_PORT = CLIENT_SIP_PORT + 1;
const CALLING_MEDIA_OFFSET = 4;
/** Of audio; longer than any test's call. */
const CALL_S = 40;

/** Debian's SIPp as a trunk of the lab: it answers and sends back the audio that it hears, or calls, and never sends RTCP. */
export class SippTrunk {
  readonly #phone: PlannedPhone;
  readonly #server: { readonly address: string; readonly sipPort: number; readonly inRealTime: boolean };
  readonly #speechPath: string;
  readonly #directory: string;
  readonly #children: ChildProcess[] = [];
  readonly #forget: () => void;

  /** `speechPath`: what it says in calls of its own, as WAV. */
  constructor(
    phone: PlannedPhone,
    server: { readonly address: string; readonly sipPort: number; readonly inRealTime: boolean },
    speechPath: string,
  ) {
    this.#phone = phone;
    this.#server = server;
    this.#speechPath = speechPath;
    this.#directory = makeRunDirectory(`sipp-${phone.name}`);
    const { phoneFront, ports, frontPort = ports.start } = phone;
    this.#start('answering', answering(phoneFront, frontPort), CLIENT_SIP_PORT, ports.start, ['-rtp_echo']);
    this.#forget = stopWithProcess({ stop: () => Promise.resolve(this.stop()), stopNow: () => this.stop() });
  }

  /** Calls an extension and plays a capture, as captures of real calls are played, until the other party hangs up. */
  dial(extension: string): void {
    const { name, phoneFront, ports } = this.#phone;
    writeFileSync(join(this.#directory, 'speech.pcap'), captureOf(this.#speechPath, CALL_S));
    const mediaPort = ports.start + CALLING_MEDIA_OFFSET;
    const more = ['-s', extension, '-m', '1', `${this.#server.address}:${this.#server.sipPort}`];
    this.#start('calling', calling(name, phoneFront), CALLING_SIP_PORT, mediaPort, more);
  }

  stop(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    rmSync(this.#directory, { recursive: true, force: true });
    this.#forget();
  }

  #start(what: string, text: string, sipPort: number, mediaPort: number, more: readonly string[]): void {
    const { sipAddress } = this.#phone;
    const scenario = join(this.#directory, `${what}.xml`);
    writeFileSync(scenario, text);
    const media = ['-mi', sipAddress, '-mp', String(mediaPort)];
    const words = ['-sf', scenario, '-i', sipAddress, '-p', String(sipPort), ...media, '-nostdin', ...more];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'sipp', ...words], {
      stdio: 'ignore',
      detached: true,
      cwd: this.#directory,
    });
    this.#children.push(child);
    if (this.#server.inRealTime && child.pid !== undefined) void runInRealTime({ pid: child.pid }, 'phone');
  }
}

/** Answers with the relay's address for its audio, and ends when it is told to. */
function answering(mediaAddress: string, mediaPort: number): string {
  const headers = '[last_Via:]\n[last_From:]\n[last_To:];tag=[call_number]\n[last_Call-ID:]\n[last_CSeq:]\n';
  return `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="trunk">
  <recv request="INVITE"/>
  <send><![CDATA[

SIP/2.0 200 OK
${headers}Contact: <sip:trunk@[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=trunk 1 1 IN IP4 ${mediaAddress}
s=-
c=IN IP4 ${mediaAddress}
t=0 0
m=audio ${mediaPort} RTP/AVP 0
a=rtpmap:0 PCMU/8000

]]></send>
  <recv request="ACK"/>
  <recv request="BYE" timeout="120000"/>
  <send><![CDATA[

SIP/2.0 200 OK
${headers}Content-Length: 0

]]></send>
</scenario>
`;
}

/**
 * Calls [service] with the relay's address for its audio, plays the capture, and ends when the other one hangs up. SIPp
 * plays from the port that it has put into the SDP itself.
 */
function calling(name: string, mediaAddress: string): string {
  const own = `<sip:${name}@[local_ip]:[local_port]>`;
  const to = '<sip:[service]@[remote_ip]:[remote_port]>';
  const head = (method: string, toTag: string): string => `${method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: ${own};tag=[call_number]
To: ${to}${toTag}
Call-ID: [call_id]
CSeq: 1 ${method}
Contact: ${own}
Max-Forwards: 70
`;
  return `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="calling">
  <send retrans="500"><![CDATA[

${head('INVITE', '')}Content-Type: application/sdp
Content-Length: [len]

v=0
o=trunk 1 1 IN IP4 ${mediaAddress}
s=-
c=IN IP4 ${mediaAddress}
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000

]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="183" optional="true"/>
  <recv response="200"/>
  <send><![CDATA[

${head('ACK', '[peer_tag_param]')}Content-Length: 0

]]></send>
  <nop><action><exec play_pcap_audio="speech.pcap"/></action></nop>
  <recv request="BYE"/>
  <send><![CDATA[

SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
`;
}
