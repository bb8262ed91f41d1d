import { inScope, noteShards } from '../fleet/scope.ts';
import { t } from '../words/language.ts';

const TOKEN_KEY = 'asterisk-mes-token';
const TIMEOUT_MS = 10_000;

/** The window's event for a missing or wrong token. */
export const TOKEN_NEEDED = 'token-needed';

/** Thrown when REST refuses; its message is REST's sentence. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

/** Kept for as long as the browser's tab lives. */
export function storeToken(token: string): void {
  sessionStorage.setItem(TOKEN_KEY, token);
}

/** Whether a token has been given in this tab already. */
export function hasToken(): boolean {
  return sessionStorage.getItem(TOKEN_KEY) !== null;
}

/** A web socket carries the token as a subprotocol, in base64url: a page cannot set its headers. */
export function socketProtocols(): string[] {
  const token = sessionStorage.getItem(TOKEN_KEY);
  if (token === null) return ['asterisk-mes'];
  const base64 = btoa(String.fromCodePoint(...new TextEncoder().encode(token)));
  return ['asterisk-mes', `bearer.${base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`];
}

/**
 * Fetches JSON from REST. Throws Refused with REST's sentence, or an Error of one sentence when no answer comes.
 */
export async function get<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const response = await ask(
    path,
    'application/json',
    signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
  );
  const body: unknown = await response.json().catch(() => undefined);
  noteShards(body);
  if (response.ok && body !== undefined) return body as Answer;
  throw refusal(response.status, body);
}

/** Changes something, which needs the token; gives REST's answer. Throws as `get` does. */
export async function send<Answer>(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<Answer> {
  const response = await ask(path, 'application/json', AbortSignal.timeout(TIMEOUT_MS), {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok && answer !== undefined) return answer as Answer;
  throw refusal(response.status, answer);
}

/** Fetches the same as CSV, without a time limit. */
export async function getCsv(path: string): Promise<Blob> {
  const response = await ask(path, 'text/csv');
  if (response.ok) return response.blob();
  throw refusal(response.status, await response.json().catch(() => undefined));
}

async function ask(
  path: string,
  accept: string,
  signal?: AbortSignal,
  { method = 'GET', body }: { readonly method?: string; readonly body?: string } = {},
): Promise<Response> {
  const token = sessionStorage.getItem(TOKEN_KEY);
  try {
    const response = await fetch(inScope(path), {
      method,
      ...(body === undefined ? {} : { body }),
      headers: {
        accept,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(signal === undefined ? {} : { signal }),
    });
    if (response.status === 401) window.dispatchEvent(new Event(TOKEN_NEEDED));
    return response;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Error(t('The sidecar does not answer; check that asterisk-mes runs and that the network reaches it.'), {
      cause: error,
    });
  }
}

function refusal(status: number, body: unknown): Refused {
  const detail =
    typeof body === 'object' && body !== null && 'detail' in body ? String(body.detail) : t('no reason given');
  return new Refused(status, detail);
}
