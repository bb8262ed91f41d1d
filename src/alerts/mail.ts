import type { AlertMessage } from '../model/alert.ts';
import { DeliveryError } from './delivery-error.ts';

export interface MailOptions {
  readonly server: {
    readonly host: string;
    readonly port: number;
    readonly isTls: boolean;
    readonly user: string | null;
    readonly password: string | null;
    /**
     * The server is on this machine, so nobody is in between: a self-signed certificate will do, and without a password no TLS
     * is needed.
     */
    readonly isThisMachine: boolean;
  };
  readonly from: string;
  readonly to: readonly string[];
  /** Limit on connecting, on the greeting and on each silence; 20 s by default. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 20_000;

interface SmtpFailure {
  readonly responseCode?: number;
  readonly response?: string;
  readonly code?: string;
  readonly message: string;
}

/** Mails messages over SMTP. */
export class Mailer {
  readonly #options: MailOptions;
  /** By message: the recipients that have it already, while others do not. They must not get it twice. */
  readonly #reached = new Map<string, Set<string>>();

  constructor(options: MailOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the server has taken the message for every recipient. Rejects with DeliveryError while one is still missing.
   */
  async send(message: AlertMessage): Promise<void> {
    const reached = this.#reached.get(message.id) ?? new Set<string>();
    const to = this.#options.to.filter((address) => !reached.has(address));
    const { accepted, problem, isRefused } = await sendOnce(message, to, this.#options);
    for (const address of accepted) reached.add(address);
    if (problem === null) {
      this.#reached.delete(message.id);
      return;
    }
    this.#reached.set(message.id, reached);
    throw new DeliveryError(problem, { isRefused });
  }
}

interface Sent {
  readonly accepted: readonly string[];
  /** Null: every recipient has it. */
  readonly problem: string | null;
  /** The server refused this mail or one of its recipients. */
  readonly isRefused: boolean;
}

async function sendOnce(message: AlertMessage, to: readonly string[], options: MailOptions): Promise<Sent> {
  const { server, from, timeoutMs = TIMEOUT_MS } = options;
  const { host, port, isTls, user, password, isThisMachine } = server;
  // Load it with the first mail only: it takes 5 MB, and most installations send none.
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    host,
    port,
    secure: isTls,
    requireTLS: !isTls && (user !== null || !isThisMachine),
    ...(user === null || password === null ? {} : { auth: { user, pass: password } }),
    tls: { rejectUnauthorized: !isThisMachine, minVersion: 'TLSv1.2' },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const where = `${host}:${port}`;
  try {
    const { rejected, rejectedErrors } = await transport.sendMail({
      from,
      to: [...to],
      // The same for every try, so that a mail program recognises a mail that comes twice.
      messageId: `<${message.id}@asterisk-mes.invalid>`,
      date: new Date(message.atMs),
      subject: message.subject,
      text: message.text,
      ...(message.html === null ? {} : { html: message.html }),
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
    });
    const left = new Set(rejected);
    const accepted = to.filter((address) => !left.has(address));
    const [first] = rejectedErrors ?? [];
    const problem = first === undefined ? null : problemOf(first as SmtpFailure, where);
    return { accepted, problem, isRefused: problem !== null };
  } catch (error) {
    const failure = error as SmtpFailure;
    const isRefused = failure.code === 'EENVELOPE' || failure.code === 'EMESSAGE';
    return { accepted: [], problem: problemOf(failure, where), isRefused };
  } finally {
    transport.close();
  }
}

/** One sentence with the server's answer, cut short and without control characters. */
function problemOf({ responseCode, response, code, message }: SmtpFailure, where: string): string {
  const answer = (response ?? message).replaceAll(/\p{Cc}+/gu, ' ').slice(0, 200);
  if (code === 'EAUTH') return `the mail server ${where} refused user and password (${answer}); check smtp in [alerts]`;
  if (code === 'ETLS' || (code === 'EENVELOPE' && responseCode === 530)) {
    return `the mail server ${where} does not speak STARTTLS as it should (${answer}); nothing was sent, since the password and callers' numbers would be readable on the way`;
  }
  if (responseCode !== undefined && responseCode < 500)
    return `the mail server ${where} wants us to come later (${answer})`;
  if (responseCode !== undefined) return `the mail server ${where} refused the mail (${answer})`;
  return `the mail server ${where} cannot be reached (${answer})`;
}
