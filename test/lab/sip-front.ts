import { createSocket, type Socket } from 'node:dgram';
import type { PlannedPhone } from './lab-plan.ts';

/**
 * The way that a program's own SIP takes: it believes the PBX behind `pbxFront`, and the PBX believes it behind `phoneFront`.
 * The address in its SDP is changed likewise, so that its audio comes through the relay.
 */
export class SipFront {
  readonly #sockets: readonly Socket[];

  /** Resolves when both sides listen. */
  static async start(
    { sipAddress: address, phoneFront, pbxFront, ports: own, frontPort = own.start }: PlannedPhone,
    ports: { readonly phone: number; readonly pbx: number },
    pbxAddress: string,
    pbxSipPort: number,
  ): Promise<SipFront> {
    const toPhone = await bind(pbxFront, ports.pbx);
    const toPbx = await bind(phoneFront, ports.pbx);
    toPhone.on('message', (message, source) => {
      if (source.address === address)
        toPbx.send(withMediaAddress(message, phoneFront, frontPort - own.start), pbxSipPort, pbxAddress);
    });
    toPbx.on('message', (message, source) => {
      if (source.address === pbxAddress) toPhone.send(withContact(message, pbxAddress, pbxFront), ports.phone, address);
    });
    return new SipFront([toPhone, toPbx]);
  }

  private constructor(sockets: readonly Socket[]) {
    this.#sockets = sockets;
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }
}

/** The message with the relay's address and ports in its SDP, and its length made right. */
function withMediaAddress(message: Buffer, phoneFront: string, shift: number): Buffer {
  const text = message.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  if (end < 0 || !/\r\nContent-Type:\s*application\/sdp/i.test(text.slice(0, end))) return message;
  const body = text
    .slice(end + 4)
    .replaceAll(/IN IP4 (?!0\.0\.0\.0)\S+/g, `IN IP4 ${phoneFront}`)
    .replaceAll(/^(m=\w+ |a=rtcp:)([1-9]\d*)/gm, (_, what: string, port: string) => `${what}${Number(port) + shift}`);
  const head = text.slice(0, end).replace(/(\r\nContent-Length:\s*)\d+/i, `$1${body.length}`);
  return Buffer.from(`${head}\r\n\r\n${body}`, 'latin1');
}

/** The message with an own address of ours as the contact, so that what the phone says later takes the same way. */
function withContact(message: Buffer, pbxAddress: string, pbxFront: string): Buffer {
  const text = message.toString('latin1');
  const changed = text.replace(/^(Contact:[^\r]*@|Contact:\s*<sip:)([\d.]+)/im, (all, start: string, host: string) =>
    host === pbxAddress ? `${start}${pbxFront}` : all,
  );
  return Buffer.from(changed, 'latin1');
}

function bind(address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) });
    socket.once('error', reject);
    socket.bind(port, address, () => {
      socket.off('error', reject);
      // Who has gone answers with "port unreachable"; SIP sends again.
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}
