import { createHash } from 'node:crypto';
import { retryAfterMs } from '../units/retry-after.ts';

export const LONGEST_BACK_OFF_MS = 3_600_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Statuses by which a collector refuses a file for good: too large, or malformed. */
const REFUSED_FOR_GOOD: ReadonlySet<number> = new Set([400, 413, 415, 422]);
/** Statuses that acknowledge a file. */
const KEPT: ReadonlySet<number> = new Set([201, 204]);
const PUT: ReadonlySet<number> = new Set([200, 201, 204]);
/** Bound on a collector's answer with a signed address. */
const MOST_ANSWER_BYTES = 16_384;
/** Only headers of this form are taken from a collector's answer. */
const S3_HEADER = /^x-amz-[a-z0-9-]{1,60}$/;

export interface DeliveryPlace {
  /** Address of the collector, without a slash at its end. */
  readonly collector: string;
  /** The store that files are put into by signed addresses; null: files go through the collector. */
  readonly uploadTo: string | null;
}

export type Outcome =
  | { readonly is: 'sent' }
  | { readonly is: 'refused' | 'later'; readonly problem: string; readonly waitMs?: number };

/** Sends a file once. Never rejects. */
export async function deliver(bytes: Buffer, place: DeliveryPlace, stop: AbortSignal): Promise<Outcome> {
  const { collector, uploadTo } = place;
  let asked = collector;
  try {
    if (uploadTo === null) {
      const type = { 'content-type': 'application/octet-stream' };
      return await outcomeOf(collector, await ask('POST', `${collector}/v1/measurements`, bytes, type, stop), KEPT);
    }
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const wanted = Buffer.from(JSON.stringify({ bytes: bytes.length, sha256 }));
    const type = { 'content-type': 'application/json' };
    const signed = await ask('POST', `${collector}/v1/uploads`, wanted, type, stop);
    if (signed.status === 404) {
      await signed.body?.cancel();
      return {
        is: 'later',
        problem: `${collector} signs no addresses; take upload_to away, or set uploads = presigned there`,
      };
    }
    if (signed.status !== 200) return await outcomeOf(collector, signed, new Set());
    const target = targetOf(await answerOf(signed), uploadTo);
    if (target === null)
      return { is: 'later', problem: `${collector} signed no address at ${uploadTo}; nothing was sent there` };
    asked = uploadTo;
    return await outcomeOf(uploadTo, await ask('PUT', target.url, bytes, target.headers, stop), PUT);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { is: 'later', problem: `${asked} cannot be reached (${reasonOf(cause)})` };
  }
}

async function ask(
  method: 'POST' | 'PUT',
  url: string,
  body: Buffer,
  headers: Readonly<Record<string, string>>,
  stop: AbortSignal,
): Promise<Response> {
  return fetch(url, {
    method,
    headers: { ...headers, 'user-agent': 'asterisk-mes' },
    body: new Uint8Array(body),
    redirect: 'error',
    signal: AbortSignal.any([stop, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
  });
}

/** The outcome by the status alone; the body is not read. */
async function outcomeOf(where: string, response: Response, done: ReadonlySet<number>): Promise<Outcome> {
  await response.body?.cancel();
  const { status } = response;
  if (done.has(status)) return { is: 'sent' };
  const problem = `${where} answered ${status}`;
  if (REFUSED_FOR_GOOD.has(status)) return { is: 'refused', problem };
  return { is: 'later', problem, waitMs: retryAfterMs(response.headers.get('retry-after'), LONGEST_BACK_OFF_MS) };
}

async function answerOf(response: Response): Promise<unknown> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > MOST_ANSWER_BYTES) return null;
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString());
  } catch {
    return null;
  }
}

/** The signed address in a collector's answer. It must lie at the place that the administrator named; otherwise null. */
function targetOf(
  answer: unknown,
  uploadTo: string,
): { readonly url: string; readonly headers: Readonly<Record<string, string>> } | null {
  const { url, headers } = (answer ?? {}) as { readonly url?: unknown; readonly headers?: unknown };
  if (typeof url !== 'string' || !URL.canParse(url)) return null;
  const address = new URL(url);
  if (address.origin !== new URL(uploadTo).origin || address.username !== '' || address.password !== '') return null;
  const given = typeof headers === 'object' && headers !== null ? Object.entries(headers) : [];
  const kept = given.filter(
    (entry): entry is [string, string] =>
      typeof entry[1] === 'string' && S3_HEADER.test(entry[0]) && /^[\x21-\x7e]{1,200}$/.test(entry[1]),
  );
  return { url: address.toString(), headers: Object.fromEntries(kept) };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
