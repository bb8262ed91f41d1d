import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stopWithProcess } from './cleanup.ts';
import { CLIENT_SIP_PORT, type PlannedPhone } from './lab-plan.ts';
import { makeRunDirectory } from './paths.ts';

/** Debian's SIPp as a trunk of the lab: it answers, sends back the audio that it hears, and never sends RTCP. */
export class SippTrunk {
  readonly #directory: string;
  readonly #child: ChildProcess;
  readonly #forget: () => void;

  constructor({ name, sipAddress, phoneFront, ports, frontPort = ports.start }: PlannedPhone) {
    this.#directory = makeRunDirectory(`sipp-${name}`);
    const scenario = join(this.#directory, 'uas.xml');
    writeFileSync(scenario, answering(phoneFront, frontPort));
    const media = ['-mi', sipAddress, '-mp', String(ports.start), '-rtp_echo'];
    const words = ['-sf', scenario, '-i', sipAddress, '-p', String(CLIENT_SIP_PORT), ...media, '-nostdin'];
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'sipp', ...words], {
      stdio: 'ignore',
      detached: true,
      cwd: this.#directory,
    });
    this.#forget = stopWithProcess({ stop: () => Promise.resolve(this.stop()), stopNow: () => this.stop() });
  }

  stop(): void {
    this.#child.kill('SIGKILL');
    rmSync(this.#directory, { recursive: true, force: true });
    this.#forget();
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
