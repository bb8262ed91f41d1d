import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

export interface TakenMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly user: string | undefined;
  readonly isTls: boolean;
  readonly text: string;
}

export interface TestMailServer {
  readonly port: number;
  readonly mails: TakenMail[];
  /** Recipients that are told to come later, for as long as they are here. */
  readonly greylist: Set<string>;
  /** Commands AUTH and MAIL that came without TLS. */
  readonly readable: string[];
  close(): Promise<void>;
}

interface ServerOptions {
  readonly port?: number;
  readonly hasStartTls?: boolean;
  readonly needsAuth?: boolean;
}

/** A real SMTP server on loopback: user `mes`, password `secret`; `nobody@…` does not exist. Its certificate is self-signed. */
export async function testMailServer({
  port = 0,
  hasStartTls = true,
  needsAuth = true,
}: ServerOptions = {}): Promise<TestMailServer> {
  const mails: TakenMail[] = [];
  const greylist = new Set<string>();
  const readable: string[] = [];
  const refusal = (code: number, text: string): Error => Object.assign(new Error(text), { responseCode: code });
  const server = new SMTPServer({
    authOptional: !needsAuth,
    hideSTARTTLS: !hasStartTls,
    disabledCommands: hasStartTls ? [] : ['STARTTLS'],
    allowInsecureAuth: !hasStartTls,
    closeTimeout: 100,
    logger: false,
    onAuth({ username, password }, session, done) {
      if (!session.secure) readable.push('AUTH');
      if (username === 'mes' && password === 'secret') done(null, { user: username });
      else done(refusal(535, '5.7.8 wrong user or password'));
    },
    onMailFrom(_address, session, done) {
      if (!session.secure) readable.push('MAIL');
      done();
    },
    onRcptTo({ address }, _session, done) {
      if (greylist.has(address)) done(refusal(451, '4.7.1 greylisted, come later'));
      else if (address.startsWith('nobody@')) done(refusal(550, '5.1.1 no such user'));
      else done();
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          user: session.user,
          isTls: session.secure,
          text: Buffer.concat(chunks).toString(),
        });
        done();
      });
    },
  });
  server.on('error', () => {});
  server.listen(port, '127.0.0.1');
  await once(server.server, 'listening');
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    greylist,
    readable,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
