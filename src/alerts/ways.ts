import type { AlertMessage, AlertWay } from '../model/alert.ts';
import { Mailer, type MailOptions } from './mail.ts';
import type { Sender } from './outbox.ts';
import { post } from './webhook.ts';

/** Where messages go. */
export interface AlertWays {
  /** Null: no mail. Then neither `from` nor `to` is needed. */
  readonly smtp: Omit<MailOptions['server'], 'isThisMachine'> | null;
  readonly from: string | null;
  readonly to: readonly string[];
  readonly webhook: string | null;
  readonly webhookSecret: string | null;
  /** The address for links, without a slash at its end; null: the address that REST listens on. */
  readonly url: string | null;
}

/** Mail and webhook, as far as they are set. */
export function sendersBy(
  { smtp, from, to, webhook, webhookSecret: secret }: AlertWays,
  isThisMachine: (host: string) => boolean,
  nowMs: () => number,
): Partial<Record<AlertWay, Sender>> {
  const mailer =
    smtp === null || from === null
      ? null
      : new Mailer({ server: { ...smtp, isThisMachine: isThisMachine(smtp.host) }, from, to });
  return {
    ...(mailer === null ? {} : { mail: (message: AlertMessage) => mailer.send(message) }),
    ...(webhook === null
      ? {}
      : { webhook: (message: AlertMessage) => post(message, { url: webhook, secret }, nowMs()) }),
  };
}
