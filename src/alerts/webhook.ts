import type { AlertMessage } from '../model/alert.ts';
import { DeliveryError } from './delivery-error.ts';
import { webhookSignature } from './signing.ts';

export interface WebhookOptions {
  readonly url: string;
  /** Null: posts are not signed. */
  readonly secret: string | null;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
/** Statuses that are about the address, the credentials or the time, not about the message. */
const OF_THE_WAY: ReadonlySet<number> = new Set([401, 403, 404, 405, 407, 408, 410, 425, 429]);

/**
 * Posts a message. Resolves on any 2xx; rejects with DeliveryError, also on a redirection, which would send the post elsewhere.
 */
export async function post(
  message: AlertMessage,
  { url, secret, timeoutMs = TIMEOUT_MS }: WebhookOptions,
  nowMs: number,
): Promise<void> {
  const timestampS = Math.floor(nowMs / 1000);
  // The path may be a secret, so name the host only.
  const { host } = new URL(url);
  let status: number;
  try {
    const answer = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        'content-type': 'application/json',
        'user-agent': 'asterisk-mes',
        'webhook-id': message.id,
        'webhook-timestamp': String(timestampS),
        ...(secret === null
          ? {}
          : { 'webhook-signature': webhookSignature(secret, message.id, timestampS, message.json) }),
      },
      body: message.json,
    });
    status = answer.status;
    await answer.body?.cancel();
  } catch (error) {
    throw new DeliveryError(`the webhook at ${host} cannot be reached (${reasonOf(error)})`, { cause: error });
  }
  if (status >= 200 && status <= 299) return;
  const isRefused = status >= 400 && status <= 499 && !OF_THE_WAY.has(status);
  throw new DeliveryError(`the webhook at ${host} answered ${status}`, { isRefused });
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message : message;
}
